"""What moved since the skills were pinned, as it was found when the registry was last asked.

Builds have no network, so this record is what the site shows of it: `docs/evidence/drift.json`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.source import read_source

DRIFT_FILE = Path("docs/evidence/drift.json")


class Step(StrEnum):
    """The first part of the version that differs. What it promises, each project decides for itself."""

    NONE = ""
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


class RecordedPin(BaseModel):
    """One pin and what is newer.

    Attributes:
        newest: The newest release by itself; None if nobody told.
        together: The newest that goes together with the newest of the other pins, if the pin could be raised to it.
        step: From the pin to `newest`.
        released: The day on which `newest` came out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pin: str
    newest: str | None = None
    together: str | None = None
    step: Step = Step.NONE
    released: dt.date | None = None


class RecordedBreak(BaseModel):
    """What the examples of one page use and the newer releases do not have.

    Attributes:
        page: The page, relative to the skill's folder.
        uses: How often the page does.
        is_certain: Whether it is gone; else nobody can tell any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: str
    text: str
    uses: int = Field(default=1, ge=1)
    is_certain: bool = True


class DriftEntry(BaseModel):
    """What was found about one skill.

    Attributes:
        asked: The day of the answers.
        pins: The pins that the skill had, in its order.
        breaks: What would break with the newest releases that go together.
        repinnable: Whether the skill can be pinned to those as it stands; None if its examples were not held
            against them, or if there are none.
        concerns: What is wrong with a distribution, such as a pin that was yanked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: dt.date
    pins: tuple[RecordedPin, ...]
    breaks: tuple[RecordedBreak, ...] = ()
    repinnable: bool | None = None
    concerns: tuple[str, ...] = ()

    def is_of(self, skill: Skill) -> bool:
        """Whether it is about the pins that `skill` has now; else it is stale."""
        return tuple(one.pin for one in self.pins) == tuple(map(str, skill.metadata.packages))

    @property
    def steps(self) -> Counter[Step]:
        """How many pins have a newer release, by the step to it."""
        return Counter(one.step for one in self.pins if one.step)

    def count_broken(self, *, for_certain: bool) -> int:
        """How many uses would break, or else how many may."""
        return sum(one.uses for one in self.breaks if one.is_certain is for_certain)


class DriftRecord(BaseModel):
    """Every skill that was asked about, by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skills: dict[str, DriftEntry] = {}

    def fresh(self, skill: Skill) -> DriftEntry | None:
        """The entry of `skill`, unless it is stale or was never made."""
        entry = self.skills.get(skill.name)
        return entry if entry and entry.is_of(skill) else None


def load_drift(root: Path) -> tuple[DriftRecord | None, tuple[Problem, ...]]:
    """Read the record of the tree at `root`; most trees have none."""
    path = root / DRIFT_FILE
    if not path.is_file():
        return None, ()
    source = read_source(root, path)
    try:
        return DriftRecord.model_validate_json(source.text), source.problems
    except ValidationError as error:
        message = f"is no record of drift: {error.errors()[0]['msg']}"
        mend = "remove it, and run `ai-skills outdated --write`"
        return None, (*source.problems, Problem(source.path, 0, message, mend))
