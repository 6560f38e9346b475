"""Evidence counts only for the very source and the very pins that it was found for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import (
    Level,
    SkillEvidence,
    evidence_path,
    example_levels,
    load_evidence,
)
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.tree import Tree, load_tree

Write = Callable[..., Path]


def record(skill: Skill, level: Level = Level.EXECUTED) -> SkillEvidence:
    return SkillEvidence.model_validate(
        {
            "skill": skill.name,
            "pins": [str(pin) for pin in skill.metadata.packages],
            "python": "3.11.7",
            "platform": "Linux x86_64, CPU",
            "checked": "2026-11-21",
            "findings": [
                {"page": "SKILL.md", "line": example.line, "sha256": example.sha256, "level": level}
                for example, _ in example_levels(skill, None)
            ],
        }
    )


def levels(skill: Skill, evidence: SkillEvidence | None) -> list[Level]:
    return [level for _, level in example_levels(skill, evidence)]


def test_a_fresh_record_gives_its_level(tmp_path: Path, write_skill: Write) -> None:
    write_skill()
    (skill,) = load_skills(tmp_path).skills
    assert levels(skill, None) == [Level.STATED]
    assert levels(skill, record(skill)) == [Level.EXECUTED]


@pytest.mark.parametrize(
    ("old", "new"),
    [("two = 1 + 1", "two = 2"), ("numpy==2.4.6", "numpy==2.4.7"), ("```python", "```python gpu")],
)
def test_a_changed_source_mark_or_pin_makes_it_stale(
    tmp_path: Path, write_skill: Write, old: str, new: str
) -> None:
    folder = write_skill()
    (skill,) = load_skills(tmp_path).skills
    evidence = record(skill)
    path = folder / "SKILL.md"
    path.write_text(path.read_text().replace(old, new))
    (changed,) = load_skills(tmp_path).skills
    assert levels(changed, evidence) == [Level.STATED]


def test_prose_may_change(tmp_path: Path, write_skill: Write) -> None:
    folder = write_skill()
    (skill,) = load_skills(tmp_path).skills
    evidence = record(skill)
    path = folder / "SKILL.md"
    path.write_text(path.read_text().replace("# Example\n", "# Example\n\nNew words.\n"))
    (changed,) = load_skills(tmp_path).skills
    assert levels(changed, evidence) == [Level.EXECUTED]


def test_output_blocks_are_no_examples(tmp_path: Path, write_skill: Write) -> None:
    folder = write_skill()
    path = folder / "SKILL.md"
    path.write_text(path.read_text() + "\n```text\nout\n```\n")
    (skill,) = load_skills(tmp_path).skills
    assert len(levels(skill, None)) == 1


def test_a_broken_record_is_named_with_the_command_that_renews_it(tmp_path: Path) -> None:
    path = tmp_path / evidence_path("example")
    path.parent.mkdir(parents=True)
    path.write_text('{"skill": "example"}')
    records, (problem,) = load_evidence(tmp_path)
    assert not records
    assert "run `ai-skills check example --write`" in str(problem)


@pytest.fixture(scope="module")
def tree(repository: Path) -> Tree:
    return load_tree(repository)


def test_every_record_of_the_repository_is_fresh(tree: Tree) -> None:
    """A changed example must be checked again before it lands."""
    for name, evidence in tree.evidence.items():
        skill = tree.by_name[name]
        assert evidence.pins == tuple(map(str, skill.metadata.packages)), (
            f"run `ai-skills check {name} --write`"
        )
        known = {finding.sha256 for finding in evidence.findings}
        stale = [
            f"{example.path}:{example.line}"
            for example, _ in example_levels(skill, evidence)
            if example.sha256 not in known
        ]
        assert not stale, f"run `ai-skills check {name} --write`"


def test_every_skill_of_the_repository_has_a_record(tree: Tree) -> None:
    assert set(tree.evidence) == set(tree.by_name)
