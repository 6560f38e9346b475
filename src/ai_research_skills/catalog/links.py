"""The links of a Markdown page, found by a CommonMark parser: code that looks like a link is none."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt

from ai_research_skills.catalog.skill import SKILL_FILE, Page, Skill

_PARSER = MarkdownIt("commonmark").enable("table")
_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]  # a script link is to be found, not dropped
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


@dataclass(frozen=True)
class Link:
    """One link or image of a page; `line` is that of the paragraph it stands in."""

    target: str
    line: int

    @property
    def is_relative(self) -> bool:
        return not _ABSOLUTE.match(self.target) and not self.target.startswith(("#", "/"))

    @property
    def path(self) -> str:
        return self.target.partition("#")[0]


@cache
def page_links(page: Page) -> tuple[Link, ...]:
    """Every link and image of `page`, in order."""
    return tuple(_links(page))


def _links(page: Page) -> Iterator[Link]:
    for token in _PARSER.parse(page.text):
        line = page.first_line + (token.map[0] if token.map else 0)
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield Link(str(target), line)


_PERHAPS_A_LINK = re.compile(r"\]\(\s*<?([^)\s>#]+)|^ {0,3}\[[^\]]+\]:\s*<?([^\s>#]+)", flags=re.MULTILINE)


def dead_links(skill: Skill) -> Iterator[tuple[Page, Link]]:
    """Relative links of `skill` that lead to none of its files."""
    files = {SKILL_FILE, *(path.as_posix() for path in skill.files)}
    files |= {page.path.relative_to(skill.folder).as_posix() for page in skill.references}
    known = files | {"."} | {posixpath.dirname(file) for file in files}
    for page in skill.pages:
        here = page.path.parent.relative_to(skill.folder).as_posix()
        if all(_leads_to(known, here, target) for target in _perhaps_targets(page.text)):
            continue
        for link in page_links(page):
            if link.is_relative and not _leads_to(known, here, link.path):
                yield page, link


def _perhaps_targets(text: str) -> Iterator[str]:
    """Everything that may be the path of a relative link, code included: parsing a page costs far more."""
    for match in _PERHAPS_A_LINK.finditer(text):
        link = Link(match[1] or match[2], 0)
        if link.is_relative:
            yield link.path


def _leads_to(known: Collection[str], here: str, path: str) -> bool:
    return posixpath.normpath(posixpath.join(here, path)) in known
