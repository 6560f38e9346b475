"""Holding the examples of a skill's pages against its pins: parsed, resolved and, where this machine can, executed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from ai_research_skills.catalog.evidence import Fault, Finding, Level, page_contexts, page_key
from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.waivers import Waiver
from ai_research_skills.checks.bench import Bench
from ai_research_skills.checks.parsing import Parsed
from ai_research_skills.checks.releases.artifacts import NoArtifact
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.skill import resolve_skill
from ai_research_skills.checks.resolving.type_engine import NoEngine
from ai_research_skills.checks.running.page_run import BlockRun, run_page
from ai_research_skills.checks.running.sandbox import NoSandbox

NOT_RUN = {
    "bash": "command lines are looked up, not run",
    "diff": "a diff is read, not run",
    "python": "must fail, which only running it shows",
    "sh": "command lines are looked up, not run",
}
"""Why an example is not executed, where neither its mark nor its program says so."""

NOT_READ = "nothing that the pinned releases bring reads it"
"""Why an example of another language is not resolved."""

NOT_PYTHON = "what it adds is no Python and no command of the releases"
"""Why a diff is not resolved."""

VERIFY = "spell it out, annotate the value, or add a waiver to docs/evidence/waivers.yml"


class CannotCheck(Exception):
    """This machine lacks what the checks need; the message says what to do about it."""


@dataclass(frozen=True)
class Task:
    """What is to be checked, and how far.

    Attributes:
        pages: Pages of the skill, each as a whole.
        parsed: What the parsers say about every example of the pages.
        level: The level to try: `resolved` reads only, `executed` runs as well.
        today: The day of the findings.
        waivers: Those of the skill.
        are_programs: Whether the pages were written as programs: in other libraries each block stands alone.
    """

    skill: Skill
    pages: tuple[Page, ...]
    parsed: Mapping[Example, Parsed]
    level: Level
    today: dt.date
    waivers: tuple[Waiver, ...] = ()
    are_programs: bool = True

    @property
    def programs(self) -> list[list[Example]]:
        """The examples of each page, in order."""
        return [[block for block in page_examples(page) if not block.is_output] for page in self.pages]


@dataclass(frozen=True)
class Checked:
    """What was found about the examples of some pages, and every use that nobody could verify."""

    findings: Mapping[Example, Finding]
    open_questions: tuple[Problem, ...] = ()


@dataclass
class _Sheet:
    """What is known about one example so far."""

    level: Level = Level.STATED
    by: tuple[str, ...] = ()
    seconds: float | None = None
    device: str = ""
    faults: list[Fault] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    waived: list[str] = field(default_factory=list)
    types: Mapping[str, str] = field(default_factory=dict)


_Sheets = Mapping[Example, _Sheet]


def check_pages(task: Task, bench: Bench | None, pool: Executor) -> Checked:
    """Check every example of the pages of `task` against `bench`; without one they are only parsed.

    Pages run side by side in `pool`.

    Raises:
        CannotCheck: There is no type checker or no sandbox here, or a release cannot be read.
    """
    sheets = {example: _parsed(example, task.parsed[example]) for page in task.programs for example in page}
    questions: tuple[Problem, ...] = ()
    try:
        if bench and task.level >= Level.EXECUTED:
            _run(task, bench, sheets, pool)
        if bench and task.level >= Level.RESOLVED:
            questions = _resolve(task, bench, sheets)
    except (NoArtifact, NoEngine, NoSandbox) as error:
        raise CannotCheck(str(error)) from error
    findings = {
        example: _finding(task, example, context, sheets[example])
        for page in task.pages
        for example, context in page_contexts(page_examples(page))
    }
    return Checked(findings, questions)


def _parsed(example: Example, parsed: Parsed) -> _Sheet:
    if parsed.fault:
        return _Sheet(
            faults=[Fault(at=max(0, parsed.line - example.line), text=parsed.fault, mend=parsed.mend)]
        )
    if not parsed.by:
        return _Sheet(why=["no parser here knows its language"])
    return _Sheet(Level.PARSED, parsed.by)


def _run(task: Task, bench: Bench, sheets: _Sheets, pool: Executor) -> None:
    """Run the programs that the pages are, each in a process of its own."""
    environment = bench.environment
    if environment is None:
        for example, sheet in sheets.items():
            if example.language == "python":
                sheet.why.append(f"the pins cannot be installed here: {bench.refusal}")
        return
    gpu = task.level >= Level.EXECUTED_ON_GPU
    for runs in pool.map(lambda page: run_page(page, environment.python, gpu=gpu), task.programs):
        for example, run in runs.items():
            _take(sheets[example], run)


def _take(sheet: _Sheet, run: BlockRun) -> None:
    sheet.types = run.types
    if run.fault:
        sheet.faults.append(Fault(at=run.at, text=run.fault))
    elif run.ran:
        sheet.level = Level.EXECUTED_ON_GPU if run.device else Level.EXECUTED
        sheet.by, sheet.seconds, sheet.device = ("run",), round(run.seconds, 2), run.device
    elif run.passed_over:
        sheet.why.append(run.passed_over)


def _resolve(task: Task, bench: Bench, sheets: _Sheets) -> tuple[Problem, ...]:
    """Resolve what was not executed; returns every use that nobody could verify."""
    readable = [[one for one in page if sheets[one].level >= Level.PARSED] for page in task.programs]
    wanted = frozenset(
        one for one, sheet in sheets.items() if sheet.level < Level.EXECUTED and not sheet.faults
    )
    types = {example: sheet.types for example, sheet in sheets.items()}
    pins = task.skill.metadata.packages
    resolved = resolve_skill(readable, wanted, types, pins, bench, are_programs=task.are_programs)
    for remark in resolved.remarks:
        if remark.example in wanted:
            _note(task, remark, sheets[remark.example], bench.lock)
    for example, by in resolved.looked_at.items():
        sheet = sheets[example]
        if not sheet.faults and not sheet.open:
            sheet.level, sheet.by = Level.RESOLVED, by
    return tuple(
        sorted(
            Problem(remark.example.path, remark.line, f"cannot be verified: {remark.text}", VERIFY)
            for remark in resolved.remarks
            if remark.verdict is Verdict.UNVERIFIED
        )
    )


def _note(task: Task, remark: Remark, sheet: _Sheet, lock: Sequence[str]) -> None:
    """Put down what keeps an example from being resolved, unless a waiver passes it."""
    page = page_key(task.skill, remark.example)
    waiver = next((one for one in task.waivers if one.covers(page, remark.use, task.today)), None)
    if waiver:
        sheet.waived.append(waiver.note)
    elif remark.is_unpinned and (not task.are_programs or sheet.faults):
        sheet.open.append(remark.text)
    elif remark.verdict is Verdict.DRIFT:
        text = f"is not in {_held_against(remark, lock)}: {remark.text}" if remark.package else remark.text
        mend = remark.suggestion if remark.is_unpinned else remark.suggestion and f"write {remark.suggestion}"
        sheet.faults.append(Fault(at=remark.line - remark.example.line, text=text, mend=mend))
    else:
        sheet.open.append(remark.text)


def _held_against(remark: Remark, lock: Sequence[str]) -> str:
    """The release that lacks what a remark is about, if a release is named like its module."""
    package = remark.package.replace("_", "-").lower()
    named = [one for one in lock if package and f"{one.partition('==')[0]}-".startswith(f"{package}-")]
    return min(named, key=len, default="the pinned releases")


def _finding(task: Task, example: Example, context: str, sheet: _Sheet) -> Finding:
    return Finding(
        page=page_key(task.skill, example),
        line=example.line,
        sha256=example.sha256,
        context=context,
        level=sheet.level,
        checked=task.today,
        by=sheet.by,
        seconds=sheet.seconds,
        device=sheet.device,
        tried=task.level,
        why=_why(example, sheet),
        faults=tuple(sheet.faults),
        waived=tuple(sheet.waived),
    )


def _why(example: Example, sheet: _Sheet) -> str:
    """What keeps an example from a higher level, the nearest cause first."""
    if sheet.faults or sheet.level >= Level.EXECUTED:
        return ""
    causes = [*sheet.open, *sheet.why] or [_nature(example, sheet)]
    return "; ".join(causes)


def _nature(example: Example, sheet: _Sheet) -> str:
    """What about an example itself keeps it where it is."""
    if example.language == "diff" and sheet.level < Level.RESOLVED:
        return NOT_PYTHON
    return NOT_RUN.get(example.language, NOT_READ)
