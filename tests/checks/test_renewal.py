"""Only what is stale is checked again, and a record changes only where knowledge did."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import (
    RULES,
    Finding,
    Level,
    SkillEvidence,
    checked_examples,
    page_key,
)
from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.tree import load_tree
from ai_research_skills.catalog.waivers import Waiver
from ai_research_skills.checks.changed import NoHistory, changed_skills
from ai_research_skills.checks.renewal import differences, due_pages, merged, recorded_faults
from ai_research_skills.checks.sample import sampled
from tests.conftest import SKILL

Write = Callable[..., Path]
MONDAY, FRIDAY = dt.date(2026, 11, 23), dt.date(2026, 11, 27)


@pytest.fixture
def skill(tmp_path: Path, write_skill: Write) -> Skill:
    folder = write_skill()
    (folder / "references").mkdir()
    (folder / "references" / "api.md").write_text("# API\n\n```python\nx = 1\n```\n\n```python\ny = x\n```\n")
    return load_skills(tmp_path).skills[0]


def findings(skill: Skill, day: dt.date, **values: object) -> dict[Example, Finding]:
    return {
        example: Finding.model_validate(
            {
                "page": page_key(skill, example),
                "line": example.line,
                "sha256": example.sha256,
                "context": context,
                "level": Level.EXECUTED,
                "checked": day,
                **values,
            }
        )
        for example, context in checked_examples(skill)
    }


def record(skill: Skill, found: Mapping[Example, Finding]) -> SkillEvidence:
    return SkillEvidence(
        skill=skill.name,
        rules=RULES,
        pins=tuple(map(str, skill.metadata.packages)),
        python="3.11.7",
        platform="Linux x86_64, CPU",
        findings=tuple(found.values()),
    )


def names(skill: Skill, evidence: SkillEvidence | None, level: Level = Level.EXECUTED) -> list[str]:
    return [page.path.name for page in due_pages(skill, evidence, level)]


def test_without_a_record_every_page_with_examples_is_due(skill: Skill) -> None:
    assert names(skill, None) == ["SKILL.md", "api.md"]


def test_a_fresh_record_leaves_nothing_to_do(skill: Skill) -> None:
    assert not names(skill, record(skill, findings(skill, MONDAY)))


def test_a_changed_example_makes_its_page_due_and_no_other(skill: Skill, tmp_path: Path) -> None:
    evidence = record(skill, findings(skill, MONDAY))
    path = tmp_path / skill.folder / "references" / "api.md"
    path.write_text(path.read_text().replace("y = x", "y = x + 1"))
    (changed,) = load_skills(tmp_path).skills
    assert names(changed, evidence) == ["api.md"]


def test_what_was_tried_less_far_is_due(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY, level=Level.RESOLVED, tried=Level.RESOLVED))
    assert not names(skill, evidence, Level.RESOLVED)
    assert names(skill, evidence, Level.EXECUTED) == ["SKILL.md", "api.md"]


WAIVER = Waiver(
    skill="example",
    page="SKILL.md",
    use="far.away",
    reason="A person has looked at it there.",
    expires=FRIDAY,
)


def test_a_new_waiver_makes_the_page_due_whose_use_it_passes(skill: Skill) -> None:
    evidence = record(
        skill, findings(skill, MONDAY, level=Level.PARSED, why="`far.away`: its type is not known")
    )
    assert [page.path.name for page in due_pages(skill, evidence, Level.EXECUTED, [WAIVER])] == ["SKILL.md"]
    other = WAIVER.model_copy(update={"skill": "other"})
    assert not due_pages(skill, evidence, Level.EXECUTED, [other])


def test_a_waiver_that_is_gone_makes_due_what_it_passed(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY, level=Level.RESOLVED, waived=(WAIVER.note,)))
    assert [page.path.name for page in due_pages(skill, evidence, Level.EXECUTED, [WAIVER])] == ["api.md"]
    assert len(due_pages(skill, evidence, Level.EXECUTED)) == 2


def test_the_same_finding_keeps_its_day(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY, seconds=1.0))
    again = merged(skill, evidence, findings(skill, FRIDAY, seconds=1.3))
    assert again == evidence.findings


def test_another_finding_takes_its_place(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY))
    again = merged(
        skill, evidence, findings(skill, FRIDAY, level=Level.PARSED, faults=({"at": 1, "text": "is gone"},))
    )
    assert {(finding.level, finding.checked) for finding in again} == {(Level.PARSED, FRIDAY)}


def test_a_quick_look_does_not_lower_what_was_executed(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY))
    look = findings(skill, FRIDAY, level=Level.RESOLVED, tried=Level.RESOLVED)
    assert merged(skill, evidence, look) == evidence.findings


def test_a_quick_look_that_finds_a_fault_counts(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY))
    look = findings(
        skill, FRIDAY, level=Level.PARSED, tried=Level.RESOLVED, faults=({"at": 1, "text": "is gone"},)
    )
    assert all(finding.faults for finding in merged(skill, evidence, look))


def test_findings_of_examples_that_are_gone_are_dropped(skill: Skill, tmp_path: Path) -> None:
    evidence = record(skill, findings(skill, MONDAY))
    path = tmp_path / skill.folder / "references" / "api.md"
    path.write_text("# API\n")
    (changed,) = load_skills(tmp_path).skills
    assert [finding.page for finding in merged(changed, evidence, {})] == ["SKILL.md"]


def test_a_recorded_fault_is_told_until_it_is_mended(skill: Skill) -> None:
    evidence = record(
        skill, findings(skill, MONDAY, level=Level.PARSED, faults=({"at": 1, "text": "example failed: no"},))
    )
    problems = list(recorded_faults(skill, evidence))
    assert [problem.message for problem in problems] == ["example failed: no"] * 3


def test_a_record_that_claims_more_than_a_new_check_finds_is_told(skill: Skill) -> None:
    evidence = record(skill, findings(skill, MONDAY))
    assert not list(differences(skill, evidence, findings(skill, FRIDAY)))
    fewer = findings(skill, FRIDAY, level=Level.PARSED, why="needs a GPU")
    problem, *_ = differences(skill, evidence, fewer)
    assert "the record says executed, a new check parsed (needs a GPU)" in problem.message


def test_a_forged_level_of_an_example_that_has_no_evidence_is_told(skill: Skill) -> None:
    problem, *_ = differences(skill, None, findings(skill, FRIDAY))
    assert problem.message == "has no fresh evidence"


def test_the_sample_turns_with_the_seed_and_keeps_to_its_time(tmp_path: Path, write_skill: Write) -> None:
    for name in ("one", "two", "three", "four"):
        write_skill(name)
    tree = load_tree(tmp_path)
    samples = {
        seed: [skill.name for skill in sampled(tree, seed, skills=2, seconds=10)]
        for seed in map(str, range(20))
    }
    assert all(len(found) == 2 for found in samples.values())
    assert {name for found in samples.values() for name in found} == {"one", "two", "three", "four"}
    assert samples["1"] == [skill.name for skill in sampled(tree, "1", skills=2, seconds=10)]


def test_a_skill_for_a_python_that_is_not_here_is_not_sampled(tmp_path: Path, write_skill: Write) -> None:
    write_skill("here")
    elsewhere = SKILL.format(name="elsewhere", title="Elsewhere")
    write_skill("elsewhere", text=elsewhere.replace("  tags:", '  python: "3.99"\n  tags:'))
    sample = sampled(load_tree(tmp_path), "seed", skills=2, seconds=10)
    assert [skill.name for skill in sample] == ["here"]


def test_a_page_beyond_the_time_is_left_out_but_never_the_first(skill: Skill, tmp_path: Path) -> None:
    evidence = record(skill, findings(skill, MONDAY, seconds=100.0))
    path = tmp_path / "docs/evidence/skills/example.json"
    path.parent.mkdir(parents=True)
    path.write_text(evidence.model_dump_json())
    (pages,) = sampled(load_tree(tmp_path), "seed", skills=1, seconds=10).values()
    assert len(pages) == 1


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True)


def test_changed_skills_are_those_with_a_file_that_differs(tmp_path: Path, write_skill: Write) -> None:
    one, two = write_skill("one"), write_skill("two")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    skills = load_skills(tmp_path).skills
    assert not changed_skills(tmp_path, "HEAD", skills)
    (one / "SKILL.md").write_text("changed")
    (two / "new.md").write_text("new")
    assert [skill.name for skill in changed_skills(tmp_path, "HEAD", skills)] == ["one", "two"]


def test_an_unknown_revision_is_named(tmp_path: Path, write_skill: Write) -> None:
    write_skill()
    with pytest.raises(NoHistory):
        changed_skills(tmp_path, "HEAD", load_skills(tmp_path).skills)
    git(tmp_path, "init", "-q")
    with pytest.raises(NoHistory, match="--output=x"):
        changed_skills(tmp_path, "--output=x", load_skills(tmp_path).skills)
