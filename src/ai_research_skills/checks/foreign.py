"""What the examples of another library are held against: its pins, or the newest releases that it allows."""

from __future__ import annotations

from collections.abc import Sequence

from ai_research_skills.catalog.evidence import SkillEvidence
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.bench import ReleasesBench
from ai_research_skills.checks.releases.artifacts import Report
from ai_research_skills.checks.releases.closure import Closure, NoClosure, closure, closure_of_newest
from ai_research_skills.checks.stated_requirements import stated_requirements

PYTHON = "3.12"
"""Most releases of today have a wheel for it, and some want no older one."""


def foreign_bench(
    skill: Skill, record: SkillEvidence | None = None, report: Report | None = None
) -> ReleasesBench:
    """The bench of a skill that may have no pins.

    Raises:
        NoClosure: It names no release that the registry has.
    """
    if skill.metadata.packages:
        pinned = closure(skill.metadata.packages, skill.metadata.python or PYTHON)
        return ReleasesBench(pinned, installs=False, report=report)
    asked = stated_requirements(skill)
    if not asked:
        raise NoClosure("it names no release that its examples could be held against")
    return ReleasesBench(_newest(asked), installs=False, report=report)


def _newest(asked: Sequence[str]) -> Closure:
    """The newest releases of as many as go together, in the order asked: one bad name must not hide the others."""
    try:
        return closure_of_newest(asked, PYTHON)
    except NoClosure:
        if len(asked) == 1:
            raise
    kept: list[str] = []
    for one in asked:
        try:
            found = closure_of_newest([*kept, one], PYTHON)
        except NoClosure:
            continue
        kept.append(one)
    if not kept:
        raise NoClosure(f"the registry has none of {', '.join(asked)}")
    return found
