"""The records of this repository: whole, fresh, and no better than what a new check finds.

Levels 0 and 1 are derived again for every example, and all levels for a sample that turns with the commit. The
weekly workflow derives everything.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable

import pytest

from ai_research_skills.catalog.evidence import Finding, Level, checked_examples, fresh_findings
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.tree import Tree, load_tree
from ai_research_skills.catalog.waivers import expired
from ai_research_skills.checks.bench import bench_of
from ai_research_skills.checks.engines import is_from_these_engines
from ai_research_skills.checks.parsing import parse_all
from ai_research_skills.checks.releases.closure import Unreached
from ai_research_skills.checks.renewal import differences, due_pages, recorded_faults
from ai_research_skills.checks.sample import commit_seed, sampled
from ai_research_skills.checks.tree_check import check_tree
from tests.conftest import ROOT

SAMPLED_SKILLS = 2
SAMPLED_SECONDS = 120
"""Seconds of examples; making environments comes on top the first time."""


@pytest.fixture(scope="module")
def tree() -> Tree:
    return load_tree(ROOT)


def test_every_skill_has_a_record_and_no_record_is_left_over(tree: Tree) -> None:
    assert set(tree.evidence) == set(tree.by_name)


def test_nothing_is_stale(tree: Tree) -> None:
    """A changed example must be checked again before it lands."""
    due = {
        skill.name: due_pages(skill, tree.evidence[skill.name], Level.EXECUTED, tree.waivers)
        for skill in tree.skills
    }
    stale = sorted(name for name, pages in due.items() if pages)
    assert not stale, f"run `ai-skills check {' '.join(stale)}`"
    assert all(map(is_from_these_engines, tree.evidence.values())), "run `ai-skills check`"


def test_no_record_holds_a_fault_and_no_waiver_has_ended(tree: Tree) -> None:
    faults = [fault for skill in tree.skills for fault in recorded_faults(skill, tree.evidence[skill.name])]
    assert not faults
    assert not list(expired(tree.waivers, dt.datetime.now(dt.UTC).date()))


def test_every_lock_holds_the_pins(tree: Tree) -> None:
    assert all(set(record.pins) <= set(record.lock) for record in tree.evidence.values())


def test_what_is_below_its_level_says_why(tree: Tree) -> None:
    silent = [
        finding for record in tree.evidence.values() for finding in record.findings if not _is_told(finding)
    ]
    assert not silent


def _is_told(finding: Finding) -> bool:
    return bool(finding.why) or finding.level >= Level.EXECUTED


def test_levels_0_and_1_are_what_the_parsers_say(tree: Tree) -> None:
    parsed = parse_all([example for skill in tree.skills for example, _ in checked_examples(skill)])
    wrong = [
        f"{example.path}:{example.line}: recorded as {finding.level.label}"
        for skill in tree.skills
        for example, finding in fresh_findings(skill, tree.evidence[skill.name]).items()
        if (finding.level >= Level.PARSED) != parsed[example].is_parsed or parsed[example].fault
    ]
    assert not wrong


@pytest.mark.registry
def test_a_sample_of_the_records_is_derived_again(tree: Tree) -> None:
    """Whoever changes a record by hand is found out when its page is drawn, at the latest in the weekly run."""
    sample = sampled(tree, commit_seed(ROOT), skills=SAMPLED_SKILLS, seconds=SAMPLED_SECONDS)
    _hold_reachable(tree, sample)
    checked = check_tree(tree, sample, Level.EXECUTED, dt.datetime.now(dt.UTC).date())
    wrong = [
        problem
        for one in checked
        for problem in differences(one.skill, tree.evidence[one.skill.name], one.checked.findings)
    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert not [problem for one in checked for problem in one.problems]


def _hold_reachable(tree: Tree, skills: Iterable[Skill]) -> None:
    """Without the registry nothing can be derived; that is no fault of the records, but on CI it is one."""
    try:
        for skill in skills:
            bench_of(skill, tree.evidence[skill.name])
    except Unreached as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the registry is not reachable: {error}")
