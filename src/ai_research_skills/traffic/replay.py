"""Requests that arrive at an engine at their own times, in this process and without a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ai_research_skills.engine.engine import Engine
from ai_research_skills.engine.request import Request
from ai_research_skills.traffic.clock import Clock


def replay(engine: Engine, requests: Sequence[Request], clock: Clock) -> None:
    """Submit each request when `clock` says that it arrives, and step until all are answered.

    Args:
        engine: Made with `now=clock.now`.
        requests: `arrival` is in seconds on that clock.
        clock: A `SkippingClock` measures work and skips the waiting, a `VirtualClock` simulates.
    """
    coming = deque(sorted(requests, key=lambda request: request.arrival))
    while coming or engine.busy:
        if coming and not engine.busy:
            clock.wait_until(coming[0].arrival)
        while coming and coming[0].arrival <= clock.now():
            engine.submit(coming.popleft())
        engine.step()
