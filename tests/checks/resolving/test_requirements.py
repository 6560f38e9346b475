"""What an install line asks for, and what the index says: never a build."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.checks.resolving.requirements import (
    Found,
    asked_requirements,
    is_to_be_had,
    names_another_index,
)


def fake_uv(folder: Path, script: str) -> str:
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_options_files_and_folders_are_no_requirements() -> None:
    line = ["-q", "-r", "more.txt", "--index-url", "x", "a==1", ".", "./here", "b[c]>=2", "--no-deps"]
    assert list(asked_requirements(line)) == ["a==1", "b[c]>=2"]


def test_another_index_is_noticed() -> None:
    assert names_another_index(["a", "--index-url=x"])
    assert not names_another_index(["a", "--no-deps"])


@pytest.mark.parametrize(
    ("text", "script", "expected"),
    [
        ("a==1", "exit 0", Found.YES),
        ("a==1", 'echo "there is no version of a==1" >&2; exit 1', Found.NO),
        ("a[x]==1", 'echo "The package a does not have an extra named x" >&2', Found.NO),
        ("a>=1", 'echo "failed to connect" >&2; exit 1', Found.UNKNOWN),
        ("a==", "exit 0", Found.NO),
        ("git+https://x/y", "exit 0", Found.UNKNOWN),
    ],
)
def test_the_index_answers(tmp_path: Path, text: str, script: str, expected: Found) -> None:
    assert is_to_be_had(fake_uv(tmp_path, script), text) is expected


def test_nothing_is_built(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    is_to_be_had(fake_uv(tmp_path, f'echo "$@" > {said}'), "a==1")
    assert "--no-build" in said.read_text()
