"""The board of drift and the word at a pin say what the record says of these pins, and no more."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import yaml

from ai_research_skills.catalog.drift_record import DriftEntry, DriftRecord
from hooks.coverage_page import coverage_page
from hooks.evidence_boards import evidence_boards
from hooks.site_content import SiteContent
from hooks.skill_pages import skill_pages
from tests.coverage.made_up_evidence import TODAY, made_skill, made_tree
from tests.hooks.test_skill_markdown import Tags

SKILL = made_skill("# Toolbox\n\n```python\nimport toolbox\n```\n")
NEWER = {
    "pin": "toolbox==1.2.0",
    "newest": "2.0",
    "together": "1.9",
    "step": "major",
    "released": "2026-11-01",
}
NUMPY = {"pin": "numpy==2.4.6", "newest": "2.4.6"}
HOSTILE = '<img src=x onerror=alert(1)> "quoted" & <script>alert(1)</script>'


def content(**entry: Any) -> SiteContent:
    facts = {"asked": "2026-11-20", "pins": [NEWER, NUMPY], "repinnable": True, **entry}
    return content_of(DriftRecord(skills={"toolbox": DriftEntry.model_validate(facts)}))


def content_of(record: DriftRecord | None) -> SiteContent:
    tree = dataclasses.replace(made_tree(SKILL, None), drift=record)
    return SiteContent(tree, TODAY, "https://example.org/repo", "https://example.org/site/")


def row(content: SiteContent) -> list[str]:
    (board,) = [board for board in evidence_boards(content) if board.id == "drift"]
    (cells,) = board.rows
    assert len(cells) == len(board.columns)
    assert cells[0].address == "skills/toolbox/#about-this-skill"
    return [cell.text for cell in cells]


def panel(content: SiteContent) -> str:
    page = str(next(iter(skill_pages(content))).content)
    return str(yaml.safe_load(page.split("---\n")[1])["panel"])


def test_it_counts_pins_by_step_and_says_when_the_registry_was_asked() -> None:
    assert row(content()) == ["Toolbox", "1 major", "0", "yes, 1 pin", "0", "2026-11-20"]
    assert "Toolbox: 1 of 2" in str(coverage_page(content()).content)


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ({"repinnable": False}, "no, 1 pin"),
        ({"repinnable": None}, "not held, 1 pin"),
        ({"pins": [{**NEWER, "together": None}, NUMPY], "repinnable": None}, "nothing to raise"),
        ({"pins": [{"pin": "toolbox==1.2.0"}, NUMPY], "repinnable": None}, "unknown"),
    ],
)
def test_whether_a_skill_can_be_raised_as_it_stands(entry: dict[str, Any], word: str) -> None:
    assert row(content(**entry))[3] == word


def test_what_would_break_and_what_is_wrong_is_counted_and_listed_in_the_panel() -> None:
    found = content(
        breaks=[
            {"page": "SKILL.md", "text": "`toolbox.go`: gone", "uses": 2},
            {"page": "references/api.md", "text": "`toolbox.odd`: unseen", "is_certain": False},
        ],
        repinnable=False,
        concerns=["numpy: 2.4.6 was yanked"],
    )
    assert row(found)[2:5] == ["2, perhaps 1 more", "no, 1 pin", "1"]
    shown = panel(found)
    assert "SKILL.md</code>, 2 uses: `toolbox.go`: gone" in shown
    assert "references/api.md</code>, perhaps: `toolbox.odd`: unseen" in shown
    assert "Concern: numpy: 2.4.6 was yanked" in shown


def test_a_pin_names_the_newer_release_that_goes_together_with_the_others() -> None:
    shown = panel(content())
    assert '<code>toolbox==1.2.0</code> <span class="small">newer: 1.9</span>' in shown
    assert shown.count("newer: ") == 1
    assert "newer: " not in panel(content(pins=[{**NEWER, "together": None}, NUMPY]))


def test_what_was_found_about_other_pins_is_stale_and_not_shown_as_if_it_held() -> None:
    stale = content(pins=[{**NEWER, "pin": "toolbox==1.1.0"}, NUMPY], concerns=["toolbox: 1.1.0 was yanked"])
    assert row(stale)[1:] == [*["–"] * 4, "for other pins, 2026-11-20"]
    assert "newer: " not in panel(stale)
    assert "yanked" not in panel(stale)


def test_a_skill_that_was_never_asked_about_is_listed() -> None:
    assert row(content_of(DriftRecord()))[1:] == [*["–"] * 4, "never"]


def test_examples_that_were_not_held_have_no_figure() -> None:
    assert row(content(repinnable=None))[2] == "–"


def test_steps_are_counted_by_their_kind() -> None:
    assert row(content(pins=[NEWER, {**NUMPY, "newest": "2.4.7", "step": "patch"}]))[1] == "1 patch, 1 major"


def test_without_a_record_there_is_no_board() -> None:
    assert "drift" not in [board.id for board in evidence_boards(content_of(None))]
    assert "newer: " not in panel(content_of(None))


def test_hostile_text_in_the_record_is_shown_and_not_obeyed() -> None:
    pin = {**NEWER, "newest": HOSTILE, "together": HOSTILE}
    broken = {"page": HOSTILE, "text": HOSTILE}
    found = content(pins=[pin, NUMPY], breaks=[broken], concerns=[HOSTILE])
    for page in (panel(found), str(coverage_page(found).content)):
        for tag, attributes in Tags(page).found:
            assert tag != "script"
            assert not [name for name in attributes if name.startswith("on")]
    assert "alert(1)" in panel(found)
