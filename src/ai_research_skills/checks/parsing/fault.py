"""What a parser has against an example."""

from __future__ import annotations


class Fault(ValueError):
    """The text is not valid in its language.

    Attributes:
        reason: What is wrong, in one line.
        line: Line of the text, counted from 1, or 0 where it is the text as a whole.
        mend: What to do about it.
    """

    def __init__(self, reason: str, line: int = 0, mend: str = "correct the example") -> None:
        self.reason, self.line, self.mend = " ".join(reason.split())[:300], line, mend
        super().__init__(self.reason)
