"""Brings the issues of a repository in line with a file that `ai-skills outdated --issues` wrote.

It stands alone: `python tracker.py FILE` needs the standard library and `gh`, so that the job that may write issues
installs nothing. What it knows an issue by is its label and its title, and that takes a maintainer to set. Texts go
to `gh` as arguments and files, past any shell.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

LABEL = "newer-releases"
Call = Callable[..., str]
"""Runs `gh` with arguments; returns what it wrote."""


def track(issues: Sequence[Mapping[str, Any]], call: Call) -> tuple[str, ...]:
    """Open, renew or close one issue a title; returns what was done, a line each."""
    call("label", "create", LABEL, "--force", "--color", "FBCA04", "--description", "A pin that moved on")
    listed = json.loads(
        call(
            "issue", "list", "--label", LABEL, "--state", "open", "--limit", "1000", "--json", "number,title"
        )
    )
    numbers: dict[str, list[str]] = {}
    for one in sorted(listed, key=lambda one: int(one["number"])):
        numbers.setdefault(one["title"], []).append(str(one["number"]))
    done: list[str] = []
    for issue in issues:
        known = numbers.get(issue["title"], [])
        done += _open(issue, known, call) if issue["open"] else _close(known, "Nothing is left to do.", call)
    return tuple(done)


def _open(issue: Mapping[str, Any], known: Sequence[str], call: Call) -> list[str]:
    """One issue stays: the oldest. Others of its title are left from a run that was cut off."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder, "body.md")
        body.write_text(issue["body"], encoding="utf-8")
        if not known:
            call("issue", "create", f"--title={issue['title']}", "--label", LABEL, "--body-file", str(body))
            return [f"opened {issue['title']}"]
        call("issue", "edit", known[0], "--body-file", str(body))
    return [f"renewed #{known[0]}", *_close(known[1:], f"See #{known[0]}.", call)]


def _close(numbers: Sequence[str], why: str, call: Call) -> list[str]:
    for number in numbers:
        call("issue", "close", number, "--comment", why)
    return [f"closed #{number}" for number in numbers]


def gh(*arguments: str) -> str:
    """`Call` by the tool itself; a failure ends the run."""
    return subprocess.run(["gh", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    for line in track(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), gh):
        print(line)
