"""Addresses that moved, `docs/redirects.yml`: old address to new, each one hop.

A line from one fragment to another on the same page keeps a heading's old id alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import RootModel

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.source import read_source
from ai_research_skills.catalog.yaml_document import YamlDocument, parse_yaml, validate

REDIRECTS_FILE = Path("docs/redirects.yml")


class Redirects(RootModel[dict[str, str]]):
    """Old address to new."""


def load_redirects(root: Path) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Read the table; a tree without one has moved nothing."""
    path = root / REDIRECTS_FILE
    if not path.is_file():
        return {}, ()
    source = read_source(root, path)
    document = parse_yaml(source.path, source.text)
    table, problems = validate(source.path, document, Redirects)
    found = table.root if table else {}
    return found, (*source.problems, *problems, *_faults(found, document))


def _faults(table: dict[str, str], document: YamlDocument) -> Iterator[Problem]:
    for old, new in table.items():
        line = document.line_of((old,))
        for address in (old, new):
            if not address.startswith("/"):
                yield Problem(REDIRECTS_FILE, line, f"{address} is no address", "begin it with a slash")
        if new in table:
            mend = f"lead it to {table[new]} at once"
            yield Problem(REDIRECTS_FILE, line, f"{old} takes two hops, over {new}", mend)
        if ("#" in old) != ("#" in new) or ("#" in old and _page(old) != _page(new)):
            mend = "redirect pages to pages, and fragments to fragments of the same page"
            yield Problem(REDIRECTS_FILE, line, f"{old} cannot lead to {new}", mend)


def _page(address: str) -> str:
    return address.partition("#")[0]
