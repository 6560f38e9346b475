"""Reads what the detectors report: what is wrong, with which variable, on which line of the cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ai_research_skills.lab.cuda.host import CELL, Run, lines_of

FRAME = re.compile(rf"#\d+ .*?{re.escape(CELL)}:(\d+)")

PAST = {"read": "read", "write": "wrote", "update": "updated"}

BAD = re.compile(r"AddressSanitizer: (?P<kind>[\w-]+) .*?address (?P<address>0x\w+)")

INDEX = re.compile(rf"^{re.escape(CELL)}:(\d+):\d+: runtime error: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a kernel.

    Attributes:
        kind: What it is.
        where: Variable or argument of the cell; empty where the report knows none.
        line: Of the cell's text, from 1; 0 where the report knows none.
        message: One sentence.
        code: The text of that line.
    """

    kind: Literal["race", "out of bounds"]
    where: str
    line: int
    message: str
    code: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.kind}: {self.message}\n    {self.code}".rstrip()


def races(text: str, run: Run) -> tuple[Finding, ...]:
    """The races that the detector reported, one for each pair of lines and variable."""
    lines = lines_of(run.program, [int(each[at], 16) for each in run.races for at in (2, 10)])
    found: dict[tuple[str, int, int], Finding] = {}
    for each in run.races:
        later, earlier = each[2:10], each[10:18]
        variable = run.variable_at(int(each[1], 16))
        where = variable.name if variable else ""
        line, before = (lines[int(access[0], 16)] for access in (later, earlier))
        same = later[2:5] == earlier[2:5]
        reason = "no barrier is between them" if same else "nothing orders two blocks"
        message = (
            f"`{where or 'memory'}`: {_thread(later)} {later[1]}s on line {line} what {_thread(earlier)} "
            f"{PAST[earlier[1]]} on line {before}, and {reason}"
        )
        key = (where, min(line, before), max(line, before))
        found.setdefault(key, Finding("race", where, line, message, _code(text, line)))
    return tuple(found.values())


def bad_accesses(text: str, run: Run) -> tuple[Finding, ...]:
    """What AddressSanitizer and the check of array indices reported, one for each line and variable."""
    found: dict[tuple[str, int], Finding] = {}
    for match in INDEX.finditer(run.complaints):
        line = int(match[1])
        found.setdefault(("", line), Finding("out of bounds", "", line, match[2], _code(text, line)))
    for report in run.complaints.split("ERROR: ")[1:]:
        bad = BAD.match(report)
        if bad is None:
            continue
        access = re.search(r"^(READ|WRITE) of size (\d+)", report, re.MULTILINE)
        line = _line(report)
        what = f"{access[1].lower()} of size {access[2]}" if access else bad["kind"]
        where, place = _place(report, run, int(bad["address"], 16))
        finding = Finding("out of bounds", where, line, f"{what}, {place}", _code(text, line))
        if ("", line) not in found:
            found.setdefault((where, line), finding)
    return tuple(found.values())


def _place(report: str, run: Run, address: int) -> tuple[str, str]:
    """The variable next to which `address` is, and how to say so."""
    near = min(run.variables, key=lambda each: _distance(each.start, each.bytes, address), default=None)
    # Red zones are 2 KiB: farther away, the neighbour says nothing.
    if near is None or _distance(near.start, near.bytes, address) > 4096:
        return "", f"at address {address:#x}, far from every array"
    kind = "variable" if near.shared else "argument"
    if address < near.start:
        distance = f"{near.start - address} bytes before"
    else:
        distance = f"{address - near.start - near.bytes} bytes after"
    return near.name, f"{distance} the {near.bytes}-byte {kind} `{near.name}`"


def _distance(start: int, size: int, address: int) -> int:
    return max(start - address, address - start - size + 1, 0)


def _line(stack: str) -> int:
    match = FRAME.search(stack)
    return int(match[1]) if match else 0


def _thread(access: tuple[str, ...]) -> str:
    return f"block ({', '.join(access[2:5])}) thread ({', '.join(access[5:8])})"


def _code(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
