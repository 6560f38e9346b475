"""Level 2: what an example uses exists in the release; drift is named, and what nobody can see is not called resolved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import Finding, Level
from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.checks.parsing import parse_all
from ai_research_skills.checks.releases.environment import Environment
from ai_research_skills.checks.skill_check import Task, check_pages
from tests.checks.checking import InstalledBench, check_one
from tests.checks.made_up_release import make_environment
from tests.conftest import SKILL

Write = Callable[..., Path]
FIRST_LINE = 21
"""Line of the first fence on the page."""


@dataclass(frozen=True)
class Result:
    """What a reader is told about a page."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    open_questions: tuple[Problem, ...]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture
def check(tmp_path: Path, write_skill: Write, installed: Path) -> Callable[..., Result]:
    def check(body: str, sources: tuple[Path, ...] = ()) -> Result:
        head = SKILL.format(name="example", title="Example").partition("```python")[0]
        write_skill(text=head.replace("numpy==2.4.6", "toolbox==1.0") + body)
        (skill,) = load_skills(tmp_path).skills
        blocks = [one for page in skill.pages for one in page_examples(page) if not one.is_output]
        task = Task(skill, skill.pages, parse_all(blocks), Level.EXECUTED, dt.date(2026, 11, 21))
        with ThreadPoolExecutor(1) as pool:
            checked = check_pages(task, InstalledBench(Environment(installed, (), sources)), pool)
        findings = tuple(checked.findings[block] for block in blocks)
        problems = [
            Problem(skill.path, finding.line + fault.at, fault.text, "")
            for finding in findings
            for fault in finding.faults
        ]
        return Result(findings, tuple(problems), checked.open_questions)

    return check


Check = Callable[..., Result]


def gpu(source: str) -> str:
    return f"```python gpu\n{source}\n```\n"


def levels(checked: Result) -> list[Level]:
    return [finding.level for finding in checked.findings]


RESOLVED = {
    "an import, a method and a keyword": "from toolbox import Machine\nprint(Machine(speed=2).run(steps=3).total)",
    "a name that only a module's __getattr__ makes": "import toolbox\ntoolbox.Lazy",
    "a name that only importing shows": "from toolbox import Hidden",
    "an attribute that a derived class has": "from toolbox import Machine\nprint(Machine().run(1).extra)",
    "a keyword that **kwargs hands on": "from toolbox import passes\npasses(size=2, speed=3)",
    "an overload, whatever the types": "import os\nfrom toolbox import connect\nconnect(os.environ['KIND'], retries=1).run(1)",
    "keywords that a mapping spells out": "from toolbox import Machine\noptions = dict(speed=2)\nMachine(**options)",
    "a module that only a GPU machine can import": "from toolbox.gpu import kernel\nkernel(1, causal=True)",
    "text with values in it": "from toolbox import Machine\nprint(f'{Machine().speed:>3} of {Machine().run(1).total!r}')",
    "a name that a module has once another is loaded": "from toolbox import switch\nfrom toolbox.compiled import late\nlate(1)",
    "a call whose arguments are not all shown": "from toolbox import Machine\nMachine().run(..., 1, 2)",
    "a page's own class that is named like one of a package": "from toolbox import untyped\nclass Result:\n    own = 1\nresult: Result = untyped(1)\nresult.own",
    "a page's own function, whatever it returns": "def double(x, by=2):\n    return x * by\nprint(double(2, by=3))",
}


@pytest.mark.parametrize("source", RESOLVED.values(), ids=RESOLVED)
def test_what_the_release_has_is_resolved(check: Check, source: str) -> None:
    checked = check(gpu(source))
    assert not checked.problems
    assert not checked.open_questions
    assert levels(checked) == [Level.RESOLVED]


OF_NO_RELEASE = {"elsewhere", "nowhere"}

DRIFTED = {
    "a keyword that is gone": (
        "from toolbox import Machine\nMachine(velocity=2)",
        2,
        "Machine(velocity=...)",
    ),
    "a misspelt method": ("from toolbox import Machine\nMachine().runn(1)", 2, "Machine().runn"),
    "an import that moved": ("from toolbox.machines import Machine", 1, "toolbox.machines.Machine"),
    "an imported name that is gone": ("from toolbox.core import Machin", 1, "toolbox.core.Machin"),
    "a name that a dynamic module does not make": ("import toolbox\n\ntoolbox.Lasy", 3, "toolbox.Lasy"),
    "a name that nothing defines": ("print(\n    nowhere)", 2, "nowhere"),
    "a module of no pinned release": ("import elsewhere", 1, "elsewhere"),
    "a keyword that nobody reads": (
        "from toolbox import passes\npasses(velocity=3)",
        2,
        "passes(velocity=...)",
    ),
    "a keyword of no overload": ("from toolbox import connect\nconnect('a', tries=1)", 2, "connect(...)"),
    "a keyword in a mapping": (
        "from toolbox import Machine\nbad = {'velocity': 2}\nMachine(**bad)",
        3,
        "Machine(velocity=...)",
    ),
    "an argument too many": ("from toolbox import Machine\nMachine().run(1, 2)", 2, "Machine().run(...)"),
    "an argument that is missing": ("from toolbox import Machine\nMachine().run()", 2, "Machine().run(...)"),
    "a keyword where only a GPU can import": (
        "from toolbox.gpu import kernel\nkernel(1, casual=True)",
        2,
        "kernel(casual=...)",
    ),
    "in text with values in it": (
        "from toolbox import Machine\nprint(f'{Machine().sped:>3}')",
        2,
        "Machine().sped",
    ),
}


