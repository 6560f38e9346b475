"""How one skill stands: its tier, what it lacks, and the evidence of each example."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ai_research_skills.catalog.evidence import (
    Finding,
    Level,
    SkillEvidence,
    checked_examples,
    fresh_findings,
    required_level,
)
from ai_research_skills.catalog.example import Example, Mark
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.tree import Tree
from ai_research_skills.coverage.tier import Rule, Tier, missing_for_next, tier_of, tier_rules


@dataclass(frozen=True)
class Standing:
    """A skill with everything that is computed about it.

    Attributes:
        levels: Every example with its level; one without a fresh finding is at level 0.
        findings: What the record says of the examples for which it still holds.
        record: The record of the skill, fresh or not.
    """

    skill: Skill
    levels: tuple[tuple[Example, Level], ...]
    rules: tuple[Rule, ...]
    findings: Mapping[Example, Finding]
    record: SkillEvidence | None

    @cached_property
    def tier(self) -> Tier:
        return tier_of(self.rules)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        return missing_for_next(self.rules)

    @cached_property
    def level_counts(self) -> Mapping[Level, int]:
        counts = Counter(level for _, level in self.levels)
        return {level: counts[level] for level in Level}

    @cached_property
    def highest_level(self) -> Level:
        return max((level for _, level in self.levels), default=Level.STATED)

    @cached_property
    def proven(self) -> int:
        """The examples that reached the level that their language can reach without being run."""
        return sum(level >= required_level(example) for example, level in self.levels)

    @cached_property
    def executed(self) -> int:
        return sum(level >= Level.EXECUTED for _, level in self.levels)

    @cached_property
    def checked(self) -> dt.date | None:
        """The day of the newest finding that still holds."""
        return max((finding.checked for finding in self.findings.values()), default=None)

    @cached_property
    def claims(self) -> tuple[str, ...]:
        """What holds of every example, strongest last, each with all before it; nothing of a skill without any."""
        if not self.levels or self.proven < len(self.levels):
            return ()
        lacking = [
            example
            for example, level in self.levels
            if example.language == "python" and level < Level.EXECUTED
        ]
        if not self.executed or any(example.mark != Mark.GPU for example in lacking):
            return (EVERY_RESOLVED,)
        claims = (EVERY_RESOLVED, EVERY_EXECUTED_ON_CPU)
        return claims if lacking else (*claims, EVERY_EXECUTED)


EVERY_RESOLVED = "at least resolved"
"""A diff or a configuration names nothing of a release, so that it need only parse."""

EVERY_EXECUTED_ON_CPU = "executed unless for a GPU"
EVERY_EXECUTED = "executed"
"""Both are said of Python: no shell command is executed."""


def standings(tree: Tree, as_of: dt.date) -> dict[str, Standing]:
    """The standing of every skill of `tree`, by name."""
    return {skill.name: _standing(tree, skill, as_of) for skill in tree.skills}


def _standing(tree: Tree, skill: Skill, as_of: dt.date) -> Standing:
    record = tree.evidence.get(skill.name)
    findings = fresh_findings(skill, record)
    levels = tuple(
        (example, findings[example].level if example in findings else Level.STATED)
        for example, _ in checked_examples(skill)
    )
    return Standing(skill, levels, tier_rules(skill, levels, as_of), findings, record)
