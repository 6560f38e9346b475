"""What an install line asks for, and what the index says: never a build."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ai_research_skills.checks.resolving.requirements import (
    Found,
    asked_requirements,
    is_to_be_had,
    look_up,
    names_another_index,
)

DAY = dt.date(2026, 11, 20)
NO_VERSION = 'echo "there is no version of a" >&2; exit 1'


def fake_uv(folder: Path, script: str) -> str:
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    is_to_be_had.cache_clear()


def test_options_files_and_folders_are_no_requirements() -> None:
    line = [
        "-q",
        "-r",
        "more.txt",
        "--index-url",
        "x",
        "a==1",
        ".",
        "./here",
        "b[c]>=2",
        "d.whl",
        "--no-deps",
    ]
    assert list(asked_requirements(line)) == ["a==1", "b[c]>=2"]


def test_another_index_is_noticed() -> None:
    assert names_another_index(["a", "--index-url=x"])
    assert not names_another_index(["a", "--no-deps"])


@pytest.mark.parametrize(
    ("text", "script", "expected"),
    [
        ("a==1", "exit 0", Found.YES),
        ("a==1", NO_VERSION, Found.NO),
        ("a[x]==1", 'echo "The package a does not have an extra named x" >&2', Found.NO),
        ("a>=1", 'echo "failed to connect" >&2; exit 1', Found.UNKNOWN),
        ("a==", "exit 0", Found.NO),
        ("git+https://x/y", "exit 0", Found.UNKNOWN),
    ],
)
def test_the_index_answers(tmp_path: Path, text: str, script: str, expected: Found) -> None:
    assert is_to_be_had(fake_uv(tmp_path, script), text) is expected


def test_an_old_release_without_the_extra_says_nothing_about_the_newest(tmp_path: Path) -> None:
    old = 'echo "a==1"; echo "The package a==1 does not have an extra named x" >&2'
    uv = fake_uv(tmp_path, f'case "$*" in *--no-deps*) echo "a==2" ;; *) {old} ;; esac')
    assert is_to_be_had(uv, "a[x]") is Found.UNKNOWN


def test_nothing_is_built(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    is_to_be_had(fake_uv(tmp_path, f'echo "$@" > {said}'), "a==1")
    assert "--no-build" in said.read_text()


def test_many_requirements_are_one_question_and_no_question_the_next_time(tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    uv = fake_uv(tmp_path, f"echo call >> {calls}")
    expected = {"a": Found.YES, "b>=2": Found.YES, "c==1": Found.YES}
    assert look_up(uv, expected, DAY) == expected
    assert look_up(uv, expected, DAY) == expected
    assert calls.read_text().splitlines() == ["call"]


def test_one_that_is_not_to_be_had_does_not_hide_the_others(tmp_path: Path) -> None:
    uv = fake_uv(tmp_path, f"if grep -q a; then {NO_VERSION}; fi")
    assert look_up(uv, ["a", "b"], DAY) == {"a": Found.NO, "b": Found.YES}


@pytest.mark.parametrize(("text", "after_a_week"), [("a==1", Found.YES), ("a>=1", Found.NO)])
def test_only_an_exact_version_is_remembered_for_good(tmp_path: Path, text: str, after_a_week: Found) -> None:
    look_up(fake_uv(tmp_path, "exit 0"), [text], DAY)
    is_to_be_had.cache_clear()
    uv = fake_uv(tmp_path, NO_VERSION)
    assert look_up(uv, [text], DAY + dt.timedelta(days=6))[text] is Found.YES
    assert look_up(uv, [text], DAY + dt.timedelta(days=8))[text] is after_a_week


def test_an_index_out_of_reach_is_asked_again(tmp_path: Path) -> None:
    assert look_up(fake_uv(tmp_path, "exit 1"), ["a"], DAY)["a"] is Found.UNKNOWN
    is_to_be_had.cache_clear()
    assert look_up(fake_uv(tmp_path, "exit 0"), ["a"], DAY)["a"] is Found.YES
