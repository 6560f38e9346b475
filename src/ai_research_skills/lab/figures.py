"""Figures: a measured number that stands beside the limit it cannot pass.

A figure above its limit is never good news. It says that the work was cached, skipped, not waited for or
miscounted, so `record` refuses it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ai_research_skills.lab.output import emit

FIGURE_MIME = "application/vnd.ai-research-skills.figure+json"
"""Media type under which a recorded `Figure` stands in a notebook's output."""

TOLERANCE = 1.02
"""How far above its limit a value may lie: two timings of the same copy differ by this much."""


class ImpossibleFigure(ValueError):
    """A value that no device can have: above its limit, negative or not a number."""


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured, short enough to label a bar.
        value: The measurement, in `unit`; never negative.
        unit: `GB/s`, `tokens/s`, `bits/weight`, `nats/byte`.
        limit: What the value cannot pass, in `unit`; None where nothing bounds it.
        limit_name: Where the limit comes from: `copy on this device`, `every slot busy`.
        fraction: `value / limit`, or None without a limit.
        spread: Half the distance between the 10th and 90th percentile, in `unit`; None for an exact count.
        samples: How many measurements the value is the median of.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    limit_name: str = ""
    fraction: float | None = None
    spread: float | None = None
    samples: int = 1

    def as_json(self) -> dict[str, Any]:
        """Plain data, with the attributes as keys."""
        return asdict(self)

    def __str__(self) -> str:
        spread = "" if self.spread is None else f" ± {_digits(self.spread)}"
        text = f"{self.name}: {_digits(self.value)}{spread} {self.unit}"
        if self.limit is None or self.fraction is None:
            return text
        return f"{text}, {self.fraction:.0%} of {_digits(self.limit)} {self.unit} ({self.limit_name})"


_recorded: dict[str, Figure] = {}


def record(
    name: str,
    value: float,
    unit: str,
    *,
    limit: float | None = None,
    limit_name: str = "",
    spread: float | None = None,
    samples: int = 1,
) -> Figure:
    """Check a measurement against its limit, put it into the notebook's output and return it.

    Recording a name again replaces the figure: a cell may be run twice.

    Raises:
        ImpossibleFigure: `value` is negative, not finite, or above `limit` by more than `TOLERANCE`.
        ValueError: `limit` is not positive, or has no `limit_name`.
    """
    if not math.isfinite(value) or value < 0:
        raise ImpossibleFigure(f"{name}: {value} {unit} is no measurement → look at how it was computed")
    fraction = None
    if limit is not None:
        if not (math.isfinite(limit) and limit > 0):
            raise ValueError(f"{name}: a limit of {limit} {unit} bounds nothing → give a positive one")
        if not limit_name:
            raise ValueError(f"{name}: the limit has no name → say where {_digits(limit)} {unit} comes from")
        fraction = value / limit
        if fraction > TOLERANCE:
            raise ImpossibleFigure(
                f"{name}: {_digits(value)} {unit} is above {limit_name}, {_digits(limit)} {unit} "
                "→ a measurement bug: was the result waited for, was it in a cache, are the bytes right?"
            )
    figure = Figure(name, float(value), unit, limit, limit_name, fraction, spread, samples)
    _recorded[name] = figure
    emit({"text/plain": str(figure), FIGURE_MIME: figure.as_json()})
    return figure


def recorded() -> tuple[Figure, ...]:
    """Every figure of this process, in the order in which their names were first recorded."""
    return tuple(_recorded.values())


def forget() -> None:
    """Drop all recorded figures; for tests, which share a process."""
    _recorded.clear()


def _digits(value: float) -> str:
    """Four significant digits with thousands separators, and no exponent between 0.001 and 10^9."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e9:
        return f"{value:.3g}"
    return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"
