"""`check`: holding the examples of skills against their pins, and keeping what was found."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import click

from ai_research_skills.catalog.evidence import FOLDER, Level
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.tree import Tree, load_tree
from ai_research_skills.catalog.waivers import expired
from ai_research_skills.checks.bench import bench_of
from ai_research_skills.checks.changed import NoHistory, changed_skills
from ai_research_skills.checks.engines import is_from_these_engines
from ai_research_skills.checks.foreign import foreign_bench
from ai_research_skills.checks.renewal import differences, due_pages, recorded_faults
from ai_research_skills.checks.second_look import second_look
from ai_research_skills.checks.tree_check import SkillCheck, check_tree, write_evidence
from ai_research_skills.cli.output import finish, json_option, progress, root_option, say, working


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--level",
    type=click.IntRange(Level.PARSED, Level.EXECUTED_ON_GPU),
    help="How far to go: 1 parse, 2 resolve, 3 run, 4 run on this machine's GPU. [default: 3; 2 without records]",
)
@click.option("--all", "everything", is_flag=True, help="Check again what is still fresh.")
@click.option(
    "--changed-since", metavar="REV", help="Only skills with a file that differs from this revision."
)
@click.option("--second-opinion", is_flag=True, help="Say where pyrefly sees it otherwise; decides nothing.")
@click.option("--why", is_flag=True, help="Say what keeps examples from being resolved.")
@click.option(
    "--write/--no-write", default=None, help="Keep what was found. [default: if the tree keeps records]"
)
@click.option(
    "--verify", is_flag=True, help="Hold the records against a new check of everything; write nothing."
)
@root_option
@json_option
def check(
    names: tuple[str, ...],
    level: int | None,
    everything: bool,
    changed_since: str | None,
    second_opinion: bool,
    why: bool,
    write: bool | None,
    verify: bool,
    root: Path,
    as_json: bool,
) -> None:
    """Check what is stale: parse every example, run each page in its pins, resolve what does not run."""
    tree = load_tree(root)
    keeps_records = (root / FOLDER.parent).is_dir()
    goal = Level(level) if level else Level.EXECUTED if keeps_records else Level.RESOLVED
    skills = _chosen(tree, names, changed_since)
    due = {skill: _due(tree, skill, goal, everything=everything or verify) for skill in skills}
    today = dt.datetime.now(dt.UTC).date()
    busy = {skill: pages for skill, pages in due.items() if pages}
    keeps_what_it_finds = not verify and (keeps_records if write is None else write)
    with progress("checking skills", len(busy)) as bar:

        def take(one: SkillCheck) -> None:
            if keeps_what_it_finds:
                write_evidence(root, one.evidence)
            bar.done(one.skill.name)

        bench = partial(bench_of if keeps_records else foreign_bench, report=bar.fetching)
        found = check_tree(tree, busy, goal, today, take, bench, are_programs=keeps_records)
    if not as_json:
        _report(found, len(skills) - len(busy), why=why)
        if second_opinion:
            _report_second_look(tree, busy)
    finish(
        [*_problems(tree, skills, found, verify=verify), *expired(tree.waivers, today)],
        as_json=as_json,
        fine="every example did what it says" if busy else "nothing is stale; --all checks it all the same",
    )


def _chosen(tree: Tree, names: Sequence[str], changed_since: str | None) -> tuple[Skill, ...]:
    unknown = sorted(set(names) - set(tree.by_name))
    if unknown:
        raise click.UsageError(f"no skill is named {', '.join(unknown)} → `ai-skills list` names them all")
    chosen = tuple(skill for skill in tree.skills if not names or skill.name in names)
    if changed_since is None:
        return chosen
    try:
        return changed_skills(tree.root, changed_since, chosen)
    except NoHistory as error:
        raise click.UsageError(
            f"--changed-since {changed_since}: {error} → name a commit or a branch"
        ) from error


def _due(tree: Tree, skill: Skill, level: Level, *, everything: bool) -> tuple[Page, ...]:
    record = tree.evidence.get(skill.name)
    if everything or (record and not is_from_these_engines(record)):
        return due_pages(skill, None, level)
    return due_pages(skill, record, level, tree.waivers)


def _problems(
    tree: Tree, skills: Iterable[Skill], found: Sequence[SkillCheck], *, verify: bool
) -> Iterable[Problem]:
    """The faults of every chosen skill, of those that were not due as well: a record that names one is no peace."""
    checked = {one.skill: one for one in found}
    for skill in skills:
        record = tree.evidence.get(skill.name)
        yield from checked[skill].problems if skill in checked else recorded_faults(skill, record)
        if verify and skill in checked:
            yield from differences(skill, record, checked[skill].checked.findings)


def _report_second_look(tree: Tree, skills: Iterable[Skill]) -> None:
    for skill in skills:
        with working(f"{skill.name}: asking pyrefly"):
            seen = second_look(skill, bench_of(skill, tree.evidence.get(skill.name)))
        say(f"{skill.name}: {len(seen)} disagreements with pyrefly")
        for one in seen:
            say(f"  {one.example.path.as_posix()}:{one.line}: only {one.by}: {one.text}")


def _report(found: Sequence[SkillCheck], fresh: int, *, why: bool) -> None:
    for one in found:
        levels = Counter(finding.level for finding in one.evidence.findings)
        counts = ", ".join(f"{levels[level]} {level.label}" for level in sorted(levels, reverse=True))
        problems = f"{len(one.problems)} problem{'s' * (len(one.problems) != 1)}"
        say(f"{one.skill.name}: {levels.total()} examples ({counts}), {problems}")
        if one.problems:
            say(f"  held against {', '.join(one.evidence.lock) or 'nothing'} on Python {one.evidence.python}")
        for question in one.checked.open_questions if why else ():
            say(f"  {question.path.as_posix()}:{question.line}: {question.message}")
    if fresh and found:
        say(f"{fresh} more: nothing stale")
