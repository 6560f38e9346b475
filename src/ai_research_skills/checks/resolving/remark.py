"""What keeps an example from being resolved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ai_research_skills.catalog.example import Example


class Verdict(Enum):
    """What is known about a thing that an example uses."""

    VERIFIED = auto()
    UNVERIFIED = auto()
    DRIFT = auto()


@dataclass(frozen=True)
class Remark:
    """Why a line of a page is not resolved: it drifted from the release, or nobody can tell."""

    example: Example
    line: int
    verdict: Verdict
    text: str
