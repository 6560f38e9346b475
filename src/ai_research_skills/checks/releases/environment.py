"""An isolated Python environment made of a skill's pins, kept in a cache outside every tree."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.released_source import NoSource, released_source


class NoEnvironment(Exception):
    """The environment cannot be made on this machine."""


@dataclass(frozen=True)
class Environment:
    """An interpreter with the pins installed.

    Attributes:
        absent: Pins that have no wheel for this machine.
        sources: Folders with the Python files of those among `absent` whose source archive is to be had.
    """

    python: Path
    absent: tuple[Pin, ...]
    sources: tuple[Path, ...] = ()


def pinned_environment(pins: Sequence[Pin]) -> Environment:
    """The environment of `pins`, made on first use. Only wheels are installed: no build script runs.

    Raises:
        NoEnvironment: uv is missing, or the pins that have wheels do not resolve together.
    """
    uv = find_uv()
    if uv is None:
        raise NoEnvironment("uv is not installed → `python -m pip install uv`")
    absent = tuple(pin for pin in pins if not _has_wheel(uv, pin))
    present = [pin for pin in pins if pin not in absent]
    folder = (
        cache_folder()
        / "environments"
        / hashlib.sha256("\n".join(sorted(map(str, present))).encode()).hexdigest()[:16]
    )
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
    return Environment(python, absent, tuple(_sources(uv, absent)))


def cache_folder() -> Path:
    """Where environments and what belongs to them are kept."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ai-research-skills"


def command_memory(environment: Environment) -> Path | None:
    """Where what the parsers of an environment say is kept, if it is one of the cache: those do not change."""
    folder = environment.python.parent.parent
    return folder / "commands" if (folder / "complete").is_file() else None


def find_uv() -> str | None:
    """The uv of this machine, or the one beside this interpreter."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))


def _sources(uv: str, absent: Sequence[Pin]) -> Iterator[Path]:
    for pin in absent:
        with contextlib.suppress(NoSource):
            yield released_source(uv, cache_folder() / "sources", pin)


def _has_wheel(uv: str, pin: Pin) -> bool:
    command = [uv, "pip", "compile", "--quiet", "--no-deps", "--only-binary", ":all:", "-"]
    result = subprocess.run(command, input=str(pin), capture_output=True, text=True, check=False)
    return result.returncode == 0


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NoEnvironment(f"{' '.join(command[:3])} failed:\n{result.stderr.strip()}")
