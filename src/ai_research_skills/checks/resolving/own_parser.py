"""What the parsers of installed releases say about command lines, remembered for every environment of pins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ai_research_skills.checks.resolving import parser_probe
from ai_research_skills.checks.resolving.parser_probe import UNSEEN
from ai_research_skills.checks.running.isolated import run_inside

TIMEOUT = 120
"""Seconds until a parser must have answered."""


@dataclass(frozen=True)
class CommandLine:
    """A command line to be put to its own parser.

    Attributes:
        words: A console script, or `-m` and a module, with the arguments.
        files: What the files hold that the line names.
        lenient: Whether one of the files is the reader's own: then nothing counts as missing.
    """

    words: tuple[str, ...]
    files: Mapping[str, str]
    lenient: bool = False

    def key(self, python: Path) -> str:
        """The name under which the answer of the parser in `python` is remembered."""
        text = json.dumps([str(python), asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Parsed:
    """`accepted`, `rejected` or `unseen`, and the parser's words."""

    outcome: str
    message: str


def ask_parsers(python: Path, lines: Sequence[CommandLine], memory: Path | None) -> list[Parsed]:
    """What the parser behind each line makes of it; answers are kept in the folder `memory`, if there is one."""
    kept = {line.key(python): _recalled(memory, line.key(python)) for line in lines}
    new = {line.key(python): line for line in lines if kept[line.key(python)] is None}
    if new:
        given = {"lines": [asdict(line) for line in new.values()], "timeout": TIMEOUT}
        found = run_inside(python, parser_probe.__file__, given, TIMEOUT * len(new) + TIMEOUT)
        answers = (
            [Parsed(**one) for one in found] if found else [Parsed(UNSEEN, "it gave no answer")] * len(new)
        )
        for key, answer in zip(new, answers, strict=True):
            kept[key] = answer
            _remember(memory, key, answer)
    return [kept[line.key(python)] or Parsed(UNSEEN, "") for line in lines]


def _recalled(memory: Path | None, key: str) -> Parsed | None:
    path = memory / f"{key}.json" if memory else None
    return Parsed(**json.loads(path.read_text(encoding="utf-8"))) if path and path.is_file() else None


def _remember(memory: Path | None, key: str, answer: Parsed) -> None:
    if memory and answer.outcome != UNSEEN:
        memory.mkdir(exist_ok=True)
        (memory / f"{key}.json").write_text(json.dumps(asdict(answer)), encoding="utf-8")
