"""What time it is: on the wall, with idle time skipped, or in a simulation."""

from __future__ import annotations

import time


class Clock:
    """The wall's time in seconds, from 0 at its making."""

    def __init__(self) -> None:
        self._zero = time.perf_counter()

    def now(self) -> float:
        """Seconds since it was made."""
        return time.perf_counter() - self._zero

    def wait_until(self, moment: float) -> None:
        """Return at `moment` or later."""
        time.sleep(max(0.0, moment - self.now()))


class SkippingClock(Clock):
    """Real seconds of work, and no idle ones: to wait is to jump, so a measured run is over sooner."""

    def wait_until(self, moment: float) -> None:
        """Set the time to `moment`, unless it is past."""
        self._zero -= max(0.0, moment - self.now())


class VirtualClock(Clock):
    """Time that passes only by `advance` and `wait_until`."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds so far."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds

    def wait_until(self, moment: float) -> None:
        """Set the time to `moment`, unless it is past."""
        self._now = max(self._now, moment)
