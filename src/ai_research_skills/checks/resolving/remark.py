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
    """Why a line of a page is not resolved: it drifted from the release, or nobody can tell.

    Attributes:
        suggestion: What to write instead, or where the thing now lives; empty if nobody knows.
        is_unpinned: Whether it is drift only because no distribution of the pins has the module.
        package: Of drift: the top-level module that does not have it, empty where it is nobody's.
    """

    example: Example
    line: int
    verdict: Verdict
    text: str
    suggestion: str = ""
    is_unpinned: bool = False
    package: str = ""

    @property
    def use(self) -> str:
        """The use in question, as a waiver names it."""
        return self.text.partition("`")[2].partition("`")[0]
