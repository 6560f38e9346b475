"""Where a wanted version of Python is on this machine.

A name on the path proves nothing: version managers put a shim there for versions that they have and do not serve. So each
candidate is asked, and the folders of pyenv and of uv are looked through as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from ai_research_skills.checks.releases.uv_command import find_uv

THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version of Python that runs this, and for which pins are resolved where nobody names another."""


@cache
def find_interpreter(version: str) -> Path | None:
    """An interpreter of `version` (`3.12`) that starts, or None."""
    if version == THIS_PYTHON:
        return Path(sys.executable)
    candidates = chain(_on_path(version), _of_pyenv(version), _of_uv(version))
    return next((path for path in candidates if _version_of(path) == version), None)


def _on_path(version: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        path = Path(folder, f"python{version}")
        if path.is_file():
            yield path


def _of_pyenv(version: str) -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted((root / "versions").glob(f"{version}.*/bin/python{version}"), reverse=True)


def _of_uv(version: str) -> Iterator[Path]:
    uv = find_uv()
    if uv is not None:
        found = _output([uv, "python", "find", "--no-project", "--no-python-downloads", version])
        if found:
            yield Path(found)


def _version_of(interpreter: Path) -> str:
    return _output([str(interpreter), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])


def _output(command: list[str]) -> str:
    """What a command prints, or nothing if it fails."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return "" if result.returncode else result.stdout.strip()
