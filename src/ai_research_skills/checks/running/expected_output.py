"""What a page says that a block prints, compared with what it did print."""

from __future__ import annotations

import difflib
import doctest
import re
from collections.abc import Mapping
from typing import Any

LONGEST_DIFFERENCE = 20
"""Lines of the difference that are shown."""

_RULES = doctest.ELLIPSIS | doctest.DONT_ACCEPT_TRUE_FOR_1 | doctest.DONT_ACCEPT_BLANKLINE
_CHECKER = doctest.OutputChecker()
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n|\.\.\.\n)*")


def mismatch(expected: str, outcome: Mapping[str, Any]) -> str | None:
    """What is wrong about `expected`, or None if nothing is.

    A block that ran is held to its standard output, one that raised as it should to the last lines of its exception.
    Nothing is said of a block that was skipped or that failed by itself.

    Args:
        expected: The text of the `text prints` block below it.
        outcome: An outcome of `page_runner`.
    """
    if outcome["outcome"] == "ran":
        if outcome["truncated"] and not matches(expected, outcome["stdout"]):
            return "prints more than is kept for comparison"
        found = outcome["stdout"]
        return None if matches(expected, found) else _told("prints", expected, found)
    if outcome["outcome"] == "raised":
        error = outcome["error"]
        return None if ends_with(error, expected) else _told("raises", expected, error)
    return None


def matches(expected: str, found: str) -> bool:
    """Whether `found` is `expected`, but for blanks at the ends of lines and empty lines at the end.

    `...` stands for any text, none and several lines included, as in `doctest`.
    """
    return _CHECKER.check_output(_trimmed(expected), _trimmed(found), _RULES)


def ends_with(error: str, expected: str) -> bool:
    """Whether the last lines of `error`, or all of them, match `expected`, a traceback's head set aside."""
    wanted = _TRACEBACK.sub("", _trimmed(expected))
    lines = _trimmed(error).split("\n")
    return any(matches(wanted, "\n".join(lines[start:])) for start in range(len(lines)))


def _trimmed(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines).rstrip("\n") + "\n"


def _told(verb: str, expected: str, found: str) -> str:
    """A unified difference without its header, from what the page says to what was found."""
    wanted, had = (_trimmed(text).splitlines() for text in (expected, found))
    patterns = [line for line in wanted if "..." in line and line.strip() != "..."]
    had = [next((pattern for pattern in patterns if matches(pattern, line)), line) for line in had]
    lines = list(difflib.unified_diff(wanted, had, n=1, lineterm=""))[2:]
    if len(lines) > LONGEST_DIFFERENCE:
        lines[LONGEST_DIFFERENCE:] = [f"… {len(lines) - LONGEST_DIFFERENCE} more lines"]
    shown = "\n".join(line[:200] for line in lines)
    return f"{verb} something else than the page says (-: the page, +: the run)\n{shown}"
