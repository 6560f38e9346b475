"""The history of evidence is read from git, from nothing else, and a build without history is still a build."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import FOLDER, Level
from hooks import evidence_history as module
from hooks.evidence_history import History, evidence_history

Commit = Callable[[str, dict[str, list[int] | str | None]], None]


@pytest.fixture
def commit(tmp_path: Path) -> Commit:
    """Writes records (levels, raw text, or None to remove) and commits them on a day."""
    _git(tmp_path, "init", "--quiet", "--initial-branch=main")

    def make(day: str, records: dict[str, list[int] | str | None]) -> None:
        folder = tmp_path / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, record in records.items():
            path = folder / f"{name}.json"
            if record is None:
                path.unlink()
            else:
                levels = [{"level": level} for level in record if isinstance(level, int)]
                text = record if isinstance(record, str) else json.dumps({"findings": levels})
                path.write_text(text, encoding="utf-8")
        _git(tmp_path, "add", "--all")
        _git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=x", day=day)

    return make


def _git(root: Path, *arguments: str, day: str = "2026-01-01") -> None:
    who = {f"GIT_{role}_{part}": "a@b" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": f"{day}T12:00:00 +0000" for role in ("AUTHOR", "COMMITTER")}
    environment = {**os.environ, **who, **when, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)


def _told(history: History) -> list[tuple[str, dict[int, int]]]:
    return [
        (str(day.date), {int(level): count for level, count in day.levels.items() if count})
        for day in history.days
    ]


def test_each_day_has_what_its_last_commit_had(commit: Commit, tmp_path: Path) -> None:
    commit("2026-01-01", {"a": [1, 2]})
    commit("2026-01-03", {"b": [3]})
    commit("2026-01-03", {"a": [3, 3]})
    commit("2026-01-04", {"b": None})
    history = evidence_history(tmp_path)
    assert _told(history) == [
        ("2026-01-01", {1: 1, 2: 1}),
        ("2026-01-03", {3: 3}),
        ("2026-01-04", {3: 2}),
    ]
    assert history.is_whole
    assert set(history.days[0].levels) == set(Level)


def test_what_is_not_committed_and_what_touches_no_record_leave_no_trace(
    commit: Commit, tmp_path: Path
) -> None:
    commit("2026-01-01", {"a": [1]})
    commit("2026-01-02", {})
    (tmp_path / FOLDER / "a.json").write_text("{}", encoding="utf-8")
    assert _told(evidence_history(tmp_path)) == [("2026-01-01", {1: 1})]


def test_records_that_cannot_be_read_count_as_nothing(commit: Commit, tmp_path: Path) -> None:
    commit("2026-01-01", {"a": [1], "b": "no json", "c": '{"findings": [{"level": 9}]}', "d": "ümläut"})
    assert _told(evidence_history(tmp_path)) == [("2026-01-01", {1: 1})]


def test_time_never_runs_backwards(commit: Commit, tmp_path: Path) -> None:
    commit("2026-01-05", {"a": [1]})
    commit("2026-01-02", {"a": [2]})
    assert _told(evidence_history(tmp_path)) == [("2026-01-05", {2: 1})]


def test_a_shallow_clone_knows_that_it_is_one(commit: Commit, tmp_path: Path) -> None:
    commit("2026-01-01", {"a": [1]})
    commit("2026-01-02", {"a": [2]})
    clone = tmp_path / "clone"
    _git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{tmp_path}", str(clone))
    history = evidence_history(clone)
    assert _told(history) == [("2026-01-02", {2: 1})]
    assert not history.is_whole


def test_only_the_newest_days_are_kept(
    commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_DAYS", 2)
    for day in (1, 2, 3):
        commit(f"2026-01-0{day}", {"a": [day]})
    history = evidence_history(tmp_path)
    assert [day.date for day in history.days] == [dt.date(2026, 1, 2), dt.date(2026, 1, 3)]
    assert not history.is_whole


def test_outside_git_there_is_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert evidence_history(tmp_path) == History()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert evidence_history(tmp_path) == History()


def test_it_depends_on_neither_clock_nor_zone(
    commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit("2026-01-01", {"a": [1]})
    first = evidence_history(tmp_path)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    assert evidence_history(tmp_path) == first
