"""A waiver passes one use, for a reason, until a day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.waivers import WAIVERS_FILE, Waiver, expired, load_waivers

GOOD = """
- skill: example
  page: references/api.md
  use: model.generate(...)
  reason: It is forwarded to a compiled module that nothing can read.
  expires: 2026-12-31
"""
DAY = dt.date(2026, 11, 26)


def load(root: Path, text: str) -> tuple[tuple[Waiver, ...], tuple[Problem, ...]]:
    path = root / WAIVERS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return load_waivers(root, ["example"])


def test_a_tree_without_waivers_has_none(tmp_path: Path) -> None:
    assert load_waivers(tmp_path, []) == ((), ())
    assert load(tmp_path, "# none yet\n[]\n") == ((), ())
    assert load(tmp_path, "") == ((), ())


def test_it_covers_its_use_on_its_page_until_its_last_day(tmp_path: Path) -> None:
    (waiver,), problems = load(tmp_path, GOOD)
    assert not problems
    assert waiver.covers("references/api.md", "model.generate(...)", DAY)
    assert waiver.covers("references/api.md", "model.generate(...)", waiver.expires)
    assert not waiver.covers("references/api.md", "model.generate(...)", waiver.expires + dt.timedelta(1))
    assert not waiver.covers("SKILL.md", "model.generate(...)", DAY)
    assert not waiver.covers("references/api.md", "model.eval(...)", DAY)


def test_without_a_page_it_covers_all_of_them(tmp_path: Path) -> None:
    (waiver,), _ = load(tmp_path, GOOD.replace("  page: references/api.md\n", ""))
    assert waiver.covers("SKILL.md", "model.generate(...)", DAY)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("skill: example", "skill: exampel", 2, "unknown skill 'exampel'"),
        ("  expires: 2026-12-31\n", "", 2, "lacks 0.expires"),
        ("2026-12-31", "soon", 6, "0.expires"),
        ("It is forwarded to a compiled module that nothing can read.", "fine", 5, "0.reason"),
        ("use: model.generate(...)", "uses: x", 4, "unknown field 0.uses"),
    ],
)
def test_a_faulty_one_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, said: str
) -> None:
    _, problems = load(tmp_path, GOOD.replace(old, new))
    assert (line, True) in [(problem.line, said in problem.message) for problem in problems]


def test_one_that_ended_is_a_problem(tmp_path: Path) -> None:
    waivers, _ = load(tmp_path, GOOD)
    assert not list(expired(waivers, DAY))
    (problem,) = expired(waivers, dt.date(2027, 1, 1))
    assert "ended on 2026-12-31" in problem.message
