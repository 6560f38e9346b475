"""Tokens to text while they come: no half characters, and nothing that a stop string would have withheld."""

from __future__ import annotations

from collections.abc import Sequence

from ai_research_skills.llama.tokenizer import Tokenizer


class TextStream:
    """The text of one answer, in pieces.

    Attributes:
        stopped: Whether a stop string was met; the text ends before it.
        count: Tokens that came.
    """

    def __init__(self, tokenizer: Tokenizer, stops: Sequence[str] = ()) -> None:
        self.stopped, self.count = False, 0
        self._tokenizer, self._stops = tokenizer, stops
        self._whole = ""
        self._open: list[int] = []
        self._sent = 0

    def push(self, ids: Sequence[int], *, last: bool = False) -> str:
        """What can be shown now that `ids` have come, beyond what was shown before."""
        self.count += len(ids)
        text = self._decoded(ids, last=last)
        longest = max((len(stop) for stop in self._stops), default=0)
        found = [at for stop in self._stops if (at := text.find(stop, max(0, self._sent - longest))) >= 0]
        self.stopped = bool(found)
        end = min(found) if found else len(text) - (0 if last else self._held_back(text))
        piece = text[self._sent : end]
        self._sent = max(self._sent, end)
        return piece

    def _decoded(self, ids: Sequence[int], *, last: bool) -> str:
        """All text so far. Only what came since the last whole character is decoded anew."""
        self._open += ids
        end = self._tokenizer.decode(self._open)
        if end.endswith("\ufffd") and not last:
            return self._whole + end.rstrip("\ufffd")
        self._whole, self._open = self._whole + end, []
        return self._whole

    def _held_back(self, text: str) -> int:
        """Characters at the end that may turn out to be the beginning of a stop string."""
        starts = (stop[:length] for stop in self._stops for length in range(1, len(stop)))
        return max((len(start) for start in starts if text.endswith(start)), default=0)
