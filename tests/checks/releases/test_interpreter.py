"""A wanted Python is found where it starts, and not where only its name is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_research_skills.checks.releases import interpreter as module
from ai_research_skills.checks.releases.interpreter import THIS_PYTHON, find_interpreter


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with nothing but a folder on its path and an empty pyenv, and without uv."""
    find_interpreter.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(module, "find_uv", lambda: None)
    yield tmp_path
    find_interpreter.cache_clear()


def put(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_this_python_is_the_one_that_runs() -> None:
    assert find_interpreter(THIS_PYTHON) == Path(sys.executable)


def test_one_on_the_path_is_taken(machine: Path) -> None:
    path = put(machine / "bin/python3.99", "echo 3.99")
    assert find_interpreter("3.99") == path


def test_a_shim_that_does_not_start_is_passed_over_for_the_one_that_it_hides(machine: Path) -> None:
    put(machine / "bin/python3.99", "echo 'command not found' >&2; exit 127")
    path = put(machine / "pyenv/versions/3.99.1/bin/python3.99", "echo 3.99")
    assert find_interpreter("3.99") == path


def test_a_name_that_starts_another_version_is_no_answer(machine: Path) -> None:
    put(machine / "bin/python3.99", "echo 3.98")
    assert find_interpreter("3.99") is None
