"""What the parsers of installed releases say about command lines, remembered for every environment of pins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ai_research_skills.checks.resolving import parser_probe
from ai_research_skills.checks.resolving.memory import Memory
from ai_research_skills.checks.resolving.parser_probe import NO_ANSWER, UNSEEN
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


@dataclass(frozen=True)
class Parsed:
    """`accepted`, `rejected` or `unseen`, and the parser's words."""

    outcome: str
    message: str


def ask_parsers(python: Path | None, lines: Sequence[CommandLine], memory: Path | None) -> list[Parsed]:
    """What the parser behind each line makes of it; answers are kept in the folder `memory`, if there is one.

    An answer is remembered unless the clock gave it. Without an interpreter nothing is seen.
    """
    if python is None:
        return [Parsed(UNSEEN, "the pins are not installed here")] * len(lines)
    kept = Memory(memory, Path(parser_probe.__file__).read_text(encoding="utf-8"))
    texts = [json.dumps(asdict(line), sort_keys=True) for line in lines]
    answers = {text: answer for text in texts if (answer := kept.recall(json.loads(text))) is not None}
    new = [text for text in dict.fromkeys(texts) if text not in answers]
    if new:
        given = {"lines": [json.loads(text) for text in new], "timeout": TIMEOUT}
        found = run_inside(python, parser_probe.__file__, given, TIMEOUT * len(new) + TIMEOUT)
        none = [{"outcome": UNSEEN, "message": NO_ANSWER}] * len(new)
        answers |= dict(zip(new, found or none, strict=True))
        kept.keep({text: answers[text] for text in new if answers[text]["message"] != NO_ANSWER})
    return [Parsed(**answers[text]) for text in texts]
