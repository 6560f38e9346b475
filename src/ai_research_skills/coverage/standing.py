"""How one skill stands: its tier, what it lacks, and the level of each example."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ai_research_skills.catalog.evidence import Level, example_levels
from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.tree import Tree
from ai_research_skills.coverage.tier import Rule, Tier, missing_for_next, tier_of, tier_rules


@dataclass(frozen=True)
class Standing:
    """A skill with everything that is computed about it."""

    skill: Skill
    levels: tuple[tuple[Example, Level], ...]
    rules: tuple[Rule, ...]

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


def standings(tree: Tree, as_of: dt.date) -> dict[str, Standing]:
    """The standing of every skill of `tree`, by name."""
    return {skill.name: _standing(tree, skill, as_of) for skill in tree.skills}


def _standing(tree: Tree, skill: Skill, as_of: dt.date) -> Standing:
    levels = example_levels(skill, tree.evidence.get(skill.name))
    return Standing(skill, levels, tier_rules(skill, levels, as_of))
