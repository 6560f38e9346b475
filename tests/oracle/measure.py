"""Oracle and checker side by side."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ai_research_skills.checks.running.isolated import OFFLINE
from tests.oracle.checker import Said, check
from tests.oracle.pages import Block, draw, half
from tests.oracle.reading import Use

KINDS = ("import", "keyword", "attribute")
REPOSITORY = Path(__file__).parents[2]
ADJUDICATIONS = Path(__file__).with_name("adjudications.json")

Judged = list[tuple[int, Use]]
"""Uses, each with the number of its block."""


@dataclass(frozen=True)
class Compared:
    """One use with both answers.

    Attributes:
        place: Page and line of the page.
        said: The checker's verdict, and its words.
    """

    place: str
    half: str
    use: Use
    said: str
    words: str

    @property
    def is_missing(self) -> bool:
        return self.use.truth == "missing"


@dataclass(frozen=True)
class Stray:
    """A drift verdict about something that the oracle did not judge."""

    place: str
    symbol: str
    words: str


@dataclass(frozen=True)
class Score:
    """The figures of one kind of use."""

    kind: str
    uses: int
    missing: int
    found: int
    false_alarms: int
    unverified: int
    distinct: int
    distinct_missing: int
    distinct_found: int

    @property
    def precision(self) -> float:
        said = self.found + self.false_alarms
        return self.found / said if said else 1.0

    @property
    def recall(self) -> float:
        return self.found / self.missing if self.missing else 1.0


@dataclass(frozen=True)
class Study:
    """All that one run has found.

    Attributes:
        doubtful: Drift verdicts on uses that the oracle cannot decide; nobody knows whether they are false alarms.
    """

    compared: tuple[Compared, ...]
    doubtful: tuple[Compared, ...]
    strays: tuple[Stray, ...]
    undecided: Mapping[str, int]
    reasons: Mapping[str, int]

    def scores(self, half: str = "AB") -> list[Score]:
        chosen = [one for one in self.compared if one.half in half]
        kinds = [(kind, [one for one in chosen if one.use.kind == kind]) for kind in KINDS]
        return [score(kind, uses) for kind, uses in (*kinds, ("all", chosen))]

    @property
    def misses(self) -> list[Compared]:
        return [one for one in self.compared if one.is_missing and one.said != "drift"]

    @property
    def false_alarms(self) -> list[Compared]:
        return [one for one in self.compared if not one.is_missing and one.said == "drift"]

    def as_json(self) -> dict[str, Any]:
        scores = {
            part: [
                asdict(one) | {"precision": one.precision, "recall": one.recall} for one in self.scores(part)
            ]
            for part in ("A", "B", "AB")
        }
        return {
            "scores": scores,
            "undecided": self.undecided,
            "undecided_reasons": self.reasons,
            "misses": [_entry(one) for one in self.misses],
            "false_alarms": [_entry(one) for one in self.false_alarms],
            "doubtful": [_entry(one) for one in self.doubtful],
            "packages": dict(sorted(Counter(one.use.package for one in self.compared).items())),
            "strays": [asdict(one) for one in self.strays],
        }


def _entry(one: Compared) -> dict[str, Any]:
    return {"place": one.place, "half": one.half, **asdict(one.use), "said": one.said, "words": one.words}


def score(kind: str, uses: Sequence[Compared]) -> Score:
    """The figures of `uses`."""
    missing = [one for one in uses if one.is_missing]
    found = [one for one in missing if one.said == "drift"]
    return Score(
        kind,
        len(uses),
        len(missing),
        len(found),
        sum(not one.is_missing and one.said == "drift" for one in uses),
        sum(one.said == "unverified" for one in uses),
        len(_symbols(uses)),
        len(_symbols(missing)),
        len(_symbols(found)),
    )


def _symbols(uses: Iterable[Compared]) -> set[tuple[str, str]]:
    return {(one.use.package, one.use.target) for one in uses}


def judged_uses(
    blocks: Sequence[Block], python: Path, packages: frozenset[str], memory: Path | None = None
) -> Judged:
    """What the oracle says, in an interpreter of the environment; `memory` keeps it for the next run."""
    if memory and memory.is_file():
        found = json.loads(memory.read_text(encoding="utf-8"))
    else:
        found = _ask(blocks, python, packages)
        if memory:
            memory.write_text(json.dumps(found), encoding="utf-8")
    settled = _adjudicated()
    uses = [(number, Use(**use)) for number, block in enumerate(found) for use in block]
    return [(number, settled.get((use.kind, use.target), lambda one: one)(use)) for number, use in uses]


def _ask(blocks: Sequence[Block], python: Path, packages: frozenset[str]) -> list[list[dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        given, answer, work = Path(folder, "given.json"), Path(folder, "found.json"), Path(folder, "work")
        work.mkdir()
        asked = [{"source": block.example.source, "prelude": block.prelude} for block in blocks]
        given.write_text(json.dumps({"packages": sorted(packages), "blocks": asked}), encoding="utf-8")
        command = [str(python.absolute()), "-m", "tests.oracle.judge", str(given), str(answer)]
        environment = {**os.environ, **OFFLINE, "PYTHONPATH": str(REPOSITORY), "MPLBACKEND": "agg"}
        subprocess.run(
            command, cwd=work, env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr, check=True
        )
        return list(json.loads(answer.read_text(encoding="utf-8")))


def _adjudicated() -> Mapping[tuple[str, str], Any]:
    """What was settled by hand: by kind and address, what to make of the oracle's answer."""
    if not ADJUDICATIONS.is_file():
        return {}
    entries = json.loads(ADJUDICATIONS.read_text(encoding="utf-8"))
    return {
        (entry["kind"], entry["target"]): (
            lambda use, entry=entry: replace(use, truth=entry["truth"], how=f"by hand: {entry['reason']}")
        )
        for entry in entries
    }


