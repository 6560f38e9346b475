"""What a source archive says that its release needs, without asking its build."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from email.parser import Parser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

_SECTION = re.compile(r"\[(?P<extra>[^:\]]*)(:(?P<marker>.*))?\]")


def required(folder: Path) -> tuple[str, ...]:
    """The requirements of the release whose files lie in `folder`, those of its extras aside.

    They stand in `METADATA`, else in setuptools' `requires.txt`, else in `pyproject.toml`.
    """
    for record in folder.glob("*.dist-info"):
        for read in (_in_metadata, _in_requires, _in_project):
            found = tuple(_without_extras(read(record)))
            if found:
                return found
    return ()


def _in_metadata(record: Path) -> Iterator[str]:
    yield from map(str, Parser().parsestr(_text(record / "METADATA"), True).get_all("Requires-Dist", []))


def _in_requires(record: Path) -> Iterator[str]:
    """The lines before the first section, and those of sections such as `[:python_version < "3.12"]`."""
    extra, marker = "", ""
    for line in map(str.strip, _text(record / "requires.txt").splitlines()):
        section = _SECTION.fullmatch(line)
        if section:
            extra, marker = section["extra"], section["marker"] or ""
        elif line and not extra:
            yield f"{line} ; {marker}" if marker else line


def _in_project(record: Path) -> Iterator[str]:
    try:
        project = tomllib.loads(_text(record / "pyproject.toml")).get("project", {})
    except tomllib.TOMLDecodeError:
        return
    yield from map(str, project.get("dependencies", ()))


def _without_extras(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.url is None and "extra" not in str(requirement.marker or ""):
            yield str(requirement)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
