"""`check`: holding a skill's examples against its pins."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import click

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.tree import Tree, load_tree
from ai_research_skills.checks.releases.environment import Environment, NoEnvironment, pinned_environment
from ai_research_skills.checks.skill_check import Checked, check_skill, write_evidence
from ai_research_skills.cli.output import finish, json_option, root_option, say, working


@click.command()
@click.argument("names", nargs=-1)
@click.option("--parse-only", is_flag=True, help="Do not run anything.")
@click.option("--why", is_flag=True, help="Say what keeps examples from being resolved.")
@click.option("--write", is_flag=True, help="Keep what was found under docs/evidence/skills.")
@root_option
@json_option
def check(
    names: tuple[str, ...], parse_only: bool, why: bool, write: bool, root: Path, as_json: bool
) -> None:
    """Parse every example, run it in an environment made of the skill's pins, and resolve what does not run."""
    tree = load_tree(root)
    unknown = sorted(set(names) - set(tree.by_name))
    if unknown:
        raise click.UsageError(f"no skill is named {', '.join(unknown)} → `ai-skills list` names them all")
    if write and parse_only:
        raise click.UsageError("--write keeps a whole record → leave --parse-only out")
    problems: list[Problem] = []
    for name in names or sorted(tree.by_name):
        with working(f"{name}: parsing, running and resolving its examples"):
            problems += _check_one(tree, name, parse_only=parse_only, why=why, write=write, quiet=as_json)
    finish(problems, as_json=as_json, fine="every example did what it says")


def _check_one(
    tree: Tree, name: str, *, parse_only: bool, why: bool, write: bool, quiet: bool
) -> tuple[Problem, ...]:
    skill = tree.by_name[name]
    environment: Environment | None = None
    if not parse_only:
        try:
            environment = pinned_environment(skill.metadata.packages)
        except NoEnvironment as error:
            return (Problem(skill.path, 1, f"has no environment: {error}", "correct the pins"),)
    checked = check_skill(skill, environment, dt.datetime.now(dt.UTC).date())
    if write:
        write_evidence(tree.root, checked.evidence)
    if not quiet:
        say(f"{name}: {_summary(checked)}")
        for question in checked.open_questions if why else ():
            say(f"  {question}")
    return checked.problems


def _summary(checked: Checked) -> str:
    levels = Counter(finding.level for finding in checked.evidence.findings)
    counts = ", ".join(f"{levels[level]} {level.label}" for level in sorted(levels, reverse=True))
    return f"{levels.total()} examples ({counts}), {len(checked.problems)} problems"
