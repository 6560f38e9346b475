"""Whether what a `pip install` line asks for is to be had from the index that uv is set up with; nothing is built."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from functools import cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.released_source import NoSource, archive_address

_TAKE_A_VALUE = """
-c -e -f -i -p -r -t --cache-dir --config-settings --constraint --dest --editable --extra-index-url
--find-links --index-url --no-binary --only-binary --platform --prefix --python --python-version
--requirement --target --torch-backend
"""
_WITH_VALUE = frozenset(_TAKE_A_VALUE.split())
_ELSEWHERE = frozenset({"-f", "-i", "--extra-index-url", "--find-links", "--index-url", "--index", "--pre"})
_REFUSALS = ("no version of", "not found in the package registry", "no versions of", "there are no versions")


class Found(Enum):
    """What the index says about a requirement."""

    YES = auto()
    NO = auto()
    UNKNOWN = auto()


def asked_requirements(arguments: Sequence[str]) -> Iterator[str]:
    """The requirements among the arguments of `pip install`; options, files and folders are none."""
    words = iter(arguments)
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif not word.startswith(("-", ".", "/")):
            yield word


def names_another_index(arguments: Sequence[str]) -> bool:
    """Whether the line takes its packages from elsewhere than the index that uv is set up with."""
    return any(word.partition("=")[0] in _ELSEWHERE for word in arguments)


@cache
def is_to_be_had(uv: str, text: str) -> Found:
    """Whether the index has a release that satisfies the requirement `text`, with its extras."""
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return Found.UNKNOWN if ":" in text else Found.NO
    if requirement.url:
        return Found.UNKNOWN
    command = [
        uv,
        "pip",
        "compile",
        "--no-build",
        "--no-header",
        "--prerelease",
        "if-necessary-or-explicit",
        "-",
    ]
    command += [] if requirement.extras else ["--no-deps"]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return Found.NO if "does not have an extra named" in result.stderr else Found.YES
    if requirement.extras and is_to_be_had(uv, f"{requirement.name}{requirement.specifier}") is Found.YES:
        return Found.UNKNOWN
    return _has_archive(uv, requirement, result.stderr)


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
