"""What was answered, kept with its day: where nobody answers today, an earlier answer is better than none."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_research_skills.checks.whole_file import write_whole


class Silent(Exception):
    """Who was asked did not answer; the text says how."""


class NoAnswer(Exception):
    """Nobody answered, and no earlier answer is kept."""


@dataclass
class Memory:
    """Answers on disk, by question.

    Attributes:
        who: Who is asked, for a reader.
        folder: Where they lie.
        offline: Ask nobody.
        silence: How it failed to answer, once it did; from then on it is not asked.
        days: The days of those kept answers that stood in for fresh ones.
    """

    who: str
    folder: Path
    today: dt.date
    offline: bool = False
    silence: str = ""
    days: set[dt.date] = field(default_factory=set)

    def answer(self, question: str, ask: Callable[[], Any]) -> Any:
        """What `ask` returns today, or what it returned the last time that it did. The answer is JSON.

        Raises:
            NoAnswer: Nobody answers, and nothing is kept.
        """
        path = self.folder / f"{hashlib.sha256(question.encode()).hexdigest()[:32]}.json"
        if not self.offline and not self.silence:
            try:
                answer = ask()
            except Silent as error:
                self.silence = str(error)
            else:
                kept = {"question": question, "day": self.today.isoformat(), "answer": answer}
                write_whole(path, json.dumps(kept))
                return answer
        return self._kept(path, question)

    def word(self) -> str:
        """One line on how old the answers are, or nothing where all are of today."""
        if not self.offline and not self.silence:
            return ""
        why = "nobody was asked" if self.offline else f"{self.who} did not answer ({self.silence})"
        if not self.days:
            return f"no answers are kept: {why}"
        first, last = min(self.days), max(self.days)
        return f"answers of {first if first == last else f'{first} to {last}'}: {why}"

    def _kept(self, path: Path, question: str) -> Any:
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            self.days.add(dt.date.fromisoformat(kept["day"]))
            return kept["answer"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoAnswer(f"nothing is known of {question}") from error
