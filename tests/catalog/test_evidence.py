"""Evidence counts only for the very source and the very pins that it was found for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import (
    RULES,
    Level,
    SkillEvidence,
    checked_examples,
    evidence_path,
    example_levels,
    load_evidence,
)
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill
from tests.conftest import SKILL

Write = Callable[..., Path]


def record(skill: Skill, level: Level = Level.EXECUTED) -> SkillEvidence:
    return SkillEvidence.model_validate(
        {
            "skill": skill.name,
            "rules": RULES,
            "pins": [str(pin) for pin in skill.metadata.packages],
            "python": "3.11.7",
            "platform": "Linux x86_64, CPU",
            "findings": [
                {
                    "page": "SKILL.md",
                    "line": example.line,
                    "sha256": example.sha256,
                    "context": context,
                    "level": level,
                    "checked": "2026-11-21",
                }
                for example, context in checked_examples(skill)
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


def test_a_record_made_by_other_rules_is_stale(tmp_path: Path, write_skill: Write) -> None:
    write_skill()
    (skill,) = load_skills(tmp_path).skills
    evidence = record(skill).model_copy(update={"rules": RULES - 1})
    assert levels(skill, evidence) == [Level.STATED]


def test_a_record_of_another_python_is_stale(tmp_path: Path, write_skill: Write) -> None:
    write_skill(
        text=SKILL.format(name="example", title="Example").replace("  tags:", '  python: "3.12"\n  tags:')
    )
    (skill,) = load_skills(tmp_path).skills
    assert levels(skill, record(skill)) == [Level.STATED]
    assert levels(skill, record(skill).model_copy(update={"python": "3.12.1"})) == [Level.EXECUTED]


MORE = """
```python
three = two + 1
```

```text prints
3
```

```python
four = three + 1
```
"""


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("two = 1 + 1", "two = 2", [0, 1, 2]),
        ("three = two + 1", "three = 3", [1, 2]),
        ("four = three + 1", "four = 4", [2]),
        ("\n3\n", "\n4\n", [1, 2]),
    ],
)
def test_a_change_makes_stale_what_stands_below_it_on_the_page(
    tmp_path: Path, write_skill: Write, old: str, new: str, stale: list[int]
) -> None:
    path = write_skill() / "SKILL.md"
    path.write_text(path.read_text() + MORE)
    (skill,) = load_skills(tmp_path).skills
    evidence = record(skill)
    path.write_text(path.read_text().replace(old, new, 1))
    (changed,) = load_skills(tmp_path).skills
    found = levels(changed, evidence)
    assert [index for index, level in enumerate(found) if level is Level.STATED] == stale


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
    assert "run `ai-skills check example --all`" in str(problem)


def test_a_record_under_another_name_is_named(tmp_path: Path, write_skill: Write) -> None:
    write_skill()
    (skill,) = load_skills(tmp_path).skills
    path = tmp_path / evidence_path("other")
    path.parent.mkdir(parents=True)
    path.write_text(record(skill).model_dump_json())
    records, (problem,) = load_evidence(tmp_path)
    assert not records
    assert "is a record of 'example'" in str(problem)
