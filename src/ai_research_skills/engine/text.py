"""Tokens to text while they come: no half characters, and nothing that a stop string would have withheld."""

from __future__ import annotations

from collections.abc import Sequence

from ai_research_skills.llama.tokenizer import Tokenizer


class TextStream:
    """The text of one answer, in pieces.

    Attributes:
        stopped: Whether a stop string was met; the text ends before it.
    """

    def __init__(self, tokenizer: Tokenizer, stops: Sequence[str] = ()) -> None:
        self.stopped = False
        self._tokenizer, self._stops = tokenizer, stops
        self._ids: list[int] = []
        self._sent = 0

    def push(self, ids: Sequence[int], *, last: bool = False) -> str:
        """What can be shown now that `ids` have come, beyond what was shown before."""
        self._ids += ids
        text = self._tokenizer.decode(self._ids)
        text = text if last else text.rstrip("\ufffd")
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        self.stopped = bool(found)
        end = min(found) if found else len(text) - (0 if last else self._held_back(text))
        piece = text[self._sent : end]
        self._sent = max(self._sent, end)
        return piece

    def _held_back(self, text: str) -> int:
        """Characters at the end that may turn out to be the beginning of a stop string."""
        starts = (stop[:length] for stop in self._stops for length in range(1, len(stop)))
        return max((len(start) for start in starts if text.endswith(start)), default=0)
