"""Loading every skill below a root.

The loader is lenient so that any library can be listed: a field that is absent stays empty.
What a skill *must* have is for the structure checks to say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.frontmatter import Frontmatter, split_frontmatter
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import SKILL_FILE, Page, Skill, SkillFields, SkillMetadata
from ai_research_skills.catalog.source import read_source
from ai_research_skills.catalog.yaml_document import YamlDocument, parse_yaml, validate

SKIPPED_FOLDERS = frozenset({"node_modules", "site-packages", "__pycache__", "build", "site", "dist"})


@dataclass(frozen=True)
class Shelf:
    """All skills below a root, by name, with everything that is wrong with them."""

    skills: tuple[Skill, ...]
    problems: tuple[Problem, ...]


def load_skills(root: Path) -> Shelf:
    """Read every skill below `root` (or below `root/skills` where that exists)."""
    base = root / "skills" if (root / "skills").is_dir() else root
    skills: list[Skill] = []
    problems: list[Problem] = []
    for folder in _skill_folders(root, base, problems):
        skill, found = load_skill(root, folder)
        skills.append(skill)
        problems.extend(found)
    problems.extend(_doubled(skills))
    return Shelf(tuple(sorted(skills, key=lambda skill: (skill.name, skill.folder))), tuple(sorted(problems)))


def _skill_folders(root: Path, base: Path, problems: list[Problem]) -> Iterator[Path]:
    for here, folders, files in os.walk(base):
        folder = Path(here)
        is_empty = not folders and not files
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith("."))
        for name in [*folders, *sorted(files)]:
            entry = folder / name
            if entry.is_symlink() and not entry.resolve().is_relative_to(root.resolve()):
                mend = "replace the link by the files themselves"
                problems.append(Problem(entry.relative_to(root), 0, "is a link out of the tree", mend))
        if SKILL_FILE in files:
            folders.clear()
            yield folder
        elif is_empty:
            problems.append(
                Problem(folder.relative_to(root), 0, "is an empty folder", "write its SKILL.md or remove it")
            )


def _doubled(skills: Iterable[Skill]) -> Iterator[Problem]:
    first: dict[str, Skill] = {}
    for skill in skills:
        other = first.setdefault(skill.name, skill)
        if other is not skill:
            message = f"has the same name as {other.folder.as_posix()}"
            yield Problem(skill.path, 1, message, "rename one folder and the `name` in its SKILL.md")


def load_skill(root: Path, folder: Path) -> tuple[Skill, tuple[Problem, ...]]:
    """Read one skill folder; what cannot be read is left empty and reported."""
    source = read_source(root, folder / SKILL_FILE)
    problems = list(source.problems)
    unread = bool(source.problems) and not source.text
    front = Frontmatter("", "", 1) if unread else split_frontmatter(source.path, source.text)
    problems += front.problems
    document = parse_yaml(source.path, front.yaml, first_line=Frontmatter.YAML_LINE)
    fields: SkillFields | None = None
    metadata: SkillMetadata | None = None
    if not unread and not front.problems:
        fields, found = validate(source.path, document, SkillFields)
        problems += found
        metadata, found = _metadata(source.path, document)
        problems += found
    if fields and fields.name != folder.name:
        line = document.line_of(("name",))
        message = f"is named {fields.name!r} but lies in the folder {folder.name!r}"
        mend = "make the two the same; addresses use the folder"
        problems.append(Problem(source.path, line, message, mend))
    references, unreadable = _references(root, folder)
    raw_fields = document.value if isinstance(document.value, dict) else {}
    skill = Skill(
        name=folder.name,
        folder=folder.relative_to(root),
        category=folder.parent.name,
        description=_text(raw_fields.get("description")),
        license=_text(raw_fields.get("license")),
        compatibility=_text(raw_fields.get("compatibility")),
        metadata=metadata or SkillMetadata(),
        raw=source.text,
        body=Page(source.path, "", _title(front.body), front.body, front.body_line),
        references=references,
        files=_other_files(folder, references, root),
        declared_name=fields.name if fields else "",
        fields=raw_fields,
    )
    return skill, (*problems, *unreadable)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _metadata(path: Path, document: YamlDocument) -> tuple[SkillMetadata | None, list[Problem]]:
    block = document.value.get("metadata") if isinstance(document.value, dict) else None
    if not isinstance(block, dict):
        return None, []
    lines = {key[1:]: line for key, line in document.lines.items() if key[:1] == ("metadata",)}
    strings = {key: value for key, value in block.items() if isinstance(value, str)}
    return validate(path, YamlDocument(strings, lines), SkillMetadata)


def _references(root: Path, folder: Path) -> tuple[tuple[Page, ...], tuple[Problem, ...]]:
    pages: list[Page] = []
    problems: list[Problem] = []
    for path in sorted((folder / "references").glob("*.md")):
        source = read_source(root, path)
        problems += source.problems
        pages.append(Page(source.path, path.stem, _title(source.text) or path.stem, source.text, 1))
    return tuple(pages), tuple(problems)


def _title(text: str) -> str:
    match = re.search(r"^# +(.+?)(?: +\{.*\})?$", text, flags=re.MULTILINE)
    return match[1].strip() if match else ""


def _other_files(folder: Path, references: tuple[Page, ...], root: Path) -> tuple[Path, ...]:
    pages = {folder / SKILL_FILE, *(root / page.path for page in references)}
    inside = folder.resolve()
    return tuple(
        path.relative_to(folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path not in pages
        and path.resolve().is_relative_to(inside)
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    )
