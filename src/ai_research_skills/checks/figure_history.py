"""A figure against its limit and against itself: impossible, or fallen since the record before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ai_research_skills.catalog.notebook_record import RecordedFigure
from ai_research_skills.lab.figures import TOLERANCE

LARGEST_FALL = 0.10
"""Share of the baseline that a figure may lose before somebody has to look."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a figure, and what to do about it."""

    message: str
    mend: str


def with_baselines(
    figures: Iterable[RecordedFigure], before: Iterable[RecordedFigure]
) -> tuple[RecordedFigure, ...]:
    """`figures`, each beside the fraction that the record before gave it.

    A figure that had fallen keeps its older baseline: recording twice does not make a loss normal.
    """
    older = {figure.name: _baseline(figure) for figure in before}
    return tuple(figure.model_copy(update={"baseline": older.get(figure.name)}) for figure in figures)


def figure_faults(figures: Iterable[RecordedFigure]) -> Iterator[Fault]:
    """Figures that no device can have, and those that fell by more than `LARGEST_FALL` beyond their spread."""
    for figure in figures:
        if figure.limit is not None and figure.value > figure.limit * TOLERANCE:
            yield Fault(
                f"{figure.name}: {figure.value:.4g} {figure.unit} is above its limit of {figure.limit:.4g}",
                "look for the measurement bug and record again",
            )
        elif has_fallen(figure):
            yield Fault(
                f"{figure.name}: {figure.fraction:.0%} of its limit, {figure.baseline:.0%} in the record before",
                "record again on a quiet machine, or with `--accept-slower` where the loss is understood",
            )


def has_fallen(figure: RecordedFigure) -> bool:
    """Whether a figure lost more of its baseline than `LARGEST_FALL` and its own spread explain."""
    if figure.fraction is None or figure.baseline is None or figure.limit is None:
        return False
    spread = (figure.spread or 0.0) / figure.limit
    return figure.fraction + spread < figure.baseline * (1 - LARGEST_FALL)


def _baseline(figure: RecordedFigure) -> float | None:
    return figure.baseline if has_fallen(figure) else figure.fraction
