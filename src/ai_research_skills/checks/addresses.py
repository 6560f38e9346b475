"""The promise of the site: an address that was published once answers for good.

`docs/urls.txt` holds every page and every heading ever published, one a line, sorted; lines are only added.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path

from ai_research_skills.catalog.problem import Problem

URLS_FILE = Path("docs/urls.txt")
LINKABLE = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "section", "dt", "a"})
UNLISTED = ("404.html",)
CODE_NAMES = "/api/"
"""Where the pages are whose anchors are names in the code: the code's own deprecation rules hold for those."""


class _Anchors(HTMLParser):
    """Collects the ids of everything in the article that a link may point to."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self.depth += 1
        found = dict(attrs).get("id")
        if self.depth and found and tag in LINKABLE:
            self.ids.append(found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.depth -= 1


def page_anchors(html: str) -> tuple[str, ...]:
    """The ids of `html`'s article, in order."""
    parser = _Anchors()
    parser.feed(html)
    return tuple(parser.ids)


def site_addresses(site: Path) -> tuple[str, ...]:
    """Every page of the built `site`, and every anchor of it, sorted; redirect stubs are pages too."""
    found: set[str] = set()
    for path in site.rglob("*.html"):
        name = path.relative_to(site).as_posix()
        if name in UNLISTED:
            continue
        address = "/" + re.sub(r"(^|/)index\.html$", r"\1", name)
        found.add(address)
        if not address.startswith(CODE_NAMES):
            found |= {f"{address}#{anchor}" for anchor in page_anchors(path.read_text(encoding="utf-8"))}
    return tuple(sorted(found))


def published(root: Path) -> tuple[str, ...]:
    """The addresses that were promised."""
    path = root / URLS_FILE
    return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else ()


def broken_promises(
    promised: Iterable[str], answering: Iterable[str], moved: Mapping[str, str] | None = None
) -> tuple[Problem, ...]:
    """A problem for every promised address that no longer answers.

    `moved` leads from old pages to new ones: the page that redirects hands the fragment on, so a heading of an old page
    answers if the new one has it.
    """
    there = set(answering)
    mend = "bring the page or heading back, or add a line to docs/redirects.yml"
    return tuple(
        Problem(URLS_FILE, line, f"{address} no longer answers", mend)
        for line, address in enumerate(promised, start=1)
        if address not in there and _followed(address, moved or {}) not in there
    )


def _followed(address: str, moved: Mapping[str, str]) -> str:
    page, mark, fragment = address.partition("#")
    return f"{moved.get(page, page)}{mark}{fragment}"


def new_addresses(promised: Iterable[str], answering: Iterable[str]) -> tuple[str, ...]:
    """Addresses that answer and are not promised yet."""
    return tuple(sorted(set(answering) - set(promised)))


def promise(root: Path, addresses: Iterable[str]) -> int:
    """Add `addresses` to the file; returns how many were new. Nothing is ever taken away."""
    known = set(published(root))
    every = known | set(addresses)
    (root / URLS_FILE).write_text("\n".join(sorted(every)) + "\n", encoding="utf-8")
    return len(every - known)