def drawn(judged: Judged, blocks: Sequence[Block], sample: int, seed: int) -> Judged:
    """`sample` uses, spread as evenly over packages as their numbers allow; 0 takes all."""
    if not sample or sample >= len(judged):
        return judged
    strata: dict[str, Judged] = defaultdict(list)
    for number, use in judged:
        strata[use.package].append((number, use))
    for package, uses in strata.items():
        uses.sort(
            key=lambda one: draw(seed, package, blocks[one[0]].page, blocks[one[0]].example.line, one[1])
        )
    order = sorted((position, package) for package, uses in strata.items() for position in range(len(uses)))
    return [strata[package][position] for position, package in order[:sample]]


def measured(
    blocks: Sequence[Block],
    judged: Judged,
    python: Path,
    *,
    sample: int,
    seed: int,
    half: str = "AB",
    is_static: bool = False,
) -> Study:
    """Draw from the uses that the oracle could decide, ask the checker about their blocks, and compare."""
    mine = [(number, use) for number, use in judged if _half(seed, blocks[number]) in half]
    decided = [(number, use) for number, use in mine if use.truth != "uncertain"]
    undecided = Counter(use.kind for _, use in mine if use.truth == "uncertain")
    reasons = Counter(f"{use.kind}: {use.how}" for _, use in mine if use.truth == "uncertain")
    chosen = drawn(decided, blocks, sample, seed)
    numbers = sorted({number for number, _ in chosen})
    asked = [blocks[number] for number in numbers]
    said = dict(zip(numbers, check(asked, python, is_static=is_static), strict=True))
    compared = tuple(_compared(blocks[number], use, said[number], seed) for number, use in chosen)
    known: dict[int, list[Use]] = defaultdict(list)
    for number, use in judged:
        known[number].append(use)
    strays = tuple(
        stray for number in numbers for stray in _strays(blocks[number], said[number], known[number])
    )
    doubtful = tuple(
        one
        for number, use in mine
        if use.truth == "uncertain" and number in said
        for one in [_compared(blocks[number], use, said[number], seed)]
        if one.said == "drift"
    )
    return Study(compared, doubtful, strays, dict(undecided), dict(reasons.most_common()))


def _half(seed: int, block: Block) -> str:
    return half(seed, block.page)


def _compared(block: Block, use: Use, said: Said, seed: int) -> Compared:
    verdict, words = said.get((use.line, use.symbol), ("verified", ""))
    if use.kind == "keyword" and verdict != "drift" and use.truth == "missing":
        whole = f"{use.symbol.rpartition('(')[0]}(...)"
        verdict, words = said.get((use.line, whole), (verdict, words))
    if verdict == "unpinned" and use.truth != "uncertain":
        verdict = "drift"
    place = f"{block.page}:{block.example.line + use.line}"
    return Compared(place, _half(seed, block), use, verdict, words)


def _strays(block: Block, said: Said, uses: Sequence[Use]) -> Iterable[Stray]:
    """What the checker denies and the oracle did not judge, but for what follows from a thing that is missing."""
    judged = {(use.line, use.symbol) for use in uses}
    gone = [use for use in uses if use.truth == "missing"]
    names = {use.symbol.rpartition(".")[2] for use in gone if use.kind == "import"}
    chains = tuple(use.symbol for use in gone if use.kind == "attribute")
    calls = {(use.line, f"{use.symbol.rpartition('(')[0]}(...)") for use in gone if use.kind == "keyword"}
    for (line, symbol), (verdict, words) in said.items():
        follows = (
            re.split(r"[.(\[]", symbol)[0] in names or symbol.startswith(chains) or (line, symbol) in calls
        )
        if verdict == "drift" and (line, symbol) not in judged and not follows:
            yield Stray(f"{block.page}:{block.example.line + line}", symbol, words)
