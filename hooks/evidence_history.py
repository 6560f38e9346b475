"""How the evidence grew: the levels at the end of each day, read from git's history of the records.

It depends on the commit alone, and on how much of its history is there: no clock, no cache, no network.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.evidence import FOLDER, Level
from hooks.git import git_output

MOST_DAYS = 60
"""Days that are kept, the newest ones: they are what a chart can show and a build can afford to read."""


@dataclass(frozen=True)
class Day:
    """The examples by level, as the records of the last commit of a day have them."""

    date: dt.date
    levels: Mapping[Level, int]


@dataclass(frozen=True)
class History:
    """The days on which records changed, oldest first.

    Attributes:
        is_whole: Whether the first day is the first one ever; not so in a shallow clone.
    """

    days: tuple[Day, ...] = ()
    is_whole: bool = True


def evidence_history(root: Path) -> History:
    """The history of the records of the tree at `root`; empty outside git."""
    logged = git_output(
        root,
        *("-c", "log.showSignature=false", "log", "--first-parent", "-m", "--reverse", "--format=%x00%cs"),
        *("--raw", "--no-abbrev", "--no-renames", "--no-color", "--relative", "--", FOLDER.as_posix()),
    )
    states = _end_of_days((logged or b"").decode(errors="replace"))
    kept = dict(sorted(states.items())[-MOST_DAYS:])
    levels = dict(_levels(root, {blob for state in kept.values() for blob in state}))
    days = tuple(
        Day(date, _total(levels[blob] for blob in state))
        for date, state in kept.items()
        if state and all(blob in levels for blob in state)
    )
    shallow = git_output(root, "rev-parse", "--is-shallow-repository") == b"true\n"
    return History(days, is_whole=not shallow and len(kept) == len(states))


def _end_of_days(logged: str) -> dict[dt.date, tuple[str, ...]]:
    """The blobs of the records that were there at the end of each day."""
    blobs: dict[str, str] = {}
    states: dict[dt.date, tuple[str, ...]] = {}
    day = dt.date.min
    for commit in logged.split("\0")[1:]:
        date, *changes = commit.split("\n")
        # A commit may be dated before its parent; its day is then the parent's.
        day = max(day, dt.date.fromisoformat(date))
        for path, blob in _changes(changes):
            if blob:
                blobs[path] = blob
            else:
                blobs.pop(path, None)
        states[day] = tuple(blobs.values())
    return states


def _changes(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each record that a commit touched with its new blob, which is empty where the record was removed."""
    for line in lines:
        facts, _, path = line.partition("\t")
        if path.endswith(".json"):
            _, _, _, blob, status = facts.split(" ")
            yield path, "" if status == "D" else blob


def _levels(root: Path, blobs: Iterable[str]) -> Iterator[tuple[str, Counter[Level]]]:
    """The examples by level of each record that can be read, whatever shape records had then."""
    wanted = sorted(blobs)
    if not wanted:
        return
    data = git_output(root, "cat-file", "--batch", stdin="\n".join([*wanted, ""]).encode()) or b""
    position = 0
    while position < len(data):
        end = data.index(b"\n", position)
        header = data[position:end].decode().split(" ")
        position = end + 1
        if len(header) != 3:
            continue
        size = int(header[2])
        yield header[0], _counted(data[position : position + size])
        position += size + 1


def _counted(record: bytes) -> Counter[Level]:
    try:
        return Counter(Level(finding["level"]) for finding in json.loads(record)["findings"])
    except (ValueError, KeyError, TypeError):
        return Counter()


def _total(levels: Iterable[Counter[Level]]) -> Mapping[Level, int]:
    total: Counter[Level] = Counter()
    for counts in levels:
        total.update(counts)
    return {level: total[level] for level in Level}
