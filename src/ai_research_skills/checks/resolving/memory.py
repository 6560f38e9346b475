"""Answers that are remembered beside the environment that gave them, for as long as the rules of asking stay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ai_research_skills.checks.whole_file import write_whole


class Memory:
    """Answers under the hash of their question, in one file.

    Args:
        folder: Where environments keep answers, or None: then nothing is remembered.
        rules: What else the answers depend on, such as the text of the script that found them.
    """

    def __init__(self, folder: Path | None, rules: str) -> None:
        self._path = folder / f"answers-{_digest(rules)}.json" if folder else None
        self._kept = self._read()

    def recall(self, question: Any) -> Any:
        """What was answered to `question`, or None."""
        return self._kept.get(_digest(question))

    def keep(self, answers: Mapping[str, Any]) -> None:
        """Remember answers, each under the JSON of its question, along with what others wrote meanwhile."""
        self._kept = self._read() | {_digest(json.loads(text)): answer for text, answer in answers.items()}
        if self._path:
            write_whole(self._path, json.dumps(self._kept, indent=0, sort_keys=True))

    def _read(self) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8")) if self._path else {}
        except (FileNotFoundError, ValueError):
            return {}
        return kept


def _digest(question: Any) -> str:
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:24]
