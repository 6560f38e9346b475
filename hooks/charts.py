"""Bar charts as SVG, drawn at build time, in the colours of the page that holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

ROW = 30
LABEL = 200
WIDTH = 520
VALUE = 72


@dataclass(frozen=True)
class Bar:
    """One row: `value` of `total`, drawn on the scale of the longest row."""

    label: str
    value: float
    total: float
    text: str


def bar_chart(title: str, bars: Sequence[Bar]) -> Markup:
    """A horizontal bar a row; the table beside it says the same to those who cannot see it."""
    longest = max((bar.total for bar in bars), default=0) or 1
    room = WIDTH - LABEL - VALUE
    rows = Markup("").join(_row(index, bar, room / longest) for index, bar in enumerate(bars))
    height = ROW * len(bars)
    summary = "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, f"{title}. {summary}", rows
    )


def _row(index: int, bar: Bar, scale: float) -> Markup:
    top = index * ROW
    middle = top + ROW / 2 + 5
    return Markup(
        '<text x="{}" y="{}" class="chart__label">{}</text>'
        '<rect x="{}" y="{}" width="{:.1f}" height="14" rx="3" class="chart__total"/>'
        '<rect x="{}" y="{}" width="{:.1f}" height="14" rx="3" class="chart__value"/>'
        '<text x="{:.1f}" y="{}" class="chart__number">{}</text>'
    ).format(
        LABEL - 12,
        middle,
        escape(bar.label),
        LABEL,
        top + 8,
        bar.total * scale,
        LABEL,
        top + 8,
        bar.value * scale,
        LABEL + bar.total * scale + 8,
        middle,
        bar.text,
    )
