"""The evidence of a whole library in one document, for machines: `evidence/summary.json` on the site."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from ai_research_skills.catalog.evidence import RULES, Level
from ai_research_skills.coverage.standing import Standing
from ai_research_skills.coverage.tier import Tier

LEVEL_NAMES = {
    Level.STATED: "stated",
    Level.PARSED: "parsed",
    Level.RESOLVED: "resolved",
    Level.EXECUTED: "executed",
    Level.EXECUTED_ON_GPU: "executed_on_gpu",
}
"""The levels as keys, which stay what they are when a label changes."""


class SkillSummary(BaseModel):
    """The evidence of one skill.

    Attributes:
        name: The skill's id. `skills/NAME/` is its page, `evidence/skills/NAME.json` its record and
            `badges/NAME.svg` its badge, each below the address of the site.
        pins: The releases that the skill names, as `name==version`.
        absent: Those of the pins that were read and not installed.
        python: Version of Python that the examples were held against; empty where there is no record.
        checked: Day of the newest finding that still holds.
        examples: Number of code examples; what shows an output is not counted.
        levels: How many examples reached which level at most.
        proven: How many reached the level that gold asks of their language.
        stale: How many have no finding that still holds; they count as stated.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    category: str
    tier: Tier
    pins: tuple[str, ...]
    absent: tuple[str, ...]
    python: str
    checked: dt.date | None
    examples: int
    levels: Mapping[str, int]
    proven: int
    stale: int


class EvidenceSummary(BaseModel):
    """The evidence of every skill of a library.

    Attributes:
        rules: Version of the rules by which examples are checked.
        as_of: Day of the commit that was counted.
        examples: Number of code examples of all skills.
        levels: How many of them reached which level at most.
        skills: Every skill, by name.
    """

    model_config = ConfigDict(frozen=True)

    rules: int
    as_of: dt.date
    examples: int
    levels: Mapping[str, int]
    skills: tuple[SkillSummary, ...]


def evidence_summary(standings: Iterable[Standing], as_of: dt.date) -> EvidenceSummary:
    """Sum up `standings` as they were on the day `as_of`."""
    skills = tuple(sorted((_skill_summary(standing) for standing in standings), key=lambda skill: skill.name))
    return EvidenceSummary(
        rules=RULES,
        as_of=as_of,
        examples=sum(skill.examples for skill in skills),
        levels={name: sum(skill.levels[name] for skill in skills) for name in LEVEL_NAMES.values()},
        skills=skills,
    )


def _skill_summary(standing: Standing) -> SkillSummary:
    record, skill = standing.record, standing.skill
    return SkillSummary(
        name=skill.name,
        title=skill.title,
        category=skill.category,
        tier=standing.tier,
        pins=tuple(map(str, skill.metadata.packages)),
        absent=record.absent if record else (),
        python=record.python if record else "",
        checked=standing.checked,
        examples=len(standing.levels),
        levels={name: standing.level_counts[level] for level, name in LEVEL_NAMES.items()},
        proven=standing.proven,
        stale=len(standing.levels) - len(standing.findings),
    )
