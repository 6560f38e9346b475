"""A made-up skill with evidence of every kind, for the tests of what is counted and shown of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.evidence import (
    RULES,
    Finding,
    Level,
    SkillEvidence,
    checked_examples,
    page_key,
)
from ai_research_skills.catalog.skill import Page, Pin, Skill, SkillMetadata
from ai_research_skills.catalog.tree import Tree
from ai_research_skills.coverage.standing import Standing, standings

TODAY = dt.date(2026, 11, 21)
FOLDER = Path("skills/04-peft/toolbox")
PINS = (Pin(distribution="toolbox", version="1.2.0"), Pin(distribution="numpy", version="2.4.6"))


def made_skill(text: str, name: str = "toolbox", title: str = "Toolbox") -> Skill:
    """A skill whose only page is `text`."""
    folder = FOLDER.with_name(name)
    return Skill(
        name=name,
        folder=folder,
        category="04-peft",
        description="Does something.",
        license="MIT",
        compatibility="",
        metadata=SkillMetadata(title=title, packages=PINS, homepage="https://example.org"),
        raw=text,
        body=Page(folder / "SKILL.md", "", title, text, 1),
        references=(),
        files=(),
    )


def recorded(skill: Skill, *said: Mapping[str, Any], **record: Any) -> SkillEvidence:
    """A record that says `said` about the first examples of `skill`, in order; level 3 where it does not say."""
    findings = tuple(
        Finding(
            **{
                "page": page_key(skill, example),
                "line": example.line,
                "sha256": example.sha256,
                "context": context,
                "level": Level.EXECUTED,
                "checked": TODAY,
                **facts,
            }
        )
        for (example, context), facts in zip(checked_examples(skill), said, strict=False)
    )
    facts = {
        "skill": skill.name,
        "rules": RULES,
        "pins": tuple(map(str, skill.metadata.packages)),
        "python": "3.11.7",
        "platform": "Linux x86_64, CPU",
        "engines": {"ty": "0.0.104"},
        "findings": findings,
        **record,
    }
    return SkillEvidence(**facts)


def standing_of(skill: Skill, record: SkillEvidence | None) -> Standing:
    """The standing of `skill` in a tree that holds nothing else."""
    return standings(made_tree(skill, record), TODAY)[skill.name]


def made_tree(skill: Skill, record: SkillEvidence | None) -> Tree:
    """A tree of one skill."""
    return Tree(
        root=Path("/nowhere"),
        skills=(skill,),
        roadmap=None,
        learning_path=None,
        notebooks=(),
        evidence={skill.name: record} if record else {},
        waivers=(),
        tags={},
        redirects={},
        problems=(),
    )
