"""The releases that a skill's pins bring with them, as uv resolves them. Nothing is installed and nothing is built.

A source archive has no dependencies that can be read without building it, or so uv holds. Here they are read from what the
archive says of itself, and uv is told; `--only-binary` keeps it from building anything that it was not told about.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ai_research_skills.cache import cache_folder, locked
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.artifacts import Artifact, Kind, NoArtifact, artifact_folder
from ai_research_skills.checks.releases.requires import required
from ai_research_skills.checks.releases.uv_command import find_uv
from ai_research_skills.checks.whole_file import write_whole

PLATFORM = "x86_64-manylinux_2_40"
"""Where the releases would run. Reading a wheel asks nothing of this machine, so the newest glibc is taken for granted."""

_COMPILE = "pip compile --format pylock.toml --no-header --color never --no-progress"
_NO_WHEEL = re.compile(r"Wheels are required for `([^`]+)`")
_UNREACHED = ("Failed to fetch", "Request failed", "error sending request", "the network was disabled")
_YANKED = re.compile(r'`([^`]+)` is yanked(?: \(reason: "?(.*?)"?\))?')


class NoClosure(Exception):
    """The releases cannot be resolved together, or the registry cannot be asked."""


class Unreached(NoClosure):
    """The registry cannot be asked, and the cache has no answer."""


class _Silent(Exception):
    """The registry does not answer."""


class _NoWheel(Exception):
    """A release has no wheel, so uv wants to be told what it depends on."""


@dataclass(frozen=True)
class Closure:
    """Releases that go together, with all that they depend on.

    Attributes:
        python: The version of Python that they are for, `3.11`.
        artifacts: One file for each release, sorted by distribution.
        absent: The releases that have no wheel: their source is read, and they are never installed.
    """

    python: str
    artifacts: tuple[Artifact, ...]
    absent: tuple[Pin, ...] = ()

    @property
    def lock(self) -> tuple[str, ...]:
        """Every release as `name==version`, sorted."""
        return tuple(sorted(map(str, self.artifacts)))

    @property
    def key(self) -> str:
        """A short name for exactly these files."""
        text = "\n".join([self.python, *sorted(artifact.sha256 for artifact in self.artifacts)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def closure(pins: Sequence[Pin], python: str = "3.11", *, lock: Sequence[str] = ()) -> Closure:
    """The closure of `pins`.

    Args:
        pins: Exact releases.
        python: The version of Python, `3.11`.
        lock: What an earlier closure had, as `name==version`. Then exactly these releases are taken, whatever came out
            since, and the registry is not asked again for what is in the cache.

    Raises:
        NoClosure: A release is unknown or was withdrawn, they do not go together, or the registry cannot be reached and
            the answer is not in the cache.
    """
    asked = tuple(sorted(map(str, pins)))
    if lock and (missing := sorted(set(asked) - set(lock))):
        raise NoClosure(f"the lock lacks {', '.join(missing)} → resolve afresh, without the lock")
    return _remembered(asked, python, tuple(sorted(lock)))


def closure_of_newest(requirements: Iterable[str], python: str = "3.11") -> Closure:
    """The closure of the newest releases that satisfy requirements such as `trl>=1.16` together.

    Where not all can be the newest, those named first are.

    Raises:
        NoClosure: One is unknown, they do not go together, or the registry cannot be reached and the answer is not in
            the cache.
    """
    return _remembered(tuple(requirements), python, ())


def _remembered(asked: tuple[str, ...], python: str, lock: tuple[str, ...]) -> Closure:
    memory = _memory(asked, python, lock)
    if lock and memory.is_file():
        return _read(memory)
    try:
        found = _resolved(asked, python, lock)
    except _Silent as error:
        if memory.is_file():
            return _read(memory)
        what = ", ".join(asked)
        raise Unreached(
            f"the registry cannot be asked for {what}, and the cache has no answer: {error}"
        ) from error
    text = json.dumps(asdict(found), indent=1, default=str) + "\n"
    for place in {memory, _memory(asked, python, found.lock)}:
        with locked(place):
            write_whole(place, text)
    return found


def _memory(asked: tuple[str, ...], python: str, lock: tuple[str, ...]) -> Path:
    """Where the answer to a question is kept; an answer is kept as that to the question with its own lock as well."""
    key = hashlib.sha256(json.dumps([PLATFORM, asked, python, lock]).encode()).hexdigest()[:16]
    return cache_folder() / "closures" / f"{key}.json"


def _read(memory: Path) -> Closure:
    found = json.loads(memory.read_text(encoding="utf-8"))
    artifacts = tuple(
        Artifact(
            **entry
            | {
                "kind": Kind(entry["kind"]),
                "uploaded": dt.datetime.fromisoformat(entry["uploaded"]) if entry["uploaded"] else None,
            }
        )
        for entry in found["artifacts"]
    )
    return _closure(found["python"], artifacts)


def _closure(python: str, artifacts: Iterable[Artifact]) -> Closure:
    members = tuple(sorted(artifacts, key=lambda artifact: artifact.distribution))
    absent = tuple(
        Pin(distribution=one.distribution, version=one.version) for one in members if one.kind is Kind.SDIST
    )
    return Closure(python, members, absent)


def _resolved(asked: tuple[str, ...], python: str, lock: tuple[str, ...]) -> Closure:
    """Resolve until uv was told of every release that has no wheel."""
    told: dict[str, tuple[str, ...]] = dict.fromkeys(_newest_archives(asked, python), ())
    read: set[Artifact] = set()
    mode = ["--no-deps"] if lock else []
    while True:
        try:
            found = _closure(python, _compiled(lock or asked, python, told, [*mode, *_wheels_only(told)]))
        except _NoWheel as error:
            (name,) = error.args
            told[name] = ()
            continue
        archives = [one for one in found.artifacts if one.kind is Kind.SDIST and one not in read]
        if lock or not archives:
            return found
        for archive in archives:
            told[archive.distribution] = _dependencies(archive)
            read.add(archive)


def _newest_archives(asked: Sequence[str], python: str) -> list[str]:
    """The distributions, among those of which any release will do, whose newest release has no wheel.

    A resolver that is held to wheels would step back to the last release that had one, however old. Nothing is built
    in finding out, since uv is told that none depends on anything.
    """
    names = [one for one in asked if "==" not in one]
    found = _compiled(names, python, dict.fromkeys(names, ()), ["--no-deps"]) if names else ()
    return [artifact.distribution for artifact in found if artifact.kind is Kind.SDIST]


def _wheels_only(told: Iterable[str]) -> list[str]:
    """The options under which uv builds nothing: wheels, save of the distributions that it was told about."""
    return ["--only-binary", ":all:", *(word for name in told for word in ("--no-binary", name))]


def _compiled(
    asked: Sequence[str], python: str, told: Mapping[str, tuple[str, ...]], options: Sequence[str]
) -> Iterator[Artifact]:
    uv = find_uv()
    if uv is None:
        raise NoClosure("uv is not installed → `python -m pip install uv`")
    target = ["--python", sys.executable, "--python-platform", PLATFORM, "--python-version", python]
    command = [uv, *_COMPILE.split(), *target, *options, "requirements.in"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyproject.toml").write_text(_project(told), encoding="utf-8")
        Path(folder, "requirements.in").write_text("\n".join(asked), encoding="utf-8")
        result = subprocess.run(
            command,
            cwd=folder,
            env={key: value for key, value in os.environ.items() if key != "UV_TORCH_BACKEND"},
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode:
        raise _failure(asked, told, result.stderr)
    _hold_not_yanked(asked, result.stderr)
    for package in tomllib.loads(result.stdout).get("packages", []):
        yield _artifact(package, python)


def _project(told: Mapping[str, tuple[str, ...]]) -> str:
    """A project in which uv takes the dependencies of some distributions from us."""
    lines = ["[project]", 'name = "asks-for-releases"', 'version = "0"']
    for name, requirements in told.items():
        lines += ["[[tool.uv.dependency-metadata]]", f"name = {json.dumps(name)}"]
        lines += [f"requires-dist = {json.dumps(requirements)}"]
    return "\n".join(lines) + "\n"


def _failure(asked: Sequence[str], told: Mapping[str, tuple[str, ...]], said: str) -> Exception:
    """What uv's refusal means."""
    if any(words in said for words in _UNREACHED):
        return _Silent(_reason(said))
    match = _NO_WHEEL.search(said)
    if match and match[1] not in told:
        return _NoWheel(match[1])
    reason = _reason(said)
    named = [one for one in asked if re.search(rf"\b{re.escape(one.partition('==')[0])}\b", reason)]
    return NoClosure(f"{', '.join(named or asked)}: {reason}")


