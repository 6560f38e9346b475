"""The examples that ask for attention: what each lacks, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ai_research_skills.catalog.evidence import RULES, SkillEvidence, page_key, required_level
from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.coverage.standing import Standing


class Lack(StrEnum):
    """What keeps an example from counting in full."""

    FAULT = "does not hold"
    STALE = "stale"
    BELOW = "below its level"
    WAIVED = "vouched for"


@dataclass(frozen=True)
class Unproven:
    """One example and one reason.

    Attributes:
        reason: In the words of the record; text of a skill may be in it.
    """

    standing: Standing
    example: Example
    lack: Lack
    reason: str


def unproven(standings: Iterable[Standing]) -> tuple[Unproven, ...]:
    """What every example of `standings` lacks, the worst first, else in the order of the pages."""
    found = [lacking for standing in standings for lacking in _of_skill(standing)]
    return tuple(sorted(found, key=lambda lacking: list(Lack).index(lacking.lack)))


def _of_skill(standing: Standing) -> Iterator[Unproven]:
    for example, level in standing.levels:
        finding = standing.findings.get(example)
        if finding is None:
            yield Unproven(
                standing, example, Lack.STALE, stale_reason(standing.skill, standing.record, example)
            )
            continue
        if finding.fault:
            yield Unproven(standing, example, Lack.FAULT, finding.fault)
        elif level < required_level(example):
            yield Unproven(standing, example, Lack.BELOW, finding.why)
        for waived in finding.waived:
            yield Unproven(standing, example, Lack.WAIVED, waived)


def stale_reason(skill: Skill, record: SkillEvidence | None, example: Example) -> str:
    """Why `record` says nothing that still holds of `example`."""
    if record is None:
        return "not checked yet"
    if record.rules != RULES:
        return "checked by older rules"
    if record.pins != tuple(map(str, skill.metadata.packages)):
        return "the pins changed since it was checked"
    wanted = skill.metadata.python
    if wanted and not f"{record.python}.".startswith(f"{wanted}."):
        return "the Python version changed since it was checked"
    page = page_key(skill, example)
    known = {(finding.page, finding.sha256) for finding in record.findings}
    if (page, example.sha256) in known:
        return "something above it changed since it was checked"
    return "changed since it was checked" if any(page == other for other, _ in known) else "not checked yet"
