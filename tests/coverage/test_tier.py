"""The tier is computed: each rule that does not hold keeps a skill below it and says what is missing."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.skill import Page, Skill, SkillMetadata
from ai_research_skills.coverage.tier import (
    REFERENCE_CATEGORIES,
    SECTIONS,
    Levels,
    Tier,
    missing_for_next,
    tier_of,
    tier_rules,
)

TODAY = dt.date(2026, 11, 21)
FOLDER = Path("skills/04-peft/example")


def gold_skill() -> Skill:
    sections = "\n\n".join(f"## {section}\n\ntext" for section in SECTIONS)
    text = f"# Example\n\n```python\n# add\nx = 1\n```\n\n{sections}\n" + "line\n" * 150
    return Skill(
        name="example",
        folder=FOLDER,
        category="04-peft",
        description="Does something.",
        license="MIT",
        compatibility="",
        metadata=SkillMetadata(homepage="https://example.org", reviewed=TODAY),
        raw=text,
        body=Page(FOLDER / "SKILL.md", "", "Example", text, 1),
        references=tuple(
            Page(FOLDER / "references" / f"{slug}.md", slug, slug, f"# {slug}\n", 1)
            for slug in REFERENCE_CATEGORIES
        ),
        files=(),
    )


def levels_of(skill: Skill, level: Level) -> Levels:
    return [(example, level) for page in skill.pages for example in page_examples(page)]


def standing(
    skill: Skill, level: Level = Level.EXECUTED, today: dt.date = TODAY
) -> tuple[Tier, tuple[str, ...]]:
    rules = tier_rules(skill, levels_of(skill, level), today)
    return tier_of(rules), missing_for_next(rules)


def test_a_skill_that_keeps_every_rule_is_gold() -> None:
    assert standing(gold_skill()) == (Tier.GOLD, ())


@pytest.mark.parametrize("level", [Level.STATED, Level.PARSED])
def test_an_example_that_is_not_resolved_keeps_it_from_gold(level: Level) -> None:
    tier, missing = standing(gold_skill(), level)
    assert tier is Tier.MINIMUM
    assert "1 of 1 examples are not yet resolved against the pins" in missing


def test_a_diff_need_only_parse() -> None:
    skill = gold_skill()
    text = skill.body.text.replace("```python", "```diff\n- a\n+ b\n```\n\n```python", 1)
    changed = dataclasses.replace(skill, body=dataclasses.replace(skill.body, text=text), raw=text)
    levels = [
        (example, Level.PARSED if example.language == "diff" else Level.EXECUTED)
        for page in changed.pages
        for example in page_examples(page)
    ]
    assert tier_of(tier_rules(changed, levels, TODAY)) is Tier.GOLD


def test_resolved_but_never_executed_needs_a_reason() -> None:
    skill = gold_skill()
    assert standing(skill, Level.RESOLVED) == (
        Tier.MINIMUM,
        ("an executed example, or the reason why none can be",),
    )
    reason = skill.metadata.model_copy(update={"not_executed": "needs a cluster"})
    assert standing(dataclasses.replace(skill, metadata=reason), Level.RESOLVED)[0] is Tier.GOLD


def test_a_review_older_than_a_year_keeps_it_from_gold() -> None:
    assert standing(gold_skill(), today=TODAY + dt.timedelta(days=366)) == (
        Tier.MINIMUM,
        ("a review within the year",),
    )


def test_a_missing_section_reference_or_file_is_named() -> None:
    skill = gold_skill()
    text = skill.body.text.replace("## Versions", "## Other") + "\n[x](references/none.md)\n"
    body = dataclasses.replace(skill.body, text=text)
    changed = dataclasses.replace(skill, body=body, raw=text, references=skill.references[:4])
    tier, missing = standing(changed)
    assert tier is Tier.MINIMUM
    assert missing == ("references for versions", "the sections Versions", "dead links: references/none.md")


def test_a_bare_file_is_a_draft() -> None:
    skill = dataclasses.replace(gold_skill(), raw="# Example\n", references=(), license="")
    tier, missing = standing(skill)
    assert tier is Tier.DRAFT
    assert "a licence" in missing
