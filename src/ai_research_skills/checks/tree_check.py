"""Checking many skills of a tree: what is due of each, parsed in one go, then read and run side by side."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ai_research_skills.catalog.evidence import RULES, Level, SkillEvidence, evidence_path
from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.tree import Tree
from ai_research_skills.checks.bench import Bench, bench_of
from ai_research_skills.checks.engines import engine_versions
from ai_research_skills.checks.parsing import parse_all
from ai_research_skills.checks.releases.closure import NoClosure
from ai_research_skills.checks.renewal import merged, recorded_faults
from ai_research_skills.checks.skill_check import CannotCheck, Checked, Task, check_pages
from ai_research_skills.checks.whole_file import write_whole

Due = Mapping[Skill, tuple[Page, ...]]
BenchOf = Callable[[Skill, SkillEvidence | None], Bench]


@dataclass(frozen=True)
class SkillCheck:
    """What checking some pages of one skill has shown.

    Attributes:
        checked: The findings of the pages that were due.
        evidence: The record as it is now, with what is still fresh of the one before.
        problems: Every fault, those of the fresh part of the record included.
    """

    skill: Skill
    checked: Checked
    evidence: SkillEvidence
    problems: tuple[Problem, ...]


def check_tree(
    tree: Tree,
    due: Due,
    level: Level,
    today: dt.date,
    report: Callable[[SkillCheck], None] = lambda found: None,
    bench: BenchOf = bench_of,
    *,
    are_programs: bool = True,
) -> list[SkillCheck]:
    """Check the `due` pages of skills of `tree` up to `level`, in the order of the skills.

    Args:
        tree: Where the records and the waivers are.
        due: The pages of each skill that are to be checked; a skill without any costs nothing.
        level: The level to try.
        today: The day of the findings.
        report: Called with each skill that is done, while others are under way.
        are_programs: Whether the pages of this tree were written as programs.
        bench: Gives the releases that a skill is held against, or raises NoClosure.
    """
    tasks = _tasks(tree, due, level, today, are_programs=are_programs)
    jobs = max(2, os.cpu_count() or 2)
    with ThreadPoolExecutor(jobs) as skills, ThreadPoolExecutor(jobs) as programs:

        def check(task: Task) -> SkillCheck:
            found = _check(task, tree.evidence.get(task.skill.name), bench, programs)
            report(found)
            return found

        return list(skills.map(check, tasks))


def write_evidence(root: Path, evidence: SkillEvidence) -> Path:
    """Write the record of one skill; returns its path relative to `root`."""
    path = evidence_path(evidence.skill)
    write_whole(root / path, evidence.model_dump_json(indent=1, exclude_defaults=True) + "\n")
    return path


def _tasks(tree: Tree, due: Due, level: Level, today: dt.date, *, are_programs: bool) -> list[Task]:
    blocks = [block for pages in due.values() for page in pages for block in page_examples(page)]
    parsed = parse_all([block for block in blocks if not block.is_output])
    waivers = {skill: tuple(one for one in tree.waivers if one.skill == skill.name) for skill in due}
    return [
        Task(skill, pages, parsed, level, today, waivers[skill], are_programs) for skill, pages in due.items()
    ]


def _check(task: Task, record: SkillEvidence | None, bench_of: BenchOf, programs: Executor) -> SkillCheck:
    bench, problems = _bench(task, record, bench_of)
    checked, lacks = _checked(task if bench else replace(task, level=Level.PARSED), bench, programs)
    evidence = _evidence(task.skill, record, checked, bench)
    faults = recorded_faults(task.skill, evidence)
    return SkillCheck(task.skill, checked, evidence, (*problems, *lacks, *faults))


def _checked(task: Task, bench: Bench | None, programs: Executor) -> tuple[Checked, tuple[Problem, ...]]:
    """Check as far as this machine can, and say what it lacks for the rest."""
    try:
        return check_pages(task, bench, programs), ()
    except CannotCheck as error:
        lack = Problem(task.skill.path, 1, f"cannot be {task.level.label} here", str(error))
    lower = Level.RESOLVED if task.level > Level.RESOLVED else Level.PARSED
    checked, lacks = _checked(replace(task, level=lower), bench if lower > Level.PARSED else None, programs)
    return checked, (lack, *lacks)


def _bench(
    task: Task, record: SkillEvidence | None, bench_of: BenchOf
) -> tuple[Bench | None, tuple[Problem, ...]]:
    if task.level < Level.RESOLVED or not task.pages:
        return None, ()
    try:
        return bench_of(task.skill, record), ()
    except NoClosure as error:
        return None, (Problem(task.skill.path, 1, "has releases that do not resolve", str(error)),)


def _evidence(
    skill: Skill, record: SkillEvidence | None, checked: Checked, bench: Bench | None
) -> SkillEvidence:
    """The record of `skill` with what was `checked`; without a bench it keeps the releases that it names."""
    pins = tuple(map(str, skill.metadata.packages))
    base = SkillEvidence(skill=skill.name, rules=RULES, pins=pins, python="", platform="", findings=())
    if record and record.pins == pins:
        base = record.model_copy(update={"rules": RULES})
    held = {}
    if bench:
        held = {
            "python": bench.python,
            "platform": f"{platform.system()} {platform.machine()}",
            "absent": tuple(map(str, bench.absent)),
            "engines": engine_versions(),
            "lock": bench.lock,
        }
    return base.model_copy(update={**held, "findings": merged(skill, record, checked.findings)})
