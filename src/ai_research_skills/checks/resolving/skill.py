"""Level 2 for all examples of a skill: shell lines, the added lines of a diff, Python, and data that a command reads."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ai_research_skills.catalog.example import Example, Mark
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.environment import Environment, command_memory, find_uv
from ai_research_skills.checks.resolving.command_lines import CannotSplit, commands
from ai_research_skills.checks.resolving.programs import (
    Piece,
    added_lines,
    added_piece,
    block_piece,
    page_programs,
    shared_imports,
)
from ai_research_skills.checks.resolving.python import Releases, resolve
from ai_research_skills.checks.resolving.remark import Remark
from ai_research_skills.checks.resolving.shell import (
    Shell,
    ShellFindings,
    resolve_command,
    resolve_shell,
    settle,
)

_SHELLS = frozenset({"bash", "sh"})


@dataclass(frozen=True)
class Resolved:
    """The examples that are resolved, and what keeps the others from it."""

    examples: frozenset[Example]
    remarks: tuple[Remark, ...]


@dataclass
class _Page:
    """The examples of one page on their way: those that can be resolved, and their Python."""

    candidates: set[Example] = field(default_factory=set)
    pieces: list[Piece] = field(default_factory=list)


def resolve_skill(
    pages: Sequence[Sequence[Example]],
    types: Mapping[Example, Mapping[str, str]],
    pins: tuple[Pin, ...],
    environment: Environment,
) -> Resolved:
    """Resolve what is not executed: of the Python blocks these are the ones that need a GPU.

    Args:
        pages: The examples of each page that parse, in order.
        types: Types of the values that running a page gave its names before an example.
        pins: The releases that the skill is written against.
        environment: The releases, installed.
    """
    shell = Shell(environment.python, find_uv() or "uv", pins, command_memory(environment))
    findings = ShellFindings()
    read = [_read_page(page, shell, findings) for page in pages]
    settle(findings, shell)
    candidates = frozenset().union(*(page.candidates for page in read)) | findings.read
    imports = shared_imports([piece for page in read for piece in page.pieces if not piece.is_fragment])
    programs = [program for page in read for program in page_programs(page.pieces, imports)]
    remarks = (
        *findings.remarks,
        *resolve(programs, candidates, Releases(environment.python, environment.sources), types),
    )
    return Resolved(candidates - {remark.example for remark in remarks}, remarks)


def _read_page(examples: Sequence[Example], shell: Shell, findings: ShellFindings) -> _Page:
    page = _Page()
    for position, example in enumerate(examples):
        before = examples[:position]
        if example.language == "python":
            piece = block_piece(example)
            page.pieces += [piece] if piece else []
            is_candidate = piece is not None and example.mark == Mark.GPU
        elif example.language in _SHELLS:
            first = len(findings.pieces)
            resolve_shell(example, before, shell, findings)
            page.pieces += findings.pieces[first:]
            is_candidate = True
        else:
            is_candidate = example.language == "diff" and _read_diff(example, before, page, shell, findings)
        if is_candidate:
            page.candidates.add(example)
    return page


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
    return first in {"pip", "uv"} or (bool(first) and (shell.python.parent / first).is_file())
