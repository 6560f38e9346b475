"""The fenced code blocks of a page, found by a CommonMark parser."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from ai_research_skills.catalog.blocks import block_tokens
from ai_research_skills.catalog.skill import Page


class Mark(StrEnum):
    """The second word of a fence: how a block takes part in the program that its page is."""

    NEXT = ""
    FRESH = "fresh"
    ALONE = "alone"
    FAILS = "fails"
    GPU = "gpu"


@dataclass(frozen=True)
class Example:
    """One fenced block.

    Attributes:
        language: First word of the fence, lower case.
        mark: Second word of the fence, as written.
        heading: Nearest heading above.
        line: Line of the opening fence in the file.
        index: Position among the fenced blocks of its page.
    """

    path: Path
    language: str
    mark: str
    heading: str
    line: int
    index: int
    source: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.language}\0{self.mark}\0{self.source}".encode()).hexdigest()


@cache
def page_examples(page: Page) -> tuple[Example, ...]:
    """Every fenced block of `page`, in order."""
    return tuple(_examples(page))


def _examples(page: Page) -> Iterator[Example]:
    heading, index = page.title, 0
    tokens = block_tokens(page.text)
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[position + 1].content
        if token.type == "fence":
            language, _, mark = token.info.strip().partition(" ")
            line = page.first_line + (token.map[0] if token.map else 0)
            yield Example(
                page.path,
                language.lower(),
                mark.strip(),
                heading,
                line,
                index,
                token.content,
            )
            index += 1
