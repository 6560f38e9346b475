"""The blocks of a Markdown text, by a CommonMark parser that leaves out what stands inside a paragraph.

Reading that takes most of a parser's time, and neither code blocks nor headings need it.
"""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable("table").disable("inline")


@lru_cache(maxsize=4096)
def block_tokens(text: str) -> tuple[Token, ...]:
    """The block tokens of `text`; two readers of one page share them, and must not change them."""
    return tuple(_PARSER.parse(text))
