"""The fenced code blocks of a page, found by a CommonMark parser.

What CommonMark calls a fenced block is a block, wherever it stands: in a list, in a quotation, between tildes, or
with a longer fence around shorter ones. Indented code and what an HTML block holds are none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from ai_research_skills.catalog.blocks import block_tokens
from ai_research_skills.catalog.skill import Page

OUTPUT_LANGUAGES = frozenset({"text", "console", "output"})
"""Fences that show what a program printed, or a session with one: they are not counted as examples."""

ALIASES: Mapping[str, str] = {
    "cfg": "ini",
    "containerfile": "dockerfile",
    "docker": "dockerfile",
    "jsonlines": "jsonl",
    "ndjson": "jsonl",
    "patch": "diff",
    "plain": "text",
    "plaintext": "text",
    "py": "python",
    "py3": "python",
    "pycon": "console",
    "python3": "python",
    "sh-session": "console",
    "shell": "bash",
    "shell-session": "console",
    "shellsession": "console",
    "txt": "text",
    "udiff": "diff",
    "yml": "yaml",
}
"""Other names of a language, as GitHub and Pygments know them. `zsh`, `json5` and `ipython` are languages of their
own, which no parser here knows: they are not called bash, JSON or Python."""

_BRACES = re.compile(r"^\{([^}]*)\}")
_ATTRIBUTE = re.compile(r"""\{[^}]*\}|[\w-]+=(?:"[^"]*"|'[^']*'|[^\s,]*)""")
_BETWEEN_WORDS = re.compile(r"[\s,]+")
_CODE_DIRECTIVES = frozenset({"code", "code-block", "code-cell", "sourcecode"})
"""Directives of MyST whose argument is the language."""


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
        language: First word of the fence, lower case, by the name that `ALIASES` settles on.
        mark: What else the fence says, as written; a `Mark`, or a word that another library gives a meaning.
        heading: Nearest heading above.
        line: Line of the opening fence in the file; the first line of `source` is the next.
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
        return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()

    @property
    def is_output(self) -> bool:
        """Whether the block shows what a program printed: it is no example of its own."""
        return self.language in OUTPUT_LANGUAGES


@cache
def page_examples(page: Page) -> tuple[Example, ...]:
    """Every fenced block of `page`, in order."""
    found: list[Example] = []
    for block in _blocks(page):
        if says_what_is_printed(block) and found and found[-1].language == "python":
            found[-1] = replace(found[-1], expected=block.source)
        found.append(block)
    return tuple(found)


def says_what_is_printed(block: Example) -> bool:
    """Whether `block` is an output that the block above it is held to."""
    return block.is_output and block.mark == Mark.PRINTS


def language_and_mark(info: str) -> tuple[str, str]:
    """The language and the mark that the words after a fence name.

    Attributes are passed over, however they are written: `python title="a b"`, `python {linenos=true}`,
    `{python, echo=FALSE}`, `{.python .numbered}`, `{code-cell} python`, `python:train.py`.
    """
    braces = _BRACES.match(info.strip())
    inner = _words(braces[1]) if braces else []
    words = _words(_ATTRIBUTE.sub(" ", info))
    if inner and inner[0].lower() not in _CODE_DIRECTIVES:
        words.insert(0, inner[0].removeprefix("."))
    if not words:
        return "", ""
    language = words[0].partition(":")[0].lower()
    return ALIASES.get(language, language), " ".join(words[1:])


def _words(text: str) -> list[str]:
    return [word for word in _BETWEEN_WORDS.split(text) if word]


def _blocks(page: Page) -> Iterator[Example]:
    heading, index = page.title, 0
    tokens = block_tokens(page.text)
    for position, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[position + 1].content
        if token.type == "fence":
            language, mark = language_and_mark(token.info)
            line = page.first_line + (token.map[0] if token.map else 0)
            yield Example(page.path, language, mark, heading, line, index, token.content)
            index += 1
