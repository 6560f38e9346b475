"""Run inside a skill's environment: the blocks of one page, in order, sharing names. Standard library only.

Reads a JSON list of blocks from the file named first and writes a JSON list of outcomes to the second.
A page is a program: after a block that should have run and did not, nothing below it counts.
"""

from __future__ import annotations

import json
import linecache
import sys
import time
import traceback
from pathlib import Path
from typing import Any

_SCALARS = (bool, int, float, str, bytes)


def run_page(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One outcome a block: `ran`, `raised` as it should, `failed`, or `skipped`.

    With a block that was skipped come the types of the values that the names have there.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    outcomes: list[dict[str, Any]] = []
    broken = False
    for block in blocks:
        mark = block["mark"]
        if mark == "fresh":
            names = {"__name__": "__main__"}
            broken = False
        if mark == "gpu" or (broken and mark != "alone"):
            types = {} if broken else _types(names)
            outcomes.append({"outcome": "skipped", "seconds": 0.0, "message": "", "types": types})
            continue
        scope = {"__name__": "__main__"} if mark == "alone" else dict(names) if mark == "fails" else names
        outcome = _run(block, scope, should_raise=mark == "fails")
        broken = broken or (outcome["outcome"] == "failed" and mark in {"", "fresh"})
        outcomes.append(outcome)
    return outcomes


def _types(names: dict[str, Any]) -> dict[str, str]:
    """`module:class` of every value whose class a type checker can be told."""
    kinds = {name: type(value) for name, value in names.items() if not name.startswith("__")}
    return {
        name: f"{kind.__module__}:{kind.__qualname__}"
        for name, kind in kinds.items()
        if kind in _SCALARS or kind.__module__ not in {"builtins", "__main__"}
        if "<" not in kind.__qualname__
    }


def _run(block: dict[str, Any], scope: dict[str, Any], *, should_raise: bool) -> dict[str, Any]:
    name, source = f"{block['page']}:{block['line']}", block["source"]
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    started = time.perf_counter()
    try:
        exec(compile(source, name, "exec"), scope)
    except BaseException as error:
        message = "".join(traceback.format_exception_only(error)).strip()
        found = "raised" if should_raise and isinstance(error, Exception) else "failed"
        return {"outcome": found, "seconds": time.perf_counter() - started, "message": message}
    message = "is marked `fails` but ran" if should_raise else ""
    found = "failed" if should_raise else "ran"
    return {"outcome": found, "seconds": time.perf_counter() - started, "message": message}


if __name__ == "__main__":
    source_file, outcome_file = sys.argv[1:]
    found = run_page(json.loads(Path(source_file).read_text(encoding="utf-8")))
    Path(outcome_file).write_text(json.dumps(found), encoding="utf-8")
