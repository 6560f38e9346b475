"""The tier of a skill: computed from rules, never typed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ai_research_skills.catalog.evidence import Level, required_level
from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.links import dead_links
from ai_research_skills.catalog.skill import Skill

SECTIONS = (
    "When to use it",
    "Install",
    "Quick start",
    "Workflows",
    "Common errors",
    "Performance and memory",
    "Versions",
    "References",
)
REFERENCE_CATEGORIES = ("api", "workflows", "troubleshooting", "performance", "versions")
MINIMUM_LINES = 50
MINIMUM_REFERENCES = 3
GOLD_LINES = 150
REVIEW_EVERY = dt.timedelta(days=365)

Levels = Sequence[tuple[Example, Level]]


class Tier(StrEnum):
    """How complete and how proven a skill is."""

    DRAFT = "draft"
    MINIMUM = "minimum"
    GOLD = "gold"


@dataclass(frozen=True)
class Rule:
    """One condition of a tier, and what is missing where it does not hold."""

    tier: Tier
    holds: bool
    missing: str


def tier_rules(skill: Skill, levels: Levels, as_of: dt.date) -> tuple[Rule, ...]:
    """Every rule of every tier for `skill`; `as_of` is the day that "within the year" counts back from."""
    return (*_minimum_rules(skill, levels), *_gold_rules(skill, levels, as_of))


def tier_of(rules: Sequence[Rule]) -> Tier:
    """The highest tier of which every rule, and every rule below, holds."""
    reached = Tier.DRAFT
    for tier in (Tier.MINIMUM, Tier.GOLD):
        if not all(rule.holds for rule in rules if rule.tier is tier):
            return reached
        reached = tier
    return reached


def missing_for_next(rules: Sequence[Rule]) -> tuple[str, ...]:
    """What stands between the skill and the tier above the one it has."""
    for tier in (Tier.MINIMUM, Tier.GOLD):
        missing = tuple(rule.missing for rule in rules if rule.tier is tier and not rule.holds)
        if missing:
            return missing
    return ()


def _minimum_rules(skill: Skill, levels: Levels) -> Iterator[Rule]:
    def rule(holds: bool, missing: str) -> Rule:
        return Rule(Tier.MINIMUM, holds, missing)

    lines = skill.raw.count("\n")
    yield rule(lines >= MINIMUM_LINES, f"{MINIMUM_LINES} lines in SKILL.md (it has {lines})")
    count = len(skill.references)
    yield rule(count >= MINIMUM_REFERENCES, f"{MINIMUM_REFERENCES} references (it has {count})")
    yield rule(any(_has_comment(example) for example, _ in levels), "a commented code example")
    yield rule(bool(skill.metadata.homepage or skill.metadata.repository), "a link to the official pages")
    yield rule(bool(skill.license), "a licence")


def _has_comment(example: Example) -> bool:
    return re.search(r"(^|\s)(#|//) ?\S", example.source) is not None


def _gold_rules(skill: Skill, levels: Levels, as_of: dt.date) -> Iterator[Rule]:
    def rule(holds: bool, missing: str) -> Rule:
        return Rule(Tier.GOLD, holds, missing)

    lines = skill.raw.count("\n")
    yield rule(lines >= GOLD_LINES, f"{GOLD_LINES} lines in SKILL.md (it has {lines})")
    names = {reference.slug for reference in skill.references}
    absent = [category for category in REFERENCE_CATEGORIES if category not in names]
    yield rule(not absent, f"references for {', '.join(absent)}")
    sections = set(re.findall(r"^## +(.+?) *$", skill.body.text, flags=re.MULTILINE))
    lacking = [section for section in SECTIONS if section not in sections]
    yield rule(not lacking, f"the sections {', '.join(lacking)}")
    below = sum(level < required_level(example) for example, level in levels)
    yield rule(not below, f"{below} of {len(levels)} examples are not yet resolved against the pins")
    ran = any(level >= Level.EXECUTED for _, level in levels)
    yield rule(ran or bool(skill.metadata.not_executed), "an executed example, or the reason why none can be")
    dead = [link.target for _, link in dead_links(skill)]
    yield rule(not dead, f"dead links: {', '.join(dead)}")
    reviewed = skill.metadata.reviewed
    yield rule(reviewed is not None and as_of - reviewed <= REVIEW_EVERY, "a review within the year")
