"""A page for every script of a skill: what it is for, how it is called, what tests it, and its code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ai_research_skills.catalog.skill import Skill
from hooks import addresses
from hooks.site_content import SiteContent
from hooks.staged import Staged, page
from hooks.templating import fragment


def script_pages(content: SiteContent, skill: Skill) -> Iterator[Staged]:
    """Stage every script of `skill`."""
    for file in skill.scripts:
        yield _script_page(content, skill, file)


def _script_page(content: SiteContent, skill: Skill, file: Path) -> Staged:
    here = addresses.script(skill.name, file.stem)
    code = (content.tree.root / skill.folder / file).read_text(encoding="utf-8")
    purpose = _purpose(code)
    header = fragment(
        "script_header.html",
        here,
        skill=skill,
        file=file,
        purpose=purpose,
        tests=_tests(content, skill, file),
    )
    meta = {
        "title": f"{file.name} · {skill.title}",
        "description": purpose or f"{file.name}: a script of the skill {skill.title}.",
        "hide": ["navigation", "toc"],
        "search": False,
    }
    return page(addresses.page_path(here), meta, f"{header}\n\n{_fenced(code)}", skill.folder / file)


def _purpose(code: str) -> str:
    """The first paragraph of the module's docstring, on one line."""
    told = ast.get_docstring(ast.parse(code)) or ""
    return " ".join(told.split("\n\n")[0].split())


def _tests(content: SiteContent, skill: Skill, file: Path) -> str:
    """Web address of the script's tests, where there are any."""
    path = Path("tests/skills", f"test_{skill.name.replace('-', '_')}_{file.stem}.py")
    return content.blob(path.as_posix()) if (content.tree.root / path).is_file() else ""


def _fenced(code: str) -> str:
    """`code` in a fence that nothing in it closes."""
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{code.rstrip()}\n{fence}"
