"""Holding the examples of one skill against its pins: parsed, resolved and, where this machine can, executed."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.evidence import (
    RULES,
    Finding,
    Level,
    SkillEvidence,
    evidence_path,
    page_contexts,
    page_key,
)
from ai_research_skills.catalog.example import Example, Mark, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.checks.parsing import DoesNotParse, parses
from ai_research_skills.checks.releases.environment import Environment
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.skill import resolve_skill
from ai_research_skills.checks.resolving.type_engine import NoEngine
from ai_research_skills.checks.running import page_runner
from ai_research_skills.checks.running.isolated import run_inside
from ai_research_skills.checks.whole_file import write_whole

PAGE_TIMEOUT = 600
"""Seconds for all blocks of a page."""


@dataclass(frozen=True)
class Checked:
    """The evidence that was found, what is wrong, and what keeps examples from being resolved."""

    evidence: SkillEvidence
    problems: tuple[Problem, ...]
    open_questions: tuple[Problem, ...] = ()


@dataclass
class _Run:
    """What running the pages of a skill has shown."""

    levels: dict[Example, Level] = field(default_factory=dict)
    seconds: dict[Example, float] = field(default_factory=dict)
    types: dict[Example, Mapping[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def check_skill(skill: Skill, environment: Environment | None, today: dt.date) -> Checked:
    """Parse every example of `skill`; in `environment`, if there is one, run its pages and resolve what did not run."""
    pages = {
        page: [example for example in page_examples(page) if not example.is_output] for page in skill.pages
    }
    run = _Run()
    for examples in pages.values():
        run.levels |= {example: _parsed(example, run.problems) for example in examples}
    open_questions: tuple[Problem, ...] = ()
    if environment:
        for page, examples in pages.items():
            _run_page(page, examples, environment, run)
        open_questions = _resolve(skill, list(pages.values()), environment, run)
    evidence = SkillEvidence(
        skill=skill.name,
        rules=RULES,
        pins=tuple(map(str, skill.metadata.packages)),
        absent=tuple(map(str, environment.absent)) if environment else (),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}, CPU",
        findings=tuple(
            _finding(skill, example, context, run, today)
            for examples in pages.values()
            for example, context in page_contexts(examples)
        ),
    )
    return Checked(evidence, tuple(run.problems), open_questions)


def write_evidence(root: Path, evidence: SkillEvidence) -> Path:
    """Write the record of one skill; returns its path relative to `root`."""
    path = evidence_path(evidence.skill)
    write_whole(root / path, evidence.model_dump_json(indent=1, exclude_none=True) + "\n")
    return path


def _finding(skill: Skill, example: Example, context: str, run: _Run, today: dt.date) -> Finding:
    return Finding(
        page=page_key(skill, example),
        line=example.line,
        sha256=example.sha256,
        context=context,
        checked=today,
        level=run.levels[example],
        seconds=round(run.seconds[example], 2) if example in run.seconds else None,
    )


def _parsed(example: Example, problems: list[Problem]) -> Level:
    try:
        return Level.PARSED if parses(example) else Level.STATED
    except DoesNotParse as error:
        problems.append(Problem(example.path, example.line, str(error), "correct the example"))
        return Level.STATED


def _run_page(page: Page, examples: Sequence[Example], environment: Environment, run: _Run) -> None:
    """Run the Python of a page; diffs are passed over like blocks for a GPU, for the types of the names there."""
    blocks = [example for example in examples if example.language in {"python", "diff"}]
    if not any(block.language == "python" for block in blocks):
        return
    program = [
        {"page": page.path.name, "line": block.line, "source": block.source, "mark": _run_mark(block)}
        for block in blocks
    ]
    outcomes = run_inside(environment.python, page_runner.__file__, program, PAGE_TIMEOUT)
    if outcomes is None:
        message = f"did not end within {PAGE_TIMEOUT} s, or ended the interpreter"
        run.problems.append(Problem(page.path, 0, message, "make the examples smaller"))
        return
    for example, outcome in zip(blocks, outcomes, strict=True):
        _take(example, outcome, run)


def _run_mark(example: Example) -> str:
    return example.mark if example.language == "python" else Mark.GPU


def _take(example: Example, outcome: Mapping[str, Any], run: _Run) -> None:
    if outcome["outcome"] in {"ran", "raised"}:
        run.levels[example] = Level.EXECUTED
        run.seconds[example] = outcome["seconds"]
    elif outcome["outcome"] == "failed":
        message = f"example failed: {outcome['message'].splitlines()[-1][:300]}"
        mend = "correct it, or mark it `gpu` or `fails`"
        run.problems.append(Problem(example.path, example.line, message, mend))
    run.types[example] = outcome.get("types", {})


def _resolve(
    skill: Skill, pages: Sequence[Sequence[Example]], environment: Environment, run: _Run
) -> tuple[Problem, ...]:
    """Raise the level of what is resolved; returns what keeps the rest from it without being a fault."""
    parsed = [[example for example in page if run.levels[example] >= Level.PARSED] for page in pages]
    try:
        resolved = resolve_skill(parsed, run.types, skill.metadata.packages, environment)
    except NoEngine as error:
        run.problems.append(Problem(skill.path, 0, "has examples that cannot be resolved", str(error)))
        return ()
    run.levels |= dict.fromkeys(resolved.examples, Level.RESOLVED)
    pins = ", ".join(map(str, skill.metadata.packages))
    run.problems += [
        _problem(remark, f"is not in the pinned releases ({pins})", "correct it, or the pins")
        for remark in resolved.remarks
        if remark.verdict is Verdict.DRIFT
    ]
    return tuple(
        _problem(remark, "cannot be resolved", "spell it out, or annotate the value")
        for remark in resolved.remarks
        if remark.verdict is Verdict.UNVERIFIED
    )


def _problem(remark: Remark, what: str, mend: str) -> Problem:
    return Problem(remark.example.path, remark.line, f"{what}: {remark.text}", mend)
