"""What uv itself makes of a command line that begins with `uv`: it is asked for help about it, and runs nothing."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.cache import cache_folder
from ai_research_skills.checks.resolving.memory import Memory

_STARTERS = (("run",), ("tool", "run"), ("x",))
"""Subcommands behind which another command stands."""

_HELP = "--help"
_NEEDS_A_VALUE = "a value is required"


@dataclass(frozen=True)
class UvLine:
    """A line as uv reads it.

    Attributes:
        fault: What uv does not know in it, in uv's words; empty if it knows everything.
        own: The words that are uv's.
        inner: The command that uv would start.
    """

    fault: str
    own: tuple[str, ...]
    inner: tuple[str, ...] = ()


def read_uv_line(uv: str, words: Sequence[str]) -> UvLine:
    """How `uv` reads `words`, which begin with `uv` or `uvx`; remembered for each uv."""
    arguments = ("tool", "run", *words[1:]) if words[0] == "uvx" else tuple(words[1:])
    memory = Memory(cache_folder() / "uv", _identity(uv))
    question = list(arguments)
    kept = memory.recall(question)
    if kept is None:
        found = _read(uv, arguments)
        kept = {"fault": found.fault, "own": found.own, "inner": found.inner}
        memory.keep({json.dumps(question): kept})
    return UvLine(kept["fault"], tuple(kept["own"]), tuple(kept["inner"]))


def _identity(uv: str) -> str:
    file = Path(uv).resolve()
    return f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" if file.is_file() else uv


def _read(uv: str, arguments: tuple[str, ...]) -> UvLine:
    starter = next((one for one in _STARTERS if arguments[: len(one)] == one), None)
    if starter is None:
        return UvLine(_fault(uv, _options(arguments)), arguments)
    for end in range(len(starter), len(arguments) + 1):
        is_command = end < len(arguments) and not arguments[end].startswith("-")
        if not is_command and end < len(arguments):
            continue
        fault = _fault(uv, arguments[:end])
        if _NEEDS_A_VALUE not in fault:
            return UvLine(fault, arguments[:end], arguments[end:])
    return UvLine("", arguments)


def _options(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Everything before `--`."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _fault(uv: str, arguments: Sequence[str]) -> str:
    result = subprocess.run([uv, *arguments, _HELP], capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    first = result.stderr.strip().partition("\n")[0]
    return re.sub(r"^error: ", "", first) or "uv does not take it"
