"""The record of drift is read or refused, and is stale once its skill has other pins."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.catalog.drift_record import DRIFT_FILE, DriftEntry, Step, load_drift
from ai_research_skills.catalog.tree import load_tree

ENTRY: dict[str, Any] = {
    "asked": "2026-11-26",
    "pins": [{"pin": "numpy==2.4.6", "newest": "3.0.0", "together": "3.0.0", "step": "major"}],
    "breaks": [
        {"page": "SKILL.md", "text": "`numpy.old`: gone", "uses": 2},
        {"page": "SKILL.md", "text": "`numpy.odd`: nobody can see it", "is_certain": False},
    ],
    "repinnable": False,
}


def write(root: Path, value: object) -> None:
    path = root / DRIFT_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def test_a_tree_without_one_has_none(tmp_path: Path) -> None:
    assert load_drift(tmp_path) == (None, ())
    assert load_tree(tmp_path).drift is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"skills": {"example": {}}}', '{"skills": {}, "more": 1}'])
def test_a_faulty_one_is_a_problem_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    record, (problem,) = load_drift(tmp_path)
    assert record is None
    assert problem.path == DRIFT_FILE
    assert "ai-skills outdated --write" in problem.mend
    assert problem in load_tree(tmp_path).problems


def test_an_entry_holds_for_the_pins_that_it_was_asked_of(
    tmp_path: Path, write_skill: Callable[..., Path]
) -> None:
    folder = write_skill()
    write(tmp_path, {"skills": {"example": ENTRY}})
    tree = load_tree(tmp_path).checked()
    assert tree.drift
    (skill,) = tree.skills
    assert tree.drift.fresh(skill) is tree.drift.skills["example"]
    path = folder / "SKILL.md"
    path.write_text(path.read_text().replace("numpy==2.4.6", "numpy==2.4.7"))
    (skill,) = load_tree(tmp_path).skills
    assert tree.drift.fresh(skill) is None


def test_an_entry_counts_pins_by_step_and_uses_by_certainty() -> None:
    entry = DriftEntry.model_validate(ENTRY)
    assert entry.steps == {Step.MAJOR: 1}
    assert (entry.count_broken(for_certain=True), entry.count_broken(for_certain=False)) == (2, 1)
