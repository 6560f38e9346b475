"""Level 2 for all examples of a skill: command lines, the added lines of a diff, Python, and data that a command reads."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.bench import Bench
from ai_research_skills.checks.releases.environment import command_memory, find_uv
from ai_research_skills.checks.resolving.command_lines import CannotSplit, commands
from ai_research_skills.checks.resolving.installed import asking
from ai_research_skills.checks.resolving.programs import (
    Piece,
    added_lines,
    added_piece,
    block_piece,
    isolated_programs,
    pages_programs,
)
from ai_research_skills.checks.resolving.python import Releases, resolve
from ai_research_skills.checks.resolving.remark import Remark
from ai_research_skills.checks.resolving.shell import (
    Shell,
    ShellFindings,
    resolve_command,
    resolve_data,
    resolve_shell,
    settle,
)
from ai_research_skills.checks.running.isolated import can_isolate

READ_BY = {
    "bash": ("parsers", "registry"),
    "data": ("schema",),
    "diff": ("ty",),
    "python": ("ty",),
    "sh": ("parsers", "registry"),
}
"""Who looks at an example of a language: the type checker, the releases' own parsers, or what the registry lists."""


@dataclass(frozen=True)
class Resolved:
    """What was looked at, and what keeps some of it from being resolved.

    Attributes:
        looked_at: The examples of which every use was looked at, with who did.
        remarks: Uses that drifted, or that nobody could verify.
    """

    looked_at: Mapping[Example, tuple[str, ...]]
    remarks: tuple[Remark, ...]


@dataclass
class _Page:
    """The examples of one page on their way: those that can be resolved, with who does, and their Python."""

    candidates: dict[Example, tuple[str, ...]] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)


class _Installed:
    """The environment of a bench, and whether somebody wanted it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.was_asked = False

    def python(self) -> Path | None:
        """Its interpreter, made on the first call; None if there is none."""
        self.was_asked = can_isolate()
        environment = self._bench.environment if self.was_asked else None
        return environment.python if environment else None


def resolve_skill(
    pages: Sequence[Sequence[Example]],
    wanted: Collection[Example],
    types: Mapping[Example, Mapping[str, str]],
    pins: tuple[Pin, ...],
    bench: Bench,
    *,
    are_programs: bool = True,
) -> Resolved:
    """Resolve the `wanted` examples of a skill.

    Installed packages are asked only where this machine can isolate them.

    Args:
        pages: The examples of each page that parse, in order.
        wanted: Those that are to be resolved; the others are there for the names that they define.
        types: Types of the values that running a page gave its names before an example.
        pins: The releases that the skill is written against.
        bench: Those releases with all that they depend on.
        are_programs: Whether the pages were written as programs; if not, each block stands alone.

    Raises:
        NoEngine: The type checker cannot be asked.
    """
    installed = _Installed(bench)
    shell = _shell(pages, wanted, pins, bench)
    findings = ShellFindings()
    read = [_read_page(page, wanted, shell, findings) for page in pages]
    settle(findings, shell)
    looked_at = {example: by for page in read for example, by in page.candidates.items()}
    looked_at |= dict.fromkeys(findings.read, READ_BY["data"])
    pieces = [page.pieces for page in read]
    programs = (
        pages_programs(pieces) if are_programs else [*chain.from_iterable(map(isolated_programs, pieces))]
    )
    releases = Releases(bench.prefix, bench.sources, asking(installed.python))
    found = resolve(programs, frozenset(looked_at), releases, types)
    if installed.was_asked:
        python, packages = READ_BY["python"], (*READ_BY["python"], "packages")
        looked_at = {one: packages if by == python else by for one, by in looked_at.items()}
    return Resolved(looked_at, (*findings.remarks, *found))


def _shell(
    pages: Sequence[Sequence[Example]], wanted: Collection[Example], pins: tuple[Pin, ...], bench: Bench
) -> Shell:
    """What command lines are held against; the releases are installed only if there are command lines."""
    is_needed = any(one in wanted and one.language != "python" for page in pages for one in page)
    environment = bench.environment if is_needed and can_isolate() else None
    uv = find_uv() or "uv"
    if environment is None:
        return Shell(None, uv, pins)
    return Shell(environment.python, uv, pins, command_memory(environment), environment.sources)


def _read_page(
    examples: Sequence[Example], wanted: Collection[Example], shell: Shell, findings: ShellFindings
) -> _Page:
    page = _Page()
    for position, example in enumerate(examples):
        is_read = example.language == "python" or example in wanted
        if is_read and _read(example, examples[:position], page, shell, findings) and example in wanted:
            page.candidates[example] = READ_BY[example.language]
    return page


def _read(
    example: Example, before: Sequence[Example], page: _Page, shell: Shell, findings: ShellFindings
) -> bool:
    """Whether all of `example` can be looked at; its Python goes to the pieces of the page."""
    if example.language == "python":
        piece = block_piece(example)
        page.pieces += [piece] if piece else []
        return piece is not None
    if example.language in {"bash", "sh"}:
        first = len(findings.pieces)
        resolve_shell(example, before, shell, findings)
        page.pieces += findings.pieces[first:]
        return True
    if example.language == "diff":
        return _read_diff(example, before, page, shell, findings)
    resolve_data(example, shell, findings)
    return False


def _read_diff(
    example: Example, before: Sequence[Example], page: _Page, shell: Shell, findings: ShellFindings
) -> bool:
    """Whether every added line is Python or a command; the removed lines are the old spelling."""
    lines = added_lines(example)
    spoken = {number: text for number, text in lines if _is_command(text, shell)}
    piece = added_piece(example, [(number, text) for number, text in lines if number not in spoken])
    if not lines or (piece is None and len(spoken) < len(lines)):
        return False
    for number, text in spoken.items():
        for command in commands(text):
            resolve_command(replace(command, line=number - example.line), example, before, shell, findings)
    page.pieces += [piece] if piece else []
    return True


def _is_command(text: str, shell: Shell) -> bool:
    try:
        ast.parse(text.strip())
    except SyntaxError:
        pass
    else:
        return False
    try:
        first = next((command.words[0] for command in commands(text)), "")
    except CannotSplit:
        return False
    return first in {"pip", "uv"} or shell.has_script(first)
