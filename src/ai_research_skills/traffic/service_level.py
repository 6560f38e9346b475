"""What a client notices, held against what was promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ai_research_skills.engine.request import Request
from ai_research_skills.traffic.outcome import Outcome


@dataclass(frozen=True)
class Latency:
    """How one request was served.

    Attributes:
        first: Seconds to the first token.
        between: Mean seconds between the tokens after it.
        tokens: Of the answer.
        ended: When it was complete, seconds from the beginning; infinite if it failed.
    """

    first: float
    between: float
    tokens: int
    ended: float

    @classmethod
    def of(cls, served: Request | Outcome) -> Latency:
        """Of a request to an engine in this process, or of a call to a server."""
        if isinstance(served, Outcome):
            ended = served.ended if served.complete else float("inf")
            return cls(served.time_to_first_token, served.time_per_token, len(served.token_times), ended)
        gaps = served.gaps
        whole = served.finished in {"stop", "length"} and served.ended is not None
        return cls(
            first=served.time_to_first_token,
            between=sum(gaps) / len(gaps) if gaps else 0.0,
            tokens=len(served.output),
            ended=served.ended if whole and served.ended is not None else float("inf"),
        )


@dataclass(frozen=True)
class Objective:
    """A service-level objective (SLO).

    Attributes:
        first: Most seconds to the first token.
        between: Most seconds between tokens, on average over an answer.
    """

    first: float
    between: float

    def met(self, latency: Latency) -> bool:
        """Whether a complete answer came in time."""
        return latency.first <= self.first and latency.between <= self.between and np.isfinite(latency.ended)

    def goodput(self, latencies: Sequence[Latency]) -> float:
        """Requests a second that met the objective, from time 0 to the last answer."""
        good = [latency for latency in latencies if self.met(latency)]
        finite = [latency.ended for latency in latencies if np.isfinite(latency.ended)]
        return len(good) / max(finite) if finite else 0.0

    def attainment(self, latencies: Sequence[Latency]) -> float:
        """Share of the requests that met the objective."""
        return sum(map(self.met, latencies)) / len(latencies)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` percent of the values do not exceed, one of them: no interpolation into a tail."""
    return float(np.percentile(np.asarray(values, dtype=float), share, method="inverted_cdf"))