@pytest.mark.parametrize(("source", "line", "symbol"), DRIFTED.values(), ids=DRIFTED)
def test_what_the_release_has_not_is_named_with_its_line(
    check: Check, source: str, line: int, symbol: str
) -> None:
    checked = check(gpu(source))
    assert [(problem.line, f"`{symbol}`" in problem.message) for problem in checked.problems] == [
        (FIRST_LINE + line, True)
    ]
    assert "toolbox==1.0" in checked.problems[0].message or symbol in OF_NO_RELEASE
    assert levels(checked) == [Level.PARSED]


ONLY_DECLARED = "from toolbox import compiled\ncompiled.only_declared(1)"


def test_what_a_stub_declares_and_the_build_lacks_is_drift(
    tmp_path: Path, write_skill: Write, installed: Path
) -> None:
    head = SKILL.format(name="example", title="Example").partition("```python")[0]
    write_skill(text=f"{head}```python\n{ONLY_DECLARED}\n```\n")
    (problem,) = check_one(tmp_path, Environment(installed, ()), Level.RESOLVED).problems
    assert problem.line == FIRST_LINE + 2
    assert "`compiled.only_declared`" in problem.message


def test_a_block_for_a_gpu_runs_on_another_build_that_may_have_it(check: Check) -> None:
    assert levels(check(gpu(ONLY_DECLARED))) == [Level.RESOLVED]


def test_a_value_that_nobody_can_type_stays_open_until_it_is_annotated(check: Check, tmp_path: Path) -> None:
    checked = check(gpu("from toolbox import untyped\nresult = untyped(1)\nresult.total"))
    assert levels(checked) == [Level.PARSED]
    assert not checked.problems
    (question,) = checked.open_questions
    assert question.line == FIRST_LINE + 3
    assert "the type of `result` is not known" in question.message


def test_an_annotation_settles_it(check: Check) -> None:
    source = "from toolbox import Result, untyped\nresult: Result = untyped(1)\nresult.total"
    assert levels(check(gpu(source))) == [Level.RESOLVED]


def test_an_annotation_with_a_dot_settles_it_too(check: Check) -> None:
    source = "import toolbox\nresult: toolbox.Result = toolbox.untyped(1)\nresult.total"
    assert levels(check(gpu(source))) == [Level.RESOLVED]


def test_a_value_that_the_page_made_has_the_type_that_it_had_when_it_ran(check: Check) -> None:
    ran = "```python\nfrom toolbox import Machine, untyped\nmachine = untyped(Machine())\n```\n\n"
    assert levels(check(ran + gpu("machine.run(steps=1)"))) == [Level.EXECUTED, Level.RESOLVED]


def test_drift_on_a_value_that_the_page_made_is_found(check: Check) -> None:
    ran = "```python\nfrom toolbox import Machine, untyped\nmachine = untyped(Machine())\n```\n\n"
    (problem,) = check(ran + gpu("machine.start()")).problems
    assert "`machine.start`" in problem.message


OWN_CLASS = """from toolbox import Machine


class Shelf:
    def __init__(self, count):
        self.machine = Machine(speed=2)
        self.count = count

    def total(self):
        return self.count + self.machine.{member}(steps=3).total


Shelf(3).count
"""


def test_members_that_a_class_of_the_page_gives_itself_are_its_own(check: Check) -> None:
    result = check(gpu(OWN_CLASS.format(member="run")))
    assert not result.problems
    assert result.findings[0].level == Level.RESOLVED


def test_a_value_that_is_declared_to_be_any_object_is_not_known(check: Check) -> None:
    result = check(
        gpu(
            "from dataclasses import dataclass\n\n\n@dataclass\nclass Parts:\n    first: object\n\n\nParts(1).first.size"
        )
    )
    assert not result.problems
    assert result.findings[0].level == Level.PARSED


def test_drift_behind_such_a_member_is_found(check: Check) -> None:
    (problem,) = check(gpu(OWN_CLASS.format(member="gone"))).problems
    assert "gone" in problem.message


