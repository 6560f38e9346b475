"""The programs that a page is: which blocks follow which, each line standing where it stands on the page."""

from __future__ import annotations

import ast
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from ai_research_skills.catalog.example import Example, Mark


class Joins(Enum):
    """How a piece takes part in the program that its page is."""

    NEXT = auto()
    FRESH = auto()
    ALONE = auto()
    COPY = auto()
    ISOLATED = auto()


_JOINS: Mapping[str, Joins] = {Mark.FRESH: Joins.FRESH, Mark.ALONE: Joins.ALONE}
"""What a mark means; a block with any other word after its language simply comes next."""


@dataclass(frozen=True)
class Piece:
    """Python that an example holds: its code, the added lines of a diff, or what a command line passes on.

    Attributes:
        line: Line of the page on which `source` begins.
        joins: A copy sees the names of the program so far and leaves none. It is a fragment: names that
            nothing on the page defines are the reader's own. An isolated piece stands alone on a page that was
            not written as a program: there too what nothing defines is the reader's own.
    """

    example: Example
    source: str
    line: int
    joins: Joins

    @property
    def is_fragment(self) -> bool:
        return self.joins is Joins.COPY

    @property
    def may_lack_names(self) -> bool:
        """Whether it may use names that nothing on the page defines."""
        return self.joins in {Joins.COPY, Joins.ISOLATED}


@dataclass(frozen=True)
class Program:
    """Pieces that share names, in order.

    Attributes:
        imports: Statements before the first piece: what a fragment may take for granted.
    """

    path: Path
    pieces: tuple[Piece, ...]
    imports: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[Piece, ...]:
        """The pieces that the program is about: the others are there for their names."""
        return self.pieces[-1:] if self.pieces[-1].is_fragment else self.pieces

    @property
    def source(self) -> str:
        """The program as one file in which every line has the number that it has on the page.

        The first line of a page is never code, so the imports have room there.
        """
        lines: list[str] = ["; ".join(self.imports)]
        for piece in self.pieces:
            lines += [""] * (piece.line - 1 - len(lines))
            lines += piece.source.split("\n")
        return "\n".join(lines) + "\n"

    def piece_at(self, line: int) -> Piece | None:
        """The piece that holds `line` of the page."""
        return next((piece for piece in reversed(self.pieces) if piece.line <= line), None)


def page_programs(pieces: Sequence[Piece], imports: Sequence[str] = ()) -> Iterator[Program]:
    """The programs that the pieces of one page make; `imports` are what fragments may take for granted."""
    running: list[Piece] = []
    for piece in pieces:
        if piece.joins is Joins.ALONE:
            yield Program(piece.example.path, (piece,))
        elif piece.joins is Joins.COPY:
            yield Program(piece.example.path, (*running, piece), tuple(imports))
        elif piece.joins is Joins.FRESH and running:
            yield Program(piece.example.path, tuple(running))
            running = [piece]
        else:
            running.append(piece)
    if running:
        yield Program(running[0].example.path, tuple(running))


def pages_programs(pages: Sequence[Sequence[Piece]]) -> tuple[Program, ...]:
    """The programs of all pages of a skill; a fragment may take the imports for granted on which the pages agree."""
    imports = shared_imports([piece for page in pages for piece in page if not piece.is_fragment])
    return tuple(program for page in pages for program in page_programs(page, imports))


def python_pieces(examples: Iterable[Example]) -> Iterator[Piece]:
    """The Python among the examples of a page: its blocks, and the lines that its diffs add."""
    for example in examples:
        is_diff = example.language == "diff"
        piece = added_piece(example, added_lines(example)) if is_diff else block_piece(example)
        if piece:
            yield piece


def isolated_programs(pieces: Sequence[Piece]) -> Iterator[Program]:
    """Every piece of a page that was not written as a program, by itself, with what the page imported before it."""
    before: dict[str, str] = {}
    for piece in pieces:
        alone = replace(piece, joins=Joins.ISOLATED)
        yield Program(piece.example.path, (alone,), tuple(sorted(set(before.values()))))
        before |= _imports(ast.parse(piece.source).body)


def block_piece(example: Example) -> Piece | None:
    """The piece that a Python block is, or None if it is there to fail or does not parse."""
    if example.language != "python" or example.mark == Mark.FAILS:
        return None
    joins = _JOINS.get(example.mark, Joins.NEXT)
    return _parsed(Piece(example, example.source, example.line + 1, joins))


def added_piece(example: Example, lines: Sequence[tuple[int, str]]) -> Piece | None:
    """The piece that `lines` added by a diff make, or None if they are not Python.

    What a diff shows around them belongs to it, as long as all of it together is Python.
    """
    if not lines:
        return None
    return _spread(example, sorted([*lines, *_lines(example, " ")])) or _spread(example, lines)


def _spread(example: Example, lines: Sequence[tuple[int, str]]) -> Piece | None:
    """The piece that `lines` make, each where it stands on the page."""
    first, last = lines[0][0], lines[-1][0]
    text = dict(lines)
    source = textwrap.dedent("\n".join(text.get(number, "") for number in range(first, last + 1)))
    return _parsed(Piece(example, source, first, Joins.COPY))


def added_lines(example: Example) -> list[tuple[int, str]]:
    """What the `+` lines of a diff say, each with its line on the page."""
    return _lines(example, "+")


def _lines(example: Example, sign: str) -> list[tuple[int, str]]:
    return [
        (example.line + 1 + offset, line[1:])
        for offset, line in enumerate(example.source.splitlines())
        if line.startswith(sign) and not line.startswith(sign * 3)
    ]


def shared_imports(pieces: Sequence[Piece]) -> tuple[str, ...]:
    """One import for each name that all the pages of a skill import from one and the same place."""
    origins: dict[str, set[str]] = {}
    for piece in pieces:
        for node in ast.walk(ast.parse(piece.source)):
            for name, origin in _imports([node]).items():
                origins.setdefault(name, set()).add(origin)
    return tuple(
        next(iter(found)) for name, found in sorted(origins.items()) if len(found) == 1 and name != "*"
    )


def _imports(nodes: Sequence[ast.AST]) -> dict[str, str]:
    """For each name that one of `nodes` imports, the statement that imports it alone."""
    found: dict[str, str] = {}
    for node in nodes:
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and not node.level
            and node.module != "__future__"
        ):
            for alias in node.names:
                name = alias.asname or alias.name
                bound = f"{alias.name} as {name}" if name != "*" else name
                found[name] = f"from {node.module} import {bound}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name
                found[name] = f"import {alias.name}{f' as {name}' if alias.asname else ''}"
    return found


def _parsed(piece: Piece) -> Piece | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(piece.source)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return replace(piece, source=piece.source.rstrip("\n"))
