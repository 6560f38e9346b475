"""What became of one call to a server."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What became of one call.

    Attributes:
        due: When it was to be sent, seconds from the beginning of the load.
        sent: When it was.
        token_times: When each piece of the answer came; our server sends a piece for nearly every token.
        text: The answer.
        ended: When the answer was complete or had failed.
        status: Of the HTTP response; 0 without one.
        error: Why it failed; empty if it did not.
    """

    due: float
    sent: float = 0.0
    token_times: list[float] = field(default_factory=list)
    text: str = ""
    ended: float = 0.0
    status: int = 0
    error: str = ""

    @property
    def complete(self) -> bool:
        """Whether the whole answer came."""
        return self.status == 200 and not self.error

    @property
    def time_to_first_token(self) -> float:
        """Seconds from when it was due; infinite while there is none."""
        return self.token_times[0] - self.due if self.token_times else float("inf")

    @property
    def time_per_token(self) -> float:
        """Mean seconds between the tokens after the first; 0 of fewer than two."""
        between = len(self.token_times) - 1
        return (self.token_times[-1] - self.token_times[0]) / between if between > 0 else 0.0
