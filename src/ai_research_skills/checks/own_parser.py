"""What the parser of an installed release says about a command line, remembered for every environment of pins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.checks import parser_probe
from ai_research_skills.checks.isolated import run_inside
from ai_research_skills.checks.parser_probe import UNSEEN

TIMEOUT = 120
"""Seconds until a parser must have answered."""


@dataclass(frozen=True)
class Parsed:
    """`accepted`, `rejected` or `unseen`, and the parser's words."""

    outcome: str
    message: str


def ask_parser(
    python: Path, words: Sequence[str], files: Mapping[str, str], *, lenient: bool, memory: Path | None
) -> Parsed:
    """What the parser behind `words` makes of them, with `files` at hand; `lenient` if one stands for the reader's own."""
    given = {"words": list(words), "files": dict(files), "lenient": lenient}
    key = hashlib.sha256(json.dumps([str(python), given], sort_keys=True).encode()).hexdigest()[:24]
    kept = memory / f"{key}.json" if memory else None
    if kept and kept.is_file():
        found = json.loads(kept.read_text(encoding="utf-8"))
    else:
        ended = {"outcome": UNSEEN, "message": f"it did not come to a parser within {TIMEOUT} s"}
        found = run_inside(python, parser_probe.__file__, given, TIMEOUT) or ended
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(found), encoding="utf-8")
    return Parsed(found["outcome"], found["message"])
