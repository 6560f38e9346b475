"""`ai-skills outdated`, from the pins of a tree to its exit code, with an index that is made up."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ai_research_skills.catalog.drift_record import DRIFT_FILE
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Pin, Skill
from ai_research_skills.checks.drift.held_examples import CannotHold, ResolvedAt
from ai_research_skills.checks.drift.memory import Silent
from ai_research_skills.cli import outdated as module
from tests.checks.drift.made_up_index import MadeUpIndex, page
from tests.conftest import SKILL

BODY = '```python\nfrom toolbox import connect\n\nconnect("host", retries=3)\n```\n'
OLD = "def connect(host, *, retries=1): ...\n"
NEW = "def connect(host): ...\n"


class World:
    """A tree with one skill, an index, and how its examples fare with other releases."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.index = MadeUpIndex()
        self.faults: dict[str, str] = {}
        self.doubts: dict[str, str] = {}
        self.sources: dict[str, Path] = {}
        self.held: list[str] = []
        self.uv_was_offline = False
        self.cannot = ""

    def hold(self, skill: Skill, pins: Sequence[Pin]) -> ResolvedAt:
        version = pins[0].version
        self.held.append(version)
        self.uv_was_offline = os.environ.get("UV_OFFLINE") == "1"
        if self.cannot:
            raise CannotHold(self.cannot)
        text = self.faults.get(version, "")
        problems = [Problem(skill.path, 9, f"old with toolbox=={version}: `toolbox.old`", "")]
        problems += [Problem(skill.path, 24, text, "mend")] if text else []
        doubts = [Problem(skill.path, 24, self.doubts[version], "")] if version in self.doubts else []
        sources = (self.sources[version],) if version in self.sources else ()
        return ResolvedAt(tuple(problems), {"resolved": 1}, (f"toolbox=={version}",), sources, tuple(doubts))

    def together(self, requirements: Sequence[str], python: str) -> tuple[str, ...] | None:
        if self.index.silent:
            raise Silent("connection refused")
        newest = [self.index.newest_of(one.partition(">=")[0], python) for one in requirements]
        names = [one.partition(">=")[0] for one in requirements]
        return tuple(f"{name}=={one['version']}" for name, one in zip(names, newest, strict=True) if one)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(module.outdated, [*words, "--root", str(self.root)])

    def told(self, *words: str) -> dict[str, Any]:
        result = self.run("--json", *words)
        assert result.exit_code in {0, 1}, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer


