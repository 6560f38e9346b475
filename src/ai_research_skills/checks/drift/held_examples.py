"""Which examples of a skill a newer set of releases would break."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Pin, Skill

_RELEASE = re.compile(r"[A-Za-z0-9][\w.-]*==[^\s,)]+")
_SYMBOL = re.compile(r"`([^`]+)`")


class CannotHold(Exception):
    """The examples cannot be held against these releases here; the text says why."""


@dataclass(frozen=True)
class ResolvedAt:
    """What holding the examples of a skill against a set of releases gave.

    Attributes:
        problems: What the releases do not have.
        open: What nobody can tell whether they have it.
        level_counts: How many examples reached which level, by its label.
        lock: The releases that the pins resolve to, as `name==version`.
        sources: Folders in which the Python files of these releases lie, packages at the top.
    """

    problems: tuple[Problem, ...]
    level_counts: Mapping[str, int] = field(default_factory=dict)
    lock: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    open: tuple[Problem, ...] = ()


Resolver = Callable[[Skill, tuple[Pin, ...]], ResolvedAt]
"""Holds the examples of a skill against other pins than its own. Raises `CannotHold`."""


@dataclass(frozen=True, order=True)
class Break:
    """One thing of one example that holds at the pins and no longer at the newest releases.

    Attributes:
        is_certain: Whether the newest do not have it; else nobody can tell, as somebody could at the pins.
    """

    path: Path
    line: int
    symbol: str
    message: str
    moves: tuple[str, ...]
    is_certain: bool = True


def breaks(before: ResolvedAt, after: ResolvedAt, moves: Sequence[tuple[Pin, Pin]]) -> tuple[Break, ...]:
    """What `after` complains of and `before` did not; `moves` are the pins that change, old and new."""
    known = {_key(problem) for problem in (*before.problems, *before.open)}
    certain = {_key(problem): problem for problem in after.problems if _key(problem) not in known}
    perhaps = {
        _key(problem): problem for problem in after.open if _key(problem) not in known | certain.keys()
    }
    return tuple(
        sorted(
            _break(problem, moves, is_certain=key in certain) for key, problem in (perhaps | certain).items()
        )
    )


def _key(problem: Problem) -> tuple[Path, int, str]:
    """A message that names releases says the same of others."""
    return problem.path, problem.line, _RELEASE.sub("", problem.message)


def _break(problem: Problem, moves: Sequence[tuple[Pin, Pin]], *, is_certain: bool) -> Break:
    match = _SYMBOL.search(problem.message)
    symbol = match[1] if match else ""
    root = canonicalize_name(symbol.split(".")[0].split()[0] if symbol.split() else "")
    own = [
        move
        for move in moves
        if root and (move[0].distribution == root or move[0].distribution.startswith(f"{root}-"))
    ]
    said = tuple(f"{old} → {new.version}" for old, new in own or moves)
    return Break(problem.path, problem.line, symbol, problem.message, said, is_certain)
