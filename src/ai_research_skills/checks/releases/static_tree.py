"""The releases of a closure side by side, as an environment that was never installed: a folder that a type checker reads."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from ai_research_skills.cache import cache_folder, made_once
from ai_research_skills.checks.releases.artifacts import (
    Artifact,
    Progress,
    Report,
    artifact_place,
    fetch_artifacts,
    is_cuda_library,
)
from ai_research_skills.checks.releases.closure import Closure
from ai_research_skills.checks.releases.stubs import RULES, write_stubs

_PROCESSES = 2
_WORTH_PROCESSES = 4 * 2**20
"""Bytes of Python that take longer to stub than two processes to start."""


@dataclass(frozen=True)
class StaticTree:
    """A closure laid out as an environment.

    Attributes:
        closure: What it is made of.
        prefix: What a type checker takes for a virtual environment. Its packages are stubbed.
        sources: The same packages with their whole text, side by side as in `site-packages`.
    """

    closure: Closure
    prefix: Path
    sources: Path

    @property
    def packages(self) -> Path:
        """The stubbed packages of `prefix`."""
        return self.prefix / "lib" / f"python{self.closure.python}" / "site-packages"

    @property
    def absent(self) -> tuple[Artifact, ...]:
        """The releases that bring no module: libraries of CUDA, and placeholders whose code lies elsewhere.

        That a name of theirs is not in the tree says nothing about the release.
        """
        return tuple(artifact for artifact in self.closure.artifacts if not _has_modules(artifact))


def static_tree(closure: Closure, report: Report | None = None) -> StaticTree:
    """The tree of `closure`. What is not in the cache is fetched and stubbed; nothing is installed or executed.

    Raises:
        NoArtifact: A file of the registry is not to be had, or not to be trusted.
    """
    read = [artifact for artifact in closure.artifacts if not is_cuda_library(artifact)]
    fetch_artifacts([artifact for artifact in read if not artifact_place(artifact).is_dir()], report)
    _make_stubs([artifact for artifact in read if not _stub_folder(artifact).is_dir()], report)
    folder = made_once(
        cache_folder() / "trees" / f"{closure.key}-{RULES}", partial(_lay_out, closure.python, read)
    )
    return StaticTree(closure, folder / "environment", folder / "sources")


def _has_modules(artifact: Artifact) -> bool:
    files = artifact_place(artifact) / "files"
    return next(files.rglob("*.py"), None) is not None or next(files.rglob("*.pyi"), None) is not None


def _stub_folder(artifact: Artifact) -> Path:
    return cache_folder() / "stubs" / f"{artifact.sha256}-{RULES}"


def _make_stubs(artifacts: Sequence[Artifact], report: Report | None) -> None:
    """Stub each release, the largest first; on two processes where that is worth starting them."""
    sizes = {artifact: _size(artifact_place(artifact)) for artifact in artifacts}
    queue = sorted(artifacts, key=sizes.__getitem__, reverse=True)
    with ExitStack() as stack:
        run: Callable[..., Iterable[None]] = map
        if sum(sizes.values()) > _WORTH_PROCESSES:
            processes = ProcessPoolExecutor(_PROCESSES, get_context("spawn"), gc.disable)
            run = stack.enter_context(processes).map
        for done, _ in enumerate(run(_make_stub, queue), start=1):
            if report:
                report(Progress("stubbing", done, len(queue)))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _make_stub(artifact: Artifact) -> None:
    (source,) = fetch_artifacts([artifact])
    made_once(_stub_folder(artifact), partial(write_stubs, source))


def _lay_out(python: str, artifacts: Sequence[Artifact], folder: Path) -> None:
    """Two trees of links into the cache: the stubs, and the whole sources."""
    packages = folder / "environment" / "lib" / f"python{python}" / "site-packages"
    packages.mkdir(parents=True)
    home = Path(sys.base_prefix) / "bin"
    (folder / "environment" / "pyvenv.cfg").write_text(
        f"home = {home}\nversion_info = {python}\ninclude-system-site-packages = false\n", encoding="utf-8"
    )
    _merge([_stub_folder(artifact) for artifact in artifacts], packages)
    (folder / "sources").mkdir()
    _merge([artifact_place(artifact) / "files" for artifact in artifacts], folder / "sources")


def _merge(folders: Sequence[Path], target: Path) -> None:
    """Link what lies in `folders` into `target`; folders of one name become one.

    Of two files of one name the first counts. Distributions come sorted, so the one that others were split from
    (`mlflow` before `mlflow-skinny`) wins.
    """
    for name, places in sorted(_by_name(folders).items()):
        subfolders = [place for place in places if place.is_dir()]
        if len(places) > 1 and places[0].is_dir():
            (target / name).mkdir()
            _merge(subfolders, target / name)
        else:
            (target / name).symlink_to(os.path.relpath(places[0], target))


def _by_name(folders: Sequence[Path]) -> Mapping[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for place in folder.iterdir():
            found.setdefault(place.name, []).append(place)
    return found
