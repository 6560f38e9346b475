"""Every count is the length of a list of the repository."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.library_roadmap import LibraryRoadmap, Measure
from ai_research_skills.catalog.tree import Tree, load_tree
from ai_research_skills.coverage import counts
from ai_research_skills.coverage.standing import Standing, standings
from ai_research_skills.coverage.tier import Tier

TODAY = dt.date(2026, 11, 21)


@pytest.fixture(scope="module")
def tree(repository: Path) -> Tree:
    return load_tree(repository)


@pytest.fixture(scope="module")
def roadmap(tree: Tree) -> LibraryRoadmap:
    assert tree.roadmap
    return tree.roadmap


@pytest.fixture(scope="module")
def found(tree: Tree) -> list[Standing]:
    return list(standings(tree, TODAY).values())


def test_categories_partition_the_plan_and_the_tree(tree: Tree, roadmap: LibraryRoadmap) -> None:
    rows = counts.by_category(roadmap, tree.skills)
    assert sorted(name for row in rows for name in row.planned) == sorted(
        plan.name for plan in roadmap.skills
    )
    assert sorted(name for row in rows for name in row.written) == [skill.name for skill in tree.skills]
    assert all(set(row.written) <= set(row.planned) for row in rows), "every written skill is in the plan"


def test_sections_count_a_skill_wherever_it_serves(tree: Tree, roadmap: LibraryRoadmap) -> None:
    rows = {row.id: row for row in counts.by_section(roadmap, tree.skills)}
    for plan in roadmap.skills:
        assert {id_ for id_, row in rows.items() if plan.name in row.planned} == set(plan.sections)


def test_an_empty_set_is_not_covered() -> None:
    assert counts.Coverage("x", "X", (), ()).share == 0


def test_tiers_levels_and_ages_add_up(tree: Tree, found: list[Standing]) -> None:
    assert sum(map(len, counts.by_tier(found).values())) == len(tree.skills)
    levels = counts.by_level(found)
    assert sum(sum(skills.values()) for skills in levels.values()) == sum(len(s.levels) for s in found)
    assert sum(map(len, counts.by_freshness(tree.skills, TODAY).values())) == len(tree.skills)


def test_age_is_counted_from_the_day_given(tree: Tree) -> None:
    later = counts.by_freshness(tree.skills, TODAY + dt.timedelta(days=400))
    assert len(later["older than a year"]) == len(tree.skills)


def test_declared_goals_stand_beside_what_the_tree_holds(
    tree: Tree, roadmap: LibraryRoadmap, found: list[Standing]
) -> None:
    values = {
        goal.measure: counts.measured(goal, roadmap, found)
        for goal in (*roadmap.targets, *roadmap.success_metrics)
    }
    assert values[Measure.SKILLS_TOTAL] == len(tree.skills)
    assert values[Measure.GOLD_SKILLS] == len(counts.by_tier(found)[Tier.GOLD])
    assert values[Measure.EXTERNAL] is None


def test_section_share_is_a_percentage_of_the_plan(tree: Tree, roadmap: LibraryRoadmap) -> None:
    every = [section.id for section in roadmap.sections]
    assert counts.section_share(roadmap, every, ()) == 0
    share = counts.section_share(roadmap, every, tree.skills)
    assert share == pytest.approx(100 * len(tree.skills) / len(roadmap.skills))


def test_levels_run_from_the_highest_down(found: list[Standing]) -> None:
    assert list(counts.by_level(found)) == sorted(Level, reverse=True)