def _reason(said: str) -> str:
    """The words of uv, in a line or two."""
    _, _, cause = said.partition("cause:")
    text = " ".join((cause or said).partition("hint:")[0].split())
    return text if len(text) <= 400 else f"{text[:397]}..."


def _hold_not_yanked(asked: Sequence[str], said: str) -> None:
    for release, reason in _YANKED.findall(said):
        if release in asked:
            raise NoClosure(f"{release} was withdrawn from the registry: {reason or 'no reason is given'}")


def _artifact(package: Mapping[str, Any], python: str) -> Artifact:
    """The file of a locked release that suits best: the first wheel by tag, else the source archive."""
    wheels = sorted(package.get("wheels", ()), key=lambda wheel: _rank(wheel.get("url", ""), python))
    kind, entry = (Kind.WHEEL, wheels[0]) if wheels else (Kind.SDIST, package.get("sdist", {}))
    release = f"{package['name']}=={package.get('version')}"
    if "url" not in entry or "sha256" not in entry.get("hashes", {}):
        raise NoClosure(f"{release}: the index names no file of it with a sha256")
    return Artifact(
        distribution=package["name"],
        version=package["version"],
        url=entry["url"],
        sha256=entry["hashes"]["sha256"],
        size=entry.get("size"),
        kind=kind,
        uploaded=entry.get("upload-time"),
    )


def _rank(url: str, python: str) -> int:
    """The place of a wheel among those that Python would take; smaller is better."""
    try:
        _, _, _, tags = parse_wheel_filename(url.rpartition("/")[2])
    except InvalidWheelFilename:
        return len(_tags(python))
    return min(_tags(python).get(tag, len(_tags(python))) for tag in tags)


@cache
def _tags(python: str) -> Mapping[Tag, int]:
    """The tags of wheels for CPython on Linux, the best first."""
    version = tuple(map(int, python.split(".")[:2]))
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(40, 4, -1)]
    platforms += [f"{name}_x86_64" for name in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    interpreter = f"cp{version[0]}{version[1]}"
    tags = [
        *cpython_tags(version, [interpreter], platforms),
        *compatible_tags(version, interpreter, platforms),
    ]
    return {tag: place for place, tag in reversed(list(enumerate(tags)))}


def _dependencies(archive: Artifact) -> tuple[str, ...]:
    """What a source archive says that it needs; nothing if it does not say."""
    try:
        folder = artifact_folder(archive)
    except NoArtifact as error:
        raise NoClosure(str(error)) from error
    return required(folder)
