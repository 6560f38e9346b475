"""The fenced code blocks of a page, found by a CommonMark parser."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from ai_research_skills.catalog.blocks import block_tokens
from ai_research_skills.catalog.skill import Page

OUTPUT_LANGUAGES = frozenset({"text", "console", "output"})
"""Fences that show what a program printed: they are not counted as examples."""


class Mark(StrEnum):
    """The second word of a fence: how a block takes part in the program that its page is."""

    NEXT = ""
    FRESH = "fresh"
    ALONE = "alone"
    FAILS = "fails"
    GPU = "gpu"
    PRINTS = "prints"
    """Of an output: exactly what the block above it prints, or the last line of the error that it raises."""


@dataclass(frozen=True)
class Example:
    """One fenced block.

    Attributes:
        language: First word of the fence, lower case.
        mark: Second word of the fence, as written.
        heading: Nearest heading above.
        line: Line of the opening fence in the file.
        index: Position among the fenced blocks of its page.
        expected: What it must print, where the page says so in a `text prints` block right below it.
    """

    path: Path
    language: str
    mark: str
    heading: str
    line: int
    index: int
    source: str
    expected: str | None = None

    @property
    def sha256(self) -> str:
        parts = (
            self.language,
            self.mark,
            self.source,
            *((self.expected,) if self.expected is not None else ()),
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def is_output(self) -> bool:
        """Whether the block shows what a program printed: it is no example of its own."""
        return self.language in OUTPUT_LANGUAGES


@cache
def page_examples(page: Page) -> tuple[Example, ...]:
    """Every fenced block of `page`, in order."""
    found: list[Example] = []
    for block in _blocks(page):
        if block.is_output and block.mark == Mark.PRINTS and found and not found[-1].is_output:
            found[-1] = replace(found[-1], expected=block.source)
        found.append(block)
    return tuple(found)


def _blocks(page: Page) -> Iterator[Example]:
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
