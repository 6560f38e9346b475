"""Level 3: a page is a program, run in order in the interpreter of its pins, offline."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

from ai_research_skills.catalog.evidence import Level, example_levels, load_evidence
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.checks.releases.environment import Environment
from ai_research_skills.checks.skill_check import Checked, check_skill, write_evidence
from tests.conftest import SKILL

HERE = Environment(Path(sys.executable), ())
TODAY = dt.date(2026, 11, 21)
Write = Callable[..., Path]


def checked(tmp_path: Path, write_skill: Write, body: str, environment: Environment | None = HERE) -> Checked:
    head = SKILL.format(name="example", title="Example").partition("```python")[0]
    write_skill(text=head + body)
    (skill,) = load_skills(tmp_path).skills
    return check_skill(skill, environment, TODAY)


def found(result: Checked) -> list[Level]:
    return [finding.level for finding in result.evidence.findings]


def test_blocks_share_names_and_run_in_order(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nx = 1\n```\n\n```python\nassert x == 1\n```\n")
    assert found(result) == [Level.EXECUTED, Level.EXECUTED]
    assert not result.problems


def test_a_name_that_nothing_defines_is_named_with_its_line(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nprint(nowhere)\n```\n")
    (problem,) = result.problems
    assert "NameError: name 'nowhere' is not defined" in problem.message
    assert problem.line == 21
    assert found(result) == [Level.PARSED]


def test_after_a_failure_nothing_counts_until_a_fresh_start(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\n1 / 0\n```\n\n```python\ny = 1\n```\n\n```python fresh\nz = 1\n```\n"
    assert found(checked(tmp_path, write_skill, body)) == [Level.PARSED, Level.PARSED, Level.EXECUTED]


def test_a_block_alone_neither_sees_nor_leaves_names(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\nx = 1\n```\n\n```python alone\nassert 'x' not in globals()\nx = 2\n```\n\n```python\nassert x == 1\n```\n"
    assert not checked(tmp_path, write_skill, body).problems


def test_what_should_fail_must_fail(tmp_path: Path, write_skill: Write) -> None:
    body = "```python fails\nint('x')\n```\n\n```python fails\nint('1')\n```\n"
    result = checked(tmp_path, write_skill, body)
    assert found(result) == [Level.EXECUTED, Level.PARSED]
    assert "is marked `fails` but ran" in result.problems[0].message


def test_a_gpu_block_is_resolved_and_not_run(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python gpu\nraise SystemExit\n```\n")
    assert found(result) == [Level.RESOLVED]
    assert not result.problems


def test_the_network_is_out_of_reach(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\nimport os\nassert os.environ['https_proxy'].endswith(':9')\nassert os.environ['HF_HUB_OFFLINE'] == '1'\n```\n"
    assert not checked(tmp_path, write_skill, body).problems


def test_an_example_that_ends_the_interpreter_is_named(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nimport os\nos._exit(3)\n```\n")
    assert "ended the interpreter" in result.problems[0].message


def test_without_an_environment_examples_are_parsed(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\nx = 1\n```\n\n```yaml\na: [\n```\n"
    result = checked(tmp_path, write_skill, body, environment=None)
    assert found(result) == [Level.PARSED, Level.STATED]
    assert "is not valid yaml" in result.problems[0].message


def test_what_is_written_is_what_the_site_reads(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nx = 1\n```\n")
    write_evidence(tmp_path, result.evidence)
    records, problems = load_evidence(tmp_path)
    assert not problems
    (skill,) = load_skills(tmp_path).skills
    assert [level for _, level in example_levels(skill, records["example"])] == [Level.EXECUTED]
