"""What was found about the examples of a skill, read from `docs/evidence/skills/`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.source import read_source

FOLDER = Path("docs/evidence/skills")


class Level(IntEnum):
    """How much was found true of an example; the ladder of the project."""

    STATED = 0
    PARSED = 1
    RESOLVED = 2
    EXECUTED = 3
    EXECUTED_ON_GPU = 4

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", " ").replace("gpu", "GPU")


class Finding(BaseModel):
    """The level that one example reached, keyed by the hash of its source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: str
    line: int
    sha256: str
    level: Level
    seconds: float | None = None


class SkillEvidence(BaseModel):
    """One record: every example of one skill, checked on one day against one set of pins."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    skill: str
    pins: tuple[str, ...]
    python: str
    platform: str
    absent: tuple[str, ...] = ()
    checked: dt.date
    findings: tuple[Finding, ...]


def evidence_path(name: str) -> Path:
    """Where the record of the skill `name` lies, relative to the root."""
    return FOLDER / f"{name}.json"


def load_evidence(root: Path) -> tuple[dict[str, SkillEvidence], tuple[Problem, ...]]:
    """Read every record below `root`, by skill."""
    records: dict[str, SkillEvidence] = {}
    problems: list[Problem] = []
    for path in sorted((root / FOLDER).glob("*.json")):
        source = read_source(root, path)
        problems += source.problems
        try:
            record = SkillEvidence.model_validate_json(source.text)
        except ValidationError as error:
            mend = f"run `ai-skills check {path.stem} --write`"
            problems.append(
                Problem(source.path, 0, f"is no evidence record: {error.errors()[0]['msg']}", mend)
            )
            continue
        records[record.skill] = record
    return records, tuple(problems)


def example_levels(skill: Skill, record: SkillEvidence | None) -> tuple[tuple[Example, Level], ...]:
    """Every example of `skill` with its level; a record of other pins or another source is stale: level 0."""
    pins = tuple(map(str, skill.metadata.packages))
    fresh: Mapping[tuple[str, str], Level] = {}
    if record and record.pins == pins:
        fresh = {(finding.page, finding.sha256): finding.level for finding in record.findings}
    return tuple(
        (example, fresh.get((page_key(skill, example), example.sha256), Level.STATED))
        for page in skill.pages
        for example in page_examples(page)
        if example.language not in OUTPUT_LANGUAGES
    )


OUTPUT_LANGUAGES = frozenset({"text", "console", "output"})
"""Fences that show what a program printed: nothing to check, so they are not counted as examples."""


RESOLVABLE = frozenset({"python", "bash", "sh"})
"""Languages whose examples name things of a release. A diff or a YAML file says no more than that it parses."""


def required_level(example: Example) -> Level:
    """The level that an example of a gold skill must reach: the highest that holds without running anything."""
    return Level.RESOLVED if example.language in RESOLVABLE else Level.PARSED


def page_key(skill: Skill, example: Example) -> str:
    """The page of an example as records name it, relative to the skill's folder."""
    return example.path.relative_to(skill.folder).as_posix()
