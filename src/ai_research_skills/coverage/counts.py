"""Counts of what is written against what is planned, each with the list that it counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.library_roadmap import (
    DocumentNumber,
    Figure,
    Goal,
    LibraryRoadmap,
    Measure,
    PlanPhase,
    SkillPlan,
)
from ai_research_skills.catalog.skill import Lifecycle, Skill
from ai_research_skills.coverage.standing import Standing
from ai_research_skills.coverage.tier import Tier

FRESHNESS = (("within 90 days", 90), ("within a year", 365), ("older than a year", 100_000))


EVIDENCE_AGES = (
    ("within 30 days", 30),
    ("within 90 days", 90),
    ("within a year", 365),
    ("older than a year", 100_000),
)
NO_EVIDENCE = "stale or never checked"


@dataclass(frozen=True)
class Coverage:
    """A set of planned skills and those of it that are written.

    Attributes:
        id: Id of the category, section or phase.
        planned: Names of all skills of the set.
        written: Names of those that exist, a part of `planned` and of what stands outside the plan.
    """

    id: str
    title: str
    planned: tuple[str, ...]
    written: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(set(self.planned) | set(self.written))

    @property
    def share(self) -> float:
        """Written share, 0 to 1; an empty set is not covered."""
        return len(self.written) / self.total if self.total else 0.0


def by_category(roadmap: LibraryRoadmap, skills: Sequence[Skill]) -> tuple[Coverage, ...]:
    """One row a category, in the order of the folders."""
    return tuple(
        Coverage(
            category.id,
            category.title,
            tuple(plan.name for plan in roadmap.skills_in(category.id)),
            tuple(skill.name for skill in skills if skill.category == category.id),
        )
        for category in roadmap.categories
    )


def by_section(roadmap: LibraryRoadmap, skills: Sequence[Skill]) -> tuple[Coverage, ...]:
    """One row a section; a skill counts in every section that it serves."""
    return tuple(
        _coverage(section.id, section.title, roadmap.skills_for(section.id), skills)
        for section in roadmap.sections
    )


def by_phase(
    roadmap: LibraryRoadmap, number: DocumentNumber, skills: Sequence[Skill]
) -> tuple[tuple[PlanPhase, Coverage], ...]:
    """One row a phase of the document with this number."""
    return tuple(
        (phase, _coverage(str(phase.number), phase.title, _plans(roadmap, phase.skills), skills))
        for phase in roadmap.phases_of(number)
    )


def _plans(roadmap: LibraryRoadmap, names: Iterable[str]) -> tuple[SkillPlan, ...]:
    return tuple(plan for name in names if (plan := roadmap.plan(name)))


def _coverage(id_: str, title: str, plans: Iterable[SkillPlan], skills: Sequence[Skill]) -> Coverage:
    names = tuple(plan.name for plan in plans)
    existing = {skill.name for skill in skills}
    return Coverage(id_, title, names, tuple(name for name in names if name in existing))


def by_tier(standings: Iterable[Standing]) -> Mapping[Tier, tuple[str, ...]]:
    """The written skills of each tier."""
    found = list(standings)
    return {tier: tuple(s.skill.name for s in found if s.tier is tier) for tier in reversed(Tier)}


def by_lifecycle(roadmap: LibraryRoadmap) -> Mapping[Lifecycle, tuple[str, ...]]:
    """All skills of the plan by the state of the tool that they teach."""
    return {
        lifecycle: tuple(plan.name for plan in roadmap.skills if plan.lifecycle is lifecycle)
        for lifecycle in Lifecycle
    }


def by_level(standings: Iterable[Standing]) -> Mapping[Level, Mapping[str, int]]:
    """For each level of evidence, how many examples of which skill reached it."""
    found = list(standings)
    return {
        level: {s.skill.name: s.level_counts[level] for s in found if s.level_counts[level]}
        for level in reversed(Level)
    }


def levels_by_category(standings: Iterable[Standing]) -> Mapping[str, Mapping[Level, int]]:
    """The examples of each category that has some, by level; categories in the order of their folders."""
    found: dict[str, Counter[Level]] = {}
    for standing in sorted(standings, key=lambda standing: standing.skill.category):
        if standing.levels:
            found.setdefault(standing.skill.category, Counter()).update(standing.level_counts)
    return {category: {level: counts[level] for level in Level} for category, counts in found.items()}


def by_evidence_age(standings: Iterable[Standing], as_of: dt.date) -> Mapping[str, int]:
    """The examples by the age of what was found about them, in days before `as_of`."""
    groups = dict.fromkeys((*(label for label, _ in EVIDENCE_AGES), NO_EVIDENCE), 0)
    for standing in standings:
        for example, _ in standing.levels:
            finding = standing.findings.get(example)
            age = (as_of - finding.checked).days if finding else None
            groups[
                next((label for label, days in EVIDENCE_AGES if age is not None and age <= days), NO_EVIDENCE)
            ] += 1
    return groups


def slowest(standings: Iterable[Standing], count: int) -> tuple[tuple[Standing, Example, float], ...]:
    """The examples that took longest to run, with their seconds."""
    timed = [
        (standing, example, finding.seconds)
        for standing in standings
        for example, finding in standing.findings.items()
        if finding.seconds is not None
    ]
    return tuple(
        sorted(timed, key=lambda row: (-row[2], row[0].skill.name, row[1].path, row[1].line))[:count]
    )


def by_freshness(skills: Iterable[Skill], as_of: dt.date) -> Mapping[str, tuple[str, ...]]:
    """The written skills by the age of their last review on the day `as_of`."""
    groups: dict[str, list[str]] = {label: [] for label in (*(name for name, _ in FRESHNESS), "never")}
    for skill in skills:
        reviewed = skill.metadata.reviewed
        age = (as_of - reviewed).days if reviewed else None
        label = next((name for name, days in FRESHNESS if age is not None and age <= days), "never")
        groups[label].append(skill.name)
    return {label: tuple(names) for label, names in groups.items()}


def section_share(roadmap: LibraryRoadmap, sections: Iterable[str], skills: Sequence[Skill]) -> float:
    """Percentage of the skills planned for `sections` that are written."""
    names = {plan.name for section in sections for plan in roadmap.skills_for(section)}
    existing = {skill.name for skill in skills}
    return 100 * len(names & existing) / len(names) if names else 0.0


def measured(goal: Goal, roadmap: LibraryRoadmap, standings: Sequence[Standing]) -> float | None:
    """The computed value that stands beside a declared one; None where the tree cannot tell."""
    skills = [standing.skill for standing in standings]
    match goal.measure:
        case Measure.SKILLS_TOTAL:
            return len(skills)
        case Measure.SECTION_COVERAGE:
            return section_share(roadmap, goal.sections, skills)
        case Measure.GOLD_SKILLS:
            return sum(standing.tier is Tier.GOLD for standing in standings)
        case Measure.AVERAGE_LINES:
            return sum(skill.raw.count("\n") for skill in skills) / len(skills) if skills else 0.0
        case Measure.DOCUMENTATION_LINES:
            pages = [page.text for skill in skills for page in skill.references]
            return sum(text.count("\n") for text in [*(skill.raw for skill in skills), *pages])
        case Measure.EXTERNAL:
            return None


def figures(roadmap: LibraryRoadmap, standings: Sequence[Standing]) -> Mapping[Figure, float]:
    """Every computed figure that a contradiction may name."""
    skills = [standing.skill for standing in standings]
    return {
        **roadmap.figures,
        Figure.SKILLS_TOTAL: len(skills),
        Figure.SECTION_COVERAGE: section_share(roadmap, (s.id for s in roadmap.sections), skills),
        Figure.GOLD_SKILLS: sum(standing.tier is Tier.GOLD for standing in standings),
    }
