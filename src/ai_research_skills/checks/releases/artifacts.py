"""The files that the registry holds of a release, and their Python, kept under the hash that the index names.

Of a wheel, only what a reader of its API needs is fetched: `.py` and `.pyi` files, `py.typed` and the metadata, by range
requests (15 MB of torch instead of 539). The hash of the whole file cannot be checked then; the archive's own checksums
are, and a hash of all that was taken is kept and held against the files whenever they are used again. Where most of a
wheel is wanted, where the server gives no ranges, and of a source archive, the whole file is fetched and its hash checked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import threading
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path

from ai_research_skills.cache import cache_folder, made_once
from ai_research_skills.checks.releases.archives import (
    RefusedArchive,
    refusing,
    unpack_source,
    unpack_wheel,
    wheel_members,
)
from ai_research_skills.checks.releases.download import (
    NoRanges,
    NotFetched,
    RangedFile,
    Received,
    fetch_whole,
)

_CUDA_LIBRARY = re.compile(
    r"cuda-toolkit|nvidia-(cublas|cuda-\w+|cudnn|cufft|cufile|curand|cusolver|cusparse|cusparselt|nccl|nvjitlink"
    r"|nvshmem|nvtx|nvvm)(-cu\d+)?"
)
ACCOUNT = "artifact.json"
"""The file beside what was taken from an artifact that says what it is."""

_SMALL = 2**20
"""Bytes of a file that is not worth more than one request."""
_MOSTLY = 0.8
"""The part of a wheel that is wanted from which on all of it is fetched, so that its hash can be checked."""
_HEADER = 256
"""Bytes of a member's header in a wheel, at a guess; a wrong one costs a request."""
_AT_ONCE = 4


class Kind(StrEnum):
    """What sort of file a release is."""

    WHEEL = "wheel"
    SDIST = "sdist"


class NoArtifact(Exception):
    """A file of the registry is not to be had, or not to be trusted."""


@dataclass(frozen=True)
class Artifact:
    """One file that the registry holds of a release.

    Attributes:
        distribution: The release's distribution, its name normalised.
        size: In bytes, where the index says.
        uploaded: When it came to the registry, where the index says.
    """

    distribution: str
    version: str
    url: str
    sha256: str
    size: int | None
    kind: Kind
    uploaded: dt.datetime | None

    def __str__(self) -> str:
        return f"{self.distribution}=={self.version}"

    @property
    def file_name(self) -> str:
        """The name of the file itself."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Progress:
    """How far a step of several releases is.

    Attributes:
        step: What is being done, `fetching` or `stubbing`.
        done: Releases that are finished.
        of: Releases in all.
        received: Bytes that came so far.
    """

    step: str
    done: int
    of: int
    received: int = 0


Report = Callable[[Progress], None]


class _Count:
    """Adds up what several threads report."""

    def __init__(self, of: int, report: Report) -> None:
        self._progress = Progress("fetching", 0, of)
        self._report = report
        self._lock = threading.Lock()

    def received(self, size: int) -> None:
        self._add(0, size)

    def finished(self) -> None:
        self._add(1, 0)

    def _add(self, done: int, size: int) -> None:
        with self._lock:
            now = self._progress
            self._progress = replace(now, done=now.done + done, received=now.received + size)
            self._report(self._progress)


def fetch_artifacts(artifacts: Sequence[Artifact], report: Report | None = None) -> tuple[Path, ...]:
    """The folders with the Python of each artifact, fetched where they are not in the cache. Safe to begin again.

    Raises:
        NoArtifact: One of them is not to be had; the others stay in the cache.
    """
    count = _Count(len(artifacts), report or (lambda progress: None))

    def fetch(artifact: Artifact) -> Path:
        folder = artifact_folder(artifact, count.received)
        count.finished()
        return folder

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(fetch, artifact) for artifact in artifacts]
        try:
            return tuple(future.result() for future in futures)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def artifact_folder(artifact: Artifact, received: Received = lambda size: None) -> Path:
    """The folder with the Python of `artifact`, laid out as in `site-packages`; fetched on first use.

    Raises:
        NoArtifact: It is not to be had, is damaged or hostile, or its copy in the cache was changed.
    """
    folder = artifact_place(artifact)

    def make(draft: Path) -> None:
        is_whole = _take(artifact, draft / "files", received)
        account = {
            "release": str(artifact),
            "file": artifact.file_name,
            "hash_checked": is_whole,
            "tree": tree_hash(draft / "files"),
        }
        (draft / ACCOUNT).write_text(json.dumps(account, indent=1) + "\n", encoding="utf-8")

    try:
        made_once(folder, make)
    except (NotFetched, RefusedArchive) as error:
        raise NoArtifact(f"{artifact}: {artifact.file_name} {error}") from error
    _hold_unchanged(folder)
    return folder / "files"


def is_cuda_library(artifact: Artifact) -> bool:
    """Whether a release is one of CUDA's own libraries: gigabytes of machine code and headers, nothing to read."""
    return _CUDA_LIBRARY.fullmatch(artifact.distribution) is not None


def artifact_place(artifact: Artifact) -> Path:
    """Where the cache keeps `artifact`, fetched or not: its Python under `files`, and an account of it."""
    return cache_folder() / "artifacts" / artifact.sha256


def tree_hash(folder: Path) -> str:
    """A hash of the paths and contents of all files below `folder`."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(path.relative_to(folder).as_posix().encode() + b"\0")
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


@cache
def _hold_unchanged(folder: Path) -> None:
    account = json.loads((folder / ACCOUNT).read_text(encoding="utf-8"))
    if account["tree"] != tree_hash(folder / "files"):
        raise NoArtifact(f"{account['release']}: its files in {folder} were changed → delete that folder")


def _take(artifact: Artifact, folder: Path, received: Received) -> bool:
    """Write what is wanted of `artifact` to `folder`; returns whether the hash of the whole file was checked."""
    folder.mkdir()
    if artifact.kind is Kind.WHEEL and artifact.size is not None and artifact.size > _SMALL:
        try:
            if _take_stretches(artifact, artifact.size, folder, received):
                return False
        except NoRanges:
            pass
    _take_whole(artifact, folder, received)
    return True


def _take_stretches(artifact: Artifact, size: int, folder: Path, received: Received) -> bool:
    file = RangedFile(artifact.url, size, received)
    with refusing():
        archive = zipfile.ZipFile(file)
    members = wheel_members(archive)
    if sum(member.stored for member in members) > _MOSTLY * size:
        return False
    file.expect((member.start, member.start + _HEADER + member.stored) for member in members)
    unpack_wheel(archive, folder)
    return True


def _take_whole(artifact: Artifact, folder: Path, received: Received) -> None:
    path = cache_folder() / "partial" / artifact.sha256
    fetch_whole(artifact.url, artifact.sha256, artifact.size, path, received)
    try:
        if artifact.kind is Kind.SDIST:
            unpack_source(path, artifact.file_name, folder)
        else:
            with refusing(), zipfile.ZipFile(path) as archive:
                unpack_wheel(archive, folder)
    finally:
        path.unlink()
