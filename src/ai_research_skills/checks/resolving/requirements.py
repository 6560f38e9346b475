"""Whether what an install line asks for is to be had from the index that uv is set up with; nothing is built."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ai_research_skills.cache import cache_folder
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.released_source import NoSource, archive_address
from ai_research_skills.checks.resolving.memory import Memory

_TAKE_A_VALUE = """
-c -e -f -i -p -r -t --cache-dir --config-settings --constraint --dest --editable --extra-index-url
--extra --find-links --group --index --index-url --no-binary --only-binary --optional --platform --prefix
--python --python-version --requirement --requirements --target --torch-backend --with
"""
_WITH_VALUE = frozenset(_TAKE_A_VALUE.split())
_ELSEWHERE = frozenset({"-f", "-i", "--extra-index-url", "--find-links", "--index-url", "--index", "--pre"})
_REFUSALS = ("no version of", "not found in the package registry", "no versions of", "there are no versions")
_NO_EXTRA = "does not have an extra named"
_DAYS = 7
"""How long an answer holds that the next release may change."""

_AT_ONCE = 4
"""How many questions are put to the index at a time."""


class Found(StrEnum):
    """What the index says about a requirement."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def asked_requirements(arguments: Sequence[str]) -> Iterator[str]:
    """The requirements among the arguments of `pip install`; options, files and folders are none."""
    words = iter(arguments)
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith(("-", ".", "/", "~")) and not word.endswith((".whl", ".tar.gz", ".zip")):
            yield word


def names_another_index(arguments: Sequence[str]) -> bool:
    """Whether the line takes its packages from elsewhere than the index that uv is set up with."""
    return any(word.partition("=")[0] in _ELSEWHERE for word in arguments)


def look_up(uv: str, texts: Iterable[str], today: dt.date | None = None) -> Mapping[str, Found]:
    """What the index says to each requirement, asked for together and remembered.

    An exact version that was once there is remembered for good, any other answer for a week.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    wanted = sorted(set(texts))
    if not wanted:
        return {}
    memory = Memory(_memory_folder(), "requirements")
    kept = {text: memory.recall(text) for text in wanted}
    found = {text: Found(one["found"]) for text, one in kept.items() if one and _holds(text, one, day)}
    new = [text for text in wanted if text not in found]
    found |= _asked(uv, new)
    memory.keep(
        {
            json.dumps(text): {"found": found[text], "day": day.isoformat()}
            for text in new
            if found[text] is not Found.UNKNOWN
        }
    )
    return found


def _memory_folder() -> Path:
    return cache_folder() / "requirements"


def _holds(text: str, kept: Mapping[str, str], day: dt.date) -> bool:
    is_for_good = kept["found"] == Found.YES and _exact(text)
    return is_for_good or day - dt.date.fromisoformat(kept["day"]) < dt.timedelta(days=_DAYS)


def _exact(text: str) -> bool:
    try:
        return any(one.operator == "==" and "*" not in one.version for one in Requirement(text).specifier)
    except InvalidRequirement:
        return False


def _asked(uv: str, texts: Sequence[str]) -> Mapping[str, Found]:
    """One question for all plain requirements; only if the answer is no, one for each."""
    plain: dict[str, str] = {}
    for text in texts:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if not requirement.extras and not requirement.url:
            plain.setdefault(canonicalize_name(requirement.name), text)
    together = list(plain.values()) if len(plain) > 1 else []
    known = dict.fromkeys(together, Found.YES) if together and _compiles(uv, together) else {}
    rest = [text for text in texts if text not in known]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return known | dict(zip(rest, pool.map(lambda text: is_to_be_had(uv, text), rest), strict=True))


def _compiles(uv: str, texts: Sequence[str]) -> bool:
    return _compiled(uv, texts, "--no-deps").returncode == 0


def _compiled(uv: str, texts: Sequence[str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [uv, "pip", "compile", "--no-build", "--no-header", "--prerelease", "if-necessary-or-explicit"]
    return subprocess.run(
        [*command, *options, "-"], input="\n".join(texts), capture_output=True, text=True, check=False
    )


@cache
def is_to_be_had(uv: str, text: str) -> Found:
    """Whether the index has a release that satisfies the requirement `text`, with its extras."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return Found.UNKNOWN if ":" in text else Found.NO
    if requirement.url:
        return Found.UNKNOWN
    result = _compiled(uv, [text], *([] if requirement.extras else ["--no-deps"]))
    if result.returncode == 0:
        return _of_the_extras(uv, requirement, result) if _NO_EXTRA in result.stderr else Found.YES
    if requirement.extras and is_to_be_had(uv, f"{requirement.name}{requirement.specifier}") is Found.YES:
        return Found.UNKNOWN
    return _has_archive(uv, requirement, result.stderr)


def _of_the_extras(uv: str, requirement: Requirement, result: subprocess.CompletedProcess[str]) -> Found:
    """A release without the extra says no, unless it is an old one that was taken because the newest does not fit."""
    plain = _compiled(uv, [f"{requirement.name}{requirement.specifier}"], "--no-deps")
    is_newest = _version(requirement, plain.stdout) == _version(requirement, result.stdout)
    return Found.NO if is_newest else Found.UNKNOWN


def _version(requirement: Requirement, compiled: str) -> str:
    name = canonicalize_name(requirement.name)
    lines = (line.partition("==") for line in compiled.splitlines())
    return next(
        (v.split()[0] for n, _, v in lines if canonicalize_name(n.partition("[")[0]) == name and v), ""
    )


def _has_archive(uv: str, requirement: Requirement, refusal: str) -> Found:
    """A release without a wheel for this machine is to be had as a source archive."""
    versions = [one.version for one in requirement.specifier if one.operator == "=="]
    if versions:
        try:
            archive_address(uv, Pin(distribution=canonicalize_name(requirement.name), version=versions[0]))
        except NoSource as error:
            refusal = f"{refusal}\n{error}"
        else:
            return Found.YES
    return Found.NO if any(words in " ".join(refusal.split()) for words in _REFUSALS) else Found.UNKNOWN