@pytest.fixture
def world(tmp_path: Path, write_skill: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> World:
    head = SKILL.format(name="example", title="Example").partition("```python")[0]
    write_skill(text=head.replace("numpy==2.4.6", "toolbox==1.0") + BODY)
    made = World(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "newest_by_uv", lambda uv, name, python: made.index.newest_of(name, python))
    monkeypatch.setattr(module, "fetched", made.index.fetch)
    monkeypatch.setattr(module, "newest_together", made.together)
    monkeypatch.setattr(module, "audit_by_pip_audit", lambda uv, pins: {"dependencies": []})
    monkeypatch.setattr(module, "resolver", lambda: made.hold)
    return made


def test_nothing_newer_is_fine_and_needs_no_look_at_the_examples(world: World) -> None:
    world.index.add("toolbox", "1.0", page=page("1.0"))
    result = world.run()
    assert result.exit_code == 0
    assert "as new as its pins can be together" in result.output
    assert world.held == []


def test_a_major_release_that_removed_a_keyword_names_the_example(world: World, tmp_path: Path) -> None:
    world.index.add("toolbox", "1.0", "2.0", page=page("2.0"))
    world.faults["2.0"] = "`toolbox.connect`: no keyword `retries` in toolbox==2.0"
    for version, text in (("1.0", OLD), ("2.0", NEW)):
        world.sources[version] = tmp_path / version
        (tmp_path / version / "toolbox").mkdir(parents=True)
        (tmp_path / version / "toolbox" / "__init__.py").write_text(text)
    (skill,) = world.told()["skills"]
    (broken,) = skill["breaks"]
    assert (broken["line"], broken["symbol"]) == (24, "toolbox.connect")
    assert broken["moves"] == ["toolbox==1.0 → 2.0"]
    (change,) = skill["changes"]
    assert change["sentence"] == "`toolbox.connect`: parameter `retries` was removed"
    assert change["places"] == ["skills/04-peft/example/SKILL.md:24"]
    (pin,) = skill["pins"]
    assert (pin["step"], pin["days_behind"], pin["released"]) == ("major", 30, "2026-01-31")
    assert not skill["repinnable"]
    result = world.run()
    assert result.exit_code == 1
    assert "example: 1 use would break" in result.output


def test_a_patch_that_breaks_nothing_can_be_pinned_as_it_stands(world: World) -> None:
    world.index.add("toolbox", "1.0", "1.0.1", page=page("1.0.1"))
    (skill,) = world.told()["skills"]
    assert (skill["repinnable"], skill["breaks"], skill["pins"][0]["step"]) == (True, [], "patch")
    assert world.held == ["1.0", "1.0.1"]
    assert "can be pinned anew as it stands" in world.run().output


def test_what_was_wrong_at_the_pins_already_is_no_break(world: World) -> None:
    world.index.add("toolbox", "1.0", "1.1")
    world.faults = {"1.0": "`x`: gone in toolbox==1.0", "1.1": "`x`: gone in toolbox==1.1"}
    assert world.told()["skills"][0]["breaks"] == []


def test_what_nobody_can_tell_any_more_may_break(world: World) -> None:
    world.index.add("toolbox", "1.0", "1.1")
    world.doubts["1.1"] = "`toolbox.connect`: nobody can see it"
    (skill,) = world.told()["skills"]
    assert [one["is_certain"] for one in skill["breaks"]] == [False]
    assert not skill["repinnable"]
    assert "example: 1 use may break" in world.run().output
    world.doubts["1.0"] = world.doubts["1.1"]
    assert world.told()["skills"][0]["repinnable"]


def test_what_nobody_can_tell_is_certain_where_the_sources_confirm_it(world: World, tmp_path: Path) -> None:
    world.index.add("toolbox", "1.0", "1.1")
    world.doubts["1.1"] = "`toolbox.connect`: nobody can see it"
    for version, text in (("1.0", OLD), ("1.1", "x = 1\n")):
        world.sources[version] = tmp_path / version
        (tmp_path / version / "toolbox").mkdir(parents=True)
        (tmp_path / version / "toolbox" / "__init__.py").write_text(text)
    assert [one["is_certain"] for one in world.told()["skills"][0]["breaks"]] == [True]


def test_examples_that_cannot_be_held_are_not_called_repinnable(world: World) -> None:
    world.index.add("toolbox", "1.0", "1.1")
    world.cannot = "no files"
    (skill,) = world.told()["skills"]
    assert (skill["repinnable"], skill["unheld"], skill["outdated"]) == (False, "no files", True)


def test_a_pin_that_others_hold_back_is_no_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.index.add("toolbox", "1.0", "2.0", page=page("2.0"))
    monkeypatch.setattr(module, "newest_together", lambda requirements, python: ("toolbox==1.0",))
    result = world.run()
    assert result.exit_code == 0
    assert "held back" in result.output


def test_where_uv_finds_no_common_answer_it_is_open_whether_a_pin_is_held_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.index.add("toolbox", "1.0", "2.0", page=page("2.0"))
    monkeypatch.setattr(module, "newest_together", lambda requirements, python: None)
    questions = [one["question"] for one in world.told()["skills"][0]["unknown"]]
    assert any("goes together" in question for question in questions)


def test_a_yanked_pin_is_a_finding(world: World) -> None:
    world.index.add("toolbox", "1.0", yanked={"1.0": "eats data"})
    result = world.run()
    assert result.exit_code == 1
    assert "1.0 was yanked: eats data" in result.output


def test_a_doubt_is_shown_and_is_no_finding(world: World) -> None:
    world.index.add("toolbox", "1.0", page=page("1.0", description="# toolbox is deprecated"))
    result = world.run()
    assert result.exit_code == 0
    assert "look at: " in result.output


def test_offline_gives_the_same_answers_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.index.add("toolbox", "1.0", "1.0.1", page=page("1.0.1"))
    monkeypatch.delenv("UV_OFFLINE", raising=False)
    before, asked = world.told(), world.index.asked
    assert not world.uv_was_offline
    after = world.told("--offline")
    assert world.index.asked == asked
    assert after["skills"] == before["skills"]
    assert "nobody was asked" in after["answers"]
    assert world.uv_was_offline
    assert "UV_OFFLINE" not in os.environ
    assert not before["answers"]


def test_a_silent_registry_is_said_in_one_line(world: World) -> None:
    world.index.add("toolbox", "1.0", page=page("1.0"))
    world.run()
    world.index.silent = True
    result = world.run()
    assert result.exit_code == 0
    assert "the registry did not answer (connection refused)" in result.output.splitlines()[0]


def test_offline_without_a_cache_claims_nothing(world: World) -> None:
    result = world.run("--offline")
    assert result.exit_code == 0
    assert "no answers are kept" in result.output
    assert "unknown" in result.output


def test_an_unknown_name_is_a_mistake_of_the_caller(world: World) -> None:
    assert world.run("nobody").exit_code == 2


def test_issues_are_written_for_every_skill_those_to_close_too(world: World, tmp_path: Path) -> None:
    world.index.add("toolbox", "1.0", page=page("1.0"))
    world.run("--issues", str(tmp_path / "issues.json"))
    (found,) = json.loads((tmp_path / "issues.json").read_text())
    assert (found["title"], found["open"]) == ("example: newer releases", False)


def test_hostile_text_of_a_registry_reaches_neither_terminal_nor_markup(world: World) -> None:
    world.index.add("toolbox", "1.0", yanked={"1.0": "\x1b]0;x\x07[red]oops[/red]\nsecond line"})
    output = world.run().output
    assert "\x1b" not in output
    assert "[red]oops[/red] second line" in output


def recorded(world: World) -> dict[str, Any]:
    skills: dict[str, Any] = json.loads((world.root / DRIFT_FILE).read_text())["skills"]
    return skills


def test_write_keeps_what_was_found_for_the_site(world: World) -> None:
    world.index.add("toolbox", "1.0", "2.0", page=page("2.0"), yanked={"1.0": "eats\x1b data"})
    world.faults["2.0"] = "`toolbox.connect`: no keyword `retries` in toolbox==2.0"
    assert world.run("--write").exit_code == 1
    entry = recorded(world)["example"]
    assert entry["asked"] == dt.datetime.now(dt.UTC).date().isoformat()
    assert entry["pins"] == [
        {
            "pin": "toolbox==1.0",
            "newest": "2.0",
            "together": "2.0",
            "step": "major",
            "released": "2026-01-31",
        }
    ]
    assert entry["breaks"] == [{"page": "SKILL.md", "text": world.faults["2.0"]}]
    assert entry["repinnable"] is False
    assert entry["concerns"] == ["toolbox: 1.0 was yanked: eats data"]


def test_without_write_nothing_is_kept(world: World) -> None:
    world.index.add("toolbox", "1.0", "2.0", page=page("2.0"))
    world.run()
    assert not (world.root / DRIFT_FILE).exists()


def test_two_records_of_one_day_are_the_same(world: World) -> None:
    world.index.add("toolbox", "1.0", "1.0.1", page=page("1.0.1"))
    world.run("--write")
    before = (world.root / DRIFT_FILE).read_bytes()
    world.run("--write", "--offline")
    assert (world.root / DRIFT_FILE).read_bytes() == before


def test_examples_that_could_not_be_held_are_recorded_as_neither(world: World) -> None:
    world.index.add("toolbox", "1.0", "1.1")
    world.cannot = "no files"
    world.run("--write")
    assert "repinnable" not in recorded(world)["example"]


def test_the_entries_of_other_skills_stay_and_those_of_skills_that_are_gone_go(
    world: World, write_skill: Callable[..., Path]
) -> None:
    write_skill("other")
    world.index.add("toolbox", "1.0", page=page("1.0"))
    old = {"asked": "2026-01-01", "pins": [{"pin": "numpy==2.4.6", "newest": "2.4.6"}]}
    path = world.root / DRIFT_FILE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"skills": {"other": old, "gone": old}}))
    world.run("--write", "example")
    assert list(recorded(world)) == ["example", "other"]
    assert recorded(world)["other"] == old


def test_offline_keeps_the_day_of_its_answers(world: World, tmp_path: Path) -> None:
    world.index.add("toolbox", "1.0", page=page("1.0"))
    world.run()
    for path in (tmp_path / "cache").rglob("registry/*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"day": "2026-05-05"}))
    world.run("--write", "--offline")
    assert recorded(world)["example"]["asked"] == "2026-05-05"


def test_nothing_is_written_where_nothing_is_known(world: World) -> None:
    result = world.run("--write", "--offline")
    assert result.exit_code == 1
    assert "nothing is known of any pin (no answers are kept: nobody was asked)" in result.output
    assert not (world.root / DRIFT_FILE).exists()


def test_a_record_that_cannot_be_read_is_not_written_over(world: World) -> None:
    world.index.add("toolbox", "1.0", page=page("1.0"))
    path = world.root / DRIFT_FILE
    path.parent.mkdir(parents=True)
    path.write_text("<<<<<<< HEAD")
    result = world.run("--write")
    assert result.exit_code == 1
    assert "docs/evidence/drift.json: is no record of drift" in result.output
    assert path.read_text() == "<<<<<<< HEAD"
    assert world.index.asked == 0
