"""The code under test, behind one door: what it says of each use of some blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.resolving.programs import Joins, Piece, Program
from ai_research_skills.checks.resolving.python import Releases, resolve
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from tests.oracle.pages import Block

BATCH = 120
"""Blocks that are put to the checker at once: about as many as a large skill has."""

Said = dict[tuple[int, str], tuple[str, str]]
"""By line of the block and symbol: `drift`, `unverified` or `unpinned` (a package that the environment lacks), and the
words. What is not in it is verified."""

_VERDICTS = {Verdict.DRIFT: "drift", Verdict.UNVERIFIED: "unverified"}
_TEXT = re.compile(r"`(?P<symbol>[^`]*)`: (?P<words>.*)", re.DOTALL)
_UNDEFINED = "used when not defined"


def check(blocks: Sequence[Block], python: Path, *, is_static: bool = False) -> list[Said]:
    """What the checker says of each block, taken as a program of its own behind its prelude.

    Args:
        blocks: The blocks.
        python: Interpreter of the environment with the releases.
        is_static: Whether the installed packages may not be asked: what a reader of their files can find.
    """
    releases = Releases(python.parent.parent) if is_static else Releases.installed(python)
    found: list[Said] = []
    starts = range(0, len(blocks), BATCH)
    for start in track(starts, "The checker looks", console=Console(stderr=True), transient=True):
        found += _check(blocks[start : start + BATCH], releases)
    return found


def _check(blocks: Sequence[Block], releases: Releases) -> list[Said]:
    examples = [replace(block.example, index=number) for number, block in enumerate(blocks)]
    programs = [
        Program(example.path, (_piece(example),), block.prelude)
        for example, block in zip(examples, blocks, strict=True)
    ]
    found: list[Said] = [{} for _ in blocks]
    for remark, symbol, words in _spoken(resolve(programs, frozenset(examples), releases, {})):
        said = found[remark.example.index]
        key = (remark.line - remark.example.line, symbol)
        if said.get(key, ("", ""))[0] != "drift":
            said[key] = ("unpinned" if remark.is_unpinned else _VERDICTS[remark.verdict], words)
    return found


def _piece(example: Example) -> Piece:
    return Piece(example, example.source.rstrip("\n"), example.line + 1, Joins.ISOLATED)


def _spoken(remarks: Sequence[Remark]) -> Iterator[tuple[Remark, str, str]]:
    """The remarks with their symbols, but for those about names that the foreign page does not define."""
    for remark in remarks:
        match = _TEXT.match(remark.text)
        if _UNDEFINED not in remark.text:
            yield remark, *((match["symbol"], match["words"]) if match else ("", remark.text))
