"""Reads the sanitizers' reports: what is wrong, with which variable, on which line of the cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ai_research_skills.lab.cuda.host import CELL, Run

FRAME = re.compile(rf"#\d+ .*?{re.escape(CELL)}:(\d+)")

ACCESS = re.compile(
    r"^  (?P<previous>Previous )?(?P<kind>(?:atomic )?(?:read|write)) of size \d+ at (?P<address>0x\w+)"
    r" by (?P<thread>thread T\d+|main thread).*\n(?P<stack>(?:    #.*\n)*)",
    re.MULTILINE | re.IGNORECASE,
)

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
    """The data races that ThreadSanitizer reported, one for each pair of lines and variable."""
    found: dict[tuple[str, int, int], Finding] = {}
    for report in run.complaints.split("WARNING: ThreadSanitizer: data race")[1:]:
        names = dict(re.findall(r"Thread (T\d+) '([^']*)'", report))
        accesses = [match.groupdict("") for match in ACCESS.finditer(report)]
        if len(accesses) < 2:
            continue
        later, earlier = accesses[:2]
        variable = run.variable_at(int(later["address"], 16))
        where = variable.name if variable else ""
        lines = (_line(later["stack"]), _line(earlier["stack"]))
        doers = [
            names.get(each["thread"].removeprefix("thread "), each["thread"]) for each in (later, earlier)
        ]
        blocks = {each.partition(" thread ")[0] for each in doers}
        reason = "no barrier is between them" if len(blocks) == 1 else "nothing orders two blocks"
        message = (
            f"`{where or 'memory'}`: {doers[0]} {later['kind'].lower()}s on line {lines[0]} what {doers[1]} "
            f"{_past(earlier['kind'])} on line {lines[1]}, and {reason}"
        )
        key = (where, min(lines), max(lines))
        found.setdefault(key, Finding("race", where, lines[0], message, _code(text, lines[0])))
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


def _past(kind: str) -> str:
    return kind.lower().replace("write", "wrote")


def _code(text: str, line: int) -> str:
    lines = text.splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""
