"""An isolated Python environment made of a skill's pins, kept in a cache outside every tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.skill import Pin


class NoEnvironment(Exception):
    """The environment cannot be made on this machine."""


@dataclass(frozen=True)
class Environment:
    """An interpreter with the pins installed; `absent` are those that have no wheel for this machine."""

    python: Path
    absent: tuple[Pin, ...]


def pinned_environment(pins: Sequence[Pin]) -> Environment:
    """The environment of `pins`, made on first use. Only wheels are installed: no build script runs.

    Raises:
        NoEnvironment: uv is missing, or the pins that have wheels do not resolve together.
    """
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        raise NoEnvironment("uv is not installed → `python -m pip install uv`")
    absent = tuple(pin for pin in pins if not _has_wheel(uv, pin))
    present = [pin for pin in pins if pin not in absent]
    folder = _cache() / hashlib.sha256("\n".join(sorted(map(str, present))).encode()).hexdigest()[:16]
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run(
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--only-binary",
                ":all:",
                "--python",
                str(python),
                *map(str, present),
            ]
        )
        (folder / "complete").touch()
    return Environment(python, absent)


def _cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ai-research-skills" / "environments"


def _has_wheel(uv: str, pin: Pin) -> bool:
    command = [uv, "pip", "compile", "--quiet", "--no-deps", "--only-binary", ":all:", "-"]
    result = subprocess.run(command, input=str(pin), capture_output=True, text=True, check=False)
    return result.returncode == 0


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NoEnvironment(f"{' '.join(command[:3])} failed:\n{result.stderr.strip()}")
