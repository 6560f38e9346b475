"""How far the pins of a skill lie behind the newest releases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from ai_research_skills.catalog.drift_record import Step
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.drift.memory import Silent
from ai_research_skills.checks.drift.registry import Distribution
from ai_research_skills.checks.releases.closure import NoClosure, Unreached, closure_of_newest


@dataclass(frozen=True)
class Row:
    """One pin and what is newer.

    Attributes:
        newest: The newest release by itself; None if nobody told.
        together: The newest that goes together with the newest of the other pins.
        released: The day on which `newest` came out.
        behind: Days between the pinned release and the newest.
    """

    pin: Pin
    newest: str | None = None
    together: str | None = None
    released: dt.date | None = None
    behind: int | None = None
    step: Step = Step.NONE

    @property
    def is_outdated(self) -> bool:
        """Whether the pin could be raised. One that the other pins hold back is as new as it can be."""
        return self.together is not None and is_newer(self.together, self.pin.version)

    @property
    def is_held_back(self) -> bool:
        """Whether something newer does not go together with the other pins."""
        return self.newest is not None and self.together is not None and is_newer(self.newest, self.together)


Together = Callable[[Sequence[str], str], "tuple[str, ...] | None"]
"""Pins that satisfy all requirements at once on a Python such as `3.11`, or None if none do. Raises `Silent`."""


def row(pin: Pin, known: Distribution, together: str | None) -> Row:
    """Hold one pin against what the registry knows."""
    newest = known.newest
    if newest is None:
        return Row(pin, together=together)
    pinned = known.release(pin.version)
    before, after = pinned.released if pinned else None, newest.released
    return Row(
        pin,
        newest=newest.version,
        together=together,
        released=after,
        behind=max(0, (after - before).days) if before and after else None,
        step=step(pin.version, newest.version),
    )


def step(old: str, new: str) -> Step:
    """The kind of step from the release `old` to `new`; none if `new` is not newer."""
    if not is_newer(new, old):
        return Step.NONE
    before, after = Version(old), Version(new)
    if (before.epoch, before.major) != (after.epoch, after.major):
        return Step.MAJOR
    return Step.MINOR if before.minor != after.minor else Step.PATCH


def is_newer(one: str, other: str) -> bool:
    """Whether the release `one` comes after `other`; a version that cannot be read comes after none."""
    try:
        return Version(one) > Version(other)
    except InvalidVersion:
        return False


def wishes(pins: Sequence[Pin], known: Mapping[str, Distribution]) -> tuple[str, ...]:
    """The requirements whose newest common answer is wanted: no pin may fall behind, else old ones would do.

    A release without any wheel is left out: its dependencies cannot be read without building it.
    """
    return tuple(
        f"{pin.distribution}>={pin.version}"
        for pin in pins
        if (newest := known[pin.distribution].newest) is not None and newest.has_wheel
    )


def pins_to_try(
    pins: Sequence[Pin], known: Mapping[str, Distribution], together: Sequence[str] | None
) -> tuple[Pin, ...]:
    """What the skill would be pinned to if it were pinned today."""
    found = dict(one.split("==", 1) for one in together or ())
    return tuple(Pin(distribution=pin.distribution, version=_to_try(pin, known, found)) for pin in pins)


def _to_try(pin: Pin, known: Mapping[str, Distribution], found: Mapping[str, str]) -> str:
    newest = known[pin.distribution].newest
    if newest is None:
        return pin.version
    if not newest.has_wheel:
        return newest.version if is_newer(newest.version, pin.version) else pin.version
    return found.get(pin.distribution, pin.version)


def newest_together(requirements: Sequence[str], python: str) -> tuple[str, ...] | None:
    """`Together` by the resolver that gives the examples their releases."""
    try:
        return closure_of_newest(requirements, python).lock
    except Unreached as error:
        raise Silent(str(error)) from error
    except NoClosure:
        return None
