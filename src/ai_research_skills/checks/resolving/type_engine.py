"""What the type checker ty says about files of Python, held against an environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REVEALED = "revealed-type"
"""The rule under which the engine answers `reveal_type`."""


class NoEngine(Exception):
    """The engine cannot be asked on this machine."""


@dataclass(frozen=True)
class Span:
    """A stretch of a file: lines and columns count from one, the end is the first column after it."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Diagnostic:
    """One thing that the engine said about one file."""

    file: str
    span: Span
    rule: str
    message: str


def diagnose(folder: Path, python: Path, sources: Sequence[Path] = ()) -> tuple[Diagnostic, ...]:
    """What ty says about every file below `folder`, with the packages of `python` and then those in `sources`.

    Raises:
        NoEngine: ty is not installed, or ended without an answer.
    """
    extra = [word for source in sources for word in ("--extra-search-path", str(source))]
    prefix = str(python.parent.parent)
    command = [sys.executable, "-m", "ty", "check", "--project", ".", "--python", prefix, *extra]
    command += ["--output-format", "gitlab", "--exit-zero", "--no-progress", "."]
    (folder / "ty.toml").touch()
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NoEngine(f"ty gave no answer → `python -m pip install ty==0.0.104`\n{result.stderr.strip()}")
    return tuple(map(_diagnostic, json.loads(result.stdout or "[]")))


def _diagnostic(entry: dict[str, Any]) -> Diagnostic:
    begin, end = entry["location"]["positions"]["begin"], entry["location"]["positions"]["end"]
    span = Span(begin["line"], begin["column"], end["line"], end["column"])
    rule: str = entry["check_name"]
    message: str = entry["description"].removeprefix(f"{rule}: ")
    return Diagnostic(entry["location"]["path"], span, rule, message)
