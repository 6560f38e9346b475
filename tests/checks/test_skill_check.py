"""Level 3: a page is a program, run in order in the interpreter of its pins, offline."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import Level, example_levels, load_evidence
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.tree import load_tree
from ai_research_skills.catalog.waivers import WAIVERS_FILE
from ai_research_skills.checks import skill_check
from ai_research_skills.checks.bench import Bench
from ai_research_skills.checks.releases.closure import NoClosure
from ai_research_skills.checks.releases.environment import Environment
from ai_research_skills.checks.running.sandbox import NoSandbox
from ai_research_skills.checks.tree_check import SkillCheck, check_tree, write_evidence
from tests.checks.checking import TODAY, check_one
from tests.conftest import SKILL

HERE = Environment(Path(sys.executable), ())
Write = Callable[..., Path]


def checked(tmp_path: Path, write_skill: Write, body: str, level: Level = Level.EXECUTED) -> SkillCheck:
    head = SKILL.format(name="example", title="Example").partition("```python")[0]
    write_skill(text=head + body)
    return check_one(tmp_path, HERE, level)


def found(result: SkillCheck) -> list[Level]:
    return [finding.level for finding in result.evidence.findings]


def test_blocks_share_names_and_run_in_order(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nx = 1\n```\n\n```python\nassert x == 1\n```\n")
    assert found(result) == [Level.EXECUTED, Level.EXECUTED]
    assert not result.problems


def test_a_name_that_nothing_defines_is_named_with_its_line(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nprint(nowhere)\n```\n")
    (problem,) = result.problems
    assert "NameError: name 'nowhere' is not defined" in problem.message
    assert problem.line == 22
    assert found(result) == [Level.PARSED]


def test_after_a_failure_nothing_counts_as_run_until_a_fresh_start(
    tmp_path: Path, write_skill: Write
) -> None:
    body = "```python\n1 / 0\n```\n\n```python\ny = 1\n```\n\n```python fresh\nz = 1\n```\n"
    assert found(checked(tmp_path, write_skill, body)) == [
        Level.PARSED,
        Level.RESOLVED,
        Level.EXECUTED,
    ]


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


HOSTILE = """
```python
import os, pathlib, socket

def refused(action):
    try:
        action()
    except OSError:
        return True
    return False

print("A_SECRET" in os.environ, pathlib.Path({home!r}).exists())
print(refused(lambda: pathlib.Path("/usr/left_behind").write_text("x")))
print(refused(lambda: socket.create_connection(("192.0.2.1", 80), timeout=2)))
pathlib.Path("scratch.txt").write_text("mine")
```

```text prints
False False
True
True
```
"""


def test_an_example_sees_no_secret_no_home_and_no_network_and_leaves_nothing(
    tmp_path: Path, write_skill: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    result = checked(tmp_path, write_skill, HOSTILE.format(home=str(tmp_path)))
    assert not result.problems, result.problems[0].message
    assert found(result) == [Level.EXECUTED]
    assert not list(tmp_path.rglob("scratch.txt"))


def test_an_example_that_forks_without_end_is_stopped_and_named(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\nx = 1\n```\n\n```python\nimport os\nwhile True:\n    os.fork()\n```\n"
    result = checked(tmp_path, write_skill, body)
    assert found(result)[0] is Level.EXECUTED
    assert result.problems[0].line >= 25
    assert "example failed" in result.problems[0].message


def test_an_example_that_ends_the_interpreter_is_named(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nimport os\nos._exit(3)\n```\n")
    assert "ended with exit status 3" in result.problems[0].message


def test_at_the_first_level_examples_are_parsed(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\nx = 1\n```\n\n```yaml\na: [\n```\n"
    result = checked(tmp_path, write_skill, body, Level.PARSED)
    assert found(result) == [Level.PARSED, Level.STATED]
    assert "is not valid yaml" in result.problems[0].message


def test_what_is_written_is_what_the_site_reads(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nx = 1\n```\n")
    write_evidence(tmp_path, result.evidence)
    records, problems = load_evidence(tmp_path)
    assert not problems
    (skill,) = load_skills(tmp_path).skills
    assert [level for _, level in example_levels(skill, records["example"])] == [Level.EXECUTED]


def test_printed_output_is_held_against_the_page(tmp_path: Path, write_skill: Write) -> None:
    body = "```python\nprint(1 + 1)\n```\n\n```text prints\n{}\n```\n"
    assert found(checked(tmp_path, write_skill, body.format(2))) == [Level.EXECUTED]


def test_output_that_differs_is_a_fault(tmp_path: Path, write_skill: Write) -> None:
    result = checked(tmp_path, write_skill, "```python\nprint(1 + 1)\n```\n\n```text prints\n3\n```\n")
    assert found(result) == [Level.PARSED]
    assert "-3\n+2" in result.problems[0].message


def test_what_is_not_run_says_why(tmp_path: Path, write_skill: Write) -> None:
    body = "```python gpu\nx = 1\n```\n\n```bash\nls\n```\n\n```mermaid\na-->b\n```\n"
    reasons = [finding.why for finding in checked(tmp_path, write_skill, body).evidence.findings]
    assert reasons == [
        "needs a GPU",
        "command lines are looked up, not run",
        "no parser here knows its language",
    ]


WAIVER = """
- skill: example
  use: elsewhere
  reason: The command comes with the operating system of the cluster.
  expires: {day}
"""


def test_a_waiver_passes_what_nobody_can_verify(tmp_path: Path, write_skill: Write) -> None:
    path = tmp_path / WAIVERS_FILE
    path.parent.mkdir(parents=True)
    path.write_text(WAIVER.format(day=TODAY))
    (finding,) = checked(tmp_path, write_skill, "```bash\nelsewhere --run\n```\n").evidence.findings
    assert finding.level is Level.RESOLVED
    assert "The command comes with the operating system" in finding.waived[0]


def test_a_waiver_whose_day_is_over_passes_nothing(tmp_path: Path, write_skill: Write) -> None:
    path = tmp_path / WAIVERS_FILE
    path.parent.mkdir(parents=True)
    path.write_text(WAIVER.format(day=TODAY - dt.timedelta(days=1)))
    (finding,) = checked(tmp_path, write_skill, "```bash\nelsewhere --run\n```\n").evidence.findings
    assert finding.level is Level.PARSED
    assert not finding.waived


def test_pins_that_do_not_resolve_leave_examples_parsed_and_are_named(
    tmp_path: Path, write_skill: Write
) -> None:
    write_skill()
    tree = load_tree(tmp_path)

    def refuses(*_: object) -> Bench:
        raise NoClosure("numpy==2.4.6: there is no such release")

    (skill,) = tree.skills
    (result,) = check_tree(tree, {skill: skill.pages}, Level.EXECUTED, TODAY, bench=refuses)
    assert [finding.level for finding in result.evidence.findings] == [Level.PARSED]
    assert "there is no such release" in str(result.problems[0])


def test_a_machine_without_a_sandbox_is_told_and_forges_nothing(
    tmp_path: Path, write_skill: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise NoSandbox("no sandbox can be made here → run it as root")

    monkeypatch.setattr(skill_check, "run_page", refuses)
    result = checked(tmp_path, write_skill, "```python\nx = 1\n```\n")
    (finding,) = result.evidence.findings
    assert (finding.level, finding.tried) == (Level.RESOLVED, Level.RESOLVED)
    assert "run it as root" in str(result.problems[0])
