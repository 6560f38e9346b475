"""An isolated Python environment made of a closure, kept in a cache outside every tree.

The exact releases of the closure are installed, without asking what they depend on, and from wheels alone: no build script
runs. Where the variable `UV_TORCH_BACKEND` is set (`cpu`, `auto`, `cu130`), uv takes PyTorch and its companions from the
index of that build, if this machine reaches it; the environments of each value are kept apart. With `cpu` the libraries of
CUDA are left out, gigabytes that a machine without a GPU never loads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.cache import cache_folder, locked
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.artifacts import (
    Artifact,
    Kind,
    NoArtifact,
    artifact_folder,
    is_cuda_library,
)
from ai_research_skills.checks.releases.closure import Closure, NoClosure, closure
from ai_research_skills.checks.releases.interpreter import THIS_PYTHON, find_interpreter
from ai_research_skills.checks.releases.uv_command import find_uv

__all__ = [
    "Environment",
    "NoEnvironment",
    "cache_folder",
    "command_memory",
    "environment_of",
    "find_uv",
    "pinned_environment",
]

_COMPLETE = "complete"
"""The file that an environment has once everything is installed."""


class NoEnvironment(Exception):
    """The environment cannot be made on this machine."""


@dataclass(frozen=True)
class Environment:
    """An interpreter with the releases installed.

    Attributes:
        absent: The releases that have no wheel.
        sources: Folders with the Python files of those among `absent` whose source archive is to be had.
    """

    python: Path
    absent: tuple[Pin, ...]
    sources: tuple[Path, ...] = ()


def pinned_environment(
    pins: Sequence[Pin], python: str | None = None, lock: Sequence[str] = ()
) -> Environment:
    """The environment of the closure of `pins`, made on first use.

    Args:
        pins: Exact releases.
        python: The version of Python, `3.11`; that of this interpreter if not named.
        lock: What an earlier closure had, as `name==version`.

    Raises:
        NoEnvironment: The pins do not resolve together, or `environment_of` cannot make it.
    """
    try:
        found = closure(pins, python or THIS_PYTHON, lock=lock)
    except NoClosure as error:
        raise NoEnvironment(str(error)) from error
    return environment_of(found)


def environment_of(closure: Closure) -> Environment:
    """The environment of `closure`, made on first use: exactly its releases, on the version of Python that it names.

    Raises:
        NoEnvironment: uv or that Python is missing, or a release has no wheel for this machine.
    """
    backend = os.environ.get("UV_TORCH_BACKEND", "")
    releases = [str(artifact) for artifact in closure.artifacts if _is_installed(artifact, backend)]
    folder = cache_folder() / "environments" / _key([closure.python, backend, *releases])
    if not (folder / _COMPLETE).is_file():
        with locked(folder):
            if not (folder / _COMPLETE).is_file():
                _make(folder, closure.python, releases)
    return Environment(folder / "bin" / "python", closure.absent, tuple(_sources(closure)))


def command_memory(environment: Environment) -> Path | None:
    """Where what the parsers of an environment say is kept, if it is one of the cache: those do not change."""
    folder = environment.python.parent.parent
    return folder / "commands" if (folder / _COMPLETE).is_file() else None


def _is_installed(artifact: Artifact, backend: str) -> bool:
    """Wheels are, save the libraries of CUDA where PyTorch is a build for CPUs."""
    return artifact.kind is Kind.WHEEL and not (backend == "cpu" and is_cuda_library(artifact))


def _key(words: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _make(folder: Path, python: str, releases: Sequence[str]) -> None:
    """Make the environment where it stays, since it cannot be moved; the mark is set last.

    Those who use it can read it and no more, so it gets its bytecode now.
    """
    uv = find_uv()
    if uv is None:
        raise NoEnvironment("uv is not installed → `python -m pip install uv`")
    interpreter = find_interpreter(python)
    if interpreter is None:
        raise NoEnvironment(
            f"Python {python} is not on this machine → install it so that `python{python}` starts it,"
            f" for instance with `pyenv install {python}` or `uv python install {python}`"
        )
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _run([uv, "venv", "--quiet", "--no-project", "--python", str(interpreter), str(folder)])
        install = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--compile-bytecode",
        ]
        if releases:
            _run([*install, "--python", str(folder / "bin" / "python"), *releases])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    (folder / _COMPLETE).touch()


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NoEnvironment(f"`{' '.join(command[1:3])}` failed: {' '.join(result.stderr.split())}")


def _sources(closure: Closure) -> Iterator[Path]:
    for artifact in closure.artifacts:
        if artifact.kind is Kind.SDIST:
            with contextlib.suppress(NoArtifact):
                yield artifact_folder(artifact)