def test_names_do_not_cross_a_fresh_start(check: Check) -> None:
    body = f"{gpu('x = 1')}\n```python fresh\ny = 2\n```\n\n{gpu('print(x)')}"
    (problem,) = check(body).problems
    assert "`x`" in problem.message


def test_what_is_executed_is_not_held_against_the_engine(check: Check) -> None:
    checked = check("```python\nimport toolbox\nsetattr(toolbox, 'mine', 1)\ntoolbox.mine\n```\n")
    assert levels(checked) == [Level.EXECUTED]
    assert not checked.problems


def test_sources_stand_in_for_a_release_that_is_not_installed(check: Check, tmp_path: Path) -> None:
    source = tmp_path / "sources"
    source.mkdir()
    (source / "kernels.py").write_text("def attend(q, *, causal=False) -> int: ...\n")
    checked = check(
        gpu("from kernels import attend\nattend(1, causal=True)\nattend(1, casual=True)"), (source,)
    )
    (problem,) = checked.problems
    assert problem.line == FIRST_LINE + 3


def test_the_added_lines_of_a_diff_resolve_and_the_removed_ones_are_not_looked_at(check: Check) -> None:
    body = "```diff\n- from toolbox import Engine\n+ from toolbox import Machine\n- Engine(velocity=1)\n+ Machine(speed=1).run(steps)\n```\n"
    checked = check(body)
    assert levels(checked) == [Level.RESOLVED]
    assert not checked.problems


def test_what_a_diff_shows_around_the_added_lines_gives_them_their_names(check: Check) -> None:
    body = "```diff\n from toolbox import Machine\n-Machine(velocity=1)\n+Machine(speed=1).{}\n```\n"
    assert levels(check(body.format("run(1)"))) == [Level.RESOLVED]


def test_drift_is_found_through_a_name_that_a_diff_shows_unchanged(check: Check) -> None:
    (problem,) = check(
        "```diff\n from toolbox import Machine\n-Machine(speed=1)\n+Machine(velocity=1)\n```\n"
    ).problems
    assert problem.line == FIRST_LINE + 3


def test_drift_in_the_added_lines_of_a_diff_is_found(check: Check) -> None:
    (problem,) = check("```diff\n- from toolbox import Engine\n+ from toolbox import Machin\n```\n").problems
    assert problem.line == FIRST_LINE + 2


def test_a_diff_of_another_language_is_parsed(check: Check) -> None:
    assert levels(check("```diff\n- max length: 1\n+ max length: 2\n```\n")) == [Level.PARSED]


def test_a_diff_may_add_commands(check: Check) -> None:
    body = "```diff\n- toolbox serve M --swap 8\n+ toolbox serve M --port 8\n```\n"
    assert levels(check(body)) == [Level.RESOLVED]


def test_shell_lines_go_to_the_release_s_own_parser_and_nothing_starts(check: Check) -> None:
    body = "```bash\nexport HERE=1\ntoolbox serve M --port 80 | tee log.txt\npython -c 'import toolbox; toolbox.Lazy'\n```\n"
    checked = check(body)
    assert not checked.problems
    assert levels(checked) == [Level.RESOLVED]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("toolbox serve M --prot 80", "unrecognized arguments: --prot"),
        ("toolbox server M", "invalid choice: 'server'"),
        ("python -c 'import toolbox; toolbox.Lasy'", "`toolbox.Lasy`"),
        ("python -m json.tool --nonsense", "unrecognized arguments: --nonsense"),
    ],
)
def test_drift_in_a_shell_line_is_found(check: Check, command: str, said: str) -> None:
    checked = check(f"```bash\nexport A=1\n{command}\n```\n")
    (problem,) = checked.problems
    assert problem.line == FIRST_LINE + 2
    assert said in problem.message
    assert levels(checked) == [Level.PARSED]


@pytest.mark.parametrize("command", ["toolbox serve M --port $PORT", "elsewhere --run"])
def test_what_no_parser_can_answer_stays_open(check: Check, command: str) -> None:
    checked = check(f"```bash\n{command}\n```\n")
    assert not checked.problems
    assert checked.open_questions
    assert levels(checked) == [Level.PARSED]


def test_data_is_resolved_if_a_command_reads_it_and_refuses_what_it_does_not_know(check: Check) -> None:
    body = '```json\n{"port": 80}\n```\n\n```bash\ntoolbox serve M --config serve.json\n```\n'
    assert levels(check(body)) == [Level.RESOLVED, Level.RESOLVED]


def test_data_that_its_reader_refuses_is_named(check: Check) -> None:
    body = '```json\n{"prot": 80}\n```\n\n```bash\ntoolbox serve M --config serve.json\n```\n'
    checked = check(body)
    assert "--prot" in checked.problems[0].message
    assert levels(checked) == [Level.PARSED, Level.PARSED]


def test_data_that_nothing_reads_is_parsed(check: Check) -> None:
    assert levels(check('```json\n{"port": 80}\n```\n')) == [Level.PARSED]
