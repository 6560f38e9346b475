"""Charts as SVG, drawn at build time, in the colours of the page that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ai_research_skills.catalog.evidence import Level

ROW = 30
LABEL = 200
WIDTH = 520
VALUE = 72
COLUMNS = 180
"""Height of a chart of columns."""

WIDEST_COLUMN = 40
MARGIN = 44
"""Room for the figures at the side of the columns and for the days below."""

Levels = Mapping[Level, int]


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
    return _svg(f"{title}. {summary}", height, rows)


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


def level_key() -> Markup:
    """Which colour means which level."""
    entries = Markup("").join(
        Markup('<li><i class="level-{:d}"></i>{}</li>').format(level, level.label) for level in Level
    )
    return Markup('<ul class="level-key">{}</ul>').format(entries)


def level_bar(levels: Levels) -> Markup:
    """One bar of all levels, as wide as its place; the figures must stand beside it."""
    return Markup(
        '<svg class="level-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">{}</svg>'
    ).format(_segments(levels, 0, 100, 0, 4))


def level_rows(title: str, rows: Sequence[tuple[str, Levels]]) -> Markup:
    """A bar a row, divided by level in proportion; behind it stands how many examples it divides."""
    room = WIDTH - LABEL - VALUE
    bars = Markup("").join(
        Markup(
            '<text x="{}" y="{}" class="chart__label">{}</text>{}<text x="{}" y="{}" class="chart__number">{}</text>'
        ).format(
            LABEL - 12,
            index * ROW + ROW / 2 + 5,
            label,
            _segments(levels, LABEL, room, index * ROW + 8, 14),
            LABEL + room + 8,
            index * ROW + ROW / 2 + 5,
            sum(levels.values()),
        )
        for index, (label, levels) in enumerate(rows)
    )
    summary = "; ".join(f"{label}: {_spoken(levels)}" for label, levels in rows)
    return _svg(f"{title}. {summary}", ROW * len(rows), bars)


def level_columns(title: str, columns: Sequence[tuple[str, Levels]]) -> Markup:
    """A column a day, divided by level, the highest one at the bottom; below stand the first and the last."""
    if not columns:
        return Markup("")
    tallest = max(sum(levels.values()) for _, levels in columns) or 1
    step = min(WIDEST_COLUMN, (WIDTH - MARGIN) / len(columns))
    floor = COLUMNS - MARGIN
    drawn = Markup("").join(
        _column(levels, MARGIN + index * step, step, floor, (floor - 10) / tallest)
        for index, (_, levels) in enumerate(columns)
    )
    first, last = columns[0], columns[-1]
    days = Markup('<text x="{}" y="{}" class="chart__days">{}</text>').format(
        MARGIN, floor + 22, first[0] if first is last else f"{first[0]} to {last[0]}"
    )
    figures = Markup(
        '<text x="{x}" y="20" class="chart__label">{tallest}</text>'
        '<text x="{x}" y="{floor}" class="chart__label">0</text>'
    ).format(x=MARGIN - 8, tallest=tallest, floor=floor)
    spoken = f"{title}. {first[0]}: {_spoken(first[1])}; {last[0]}: {_spoken(last[1])}"
    return _svg(spoken, COLUMNS - MARGIN // 2 + 4, figures + drawn + days)


def _column(levels: Levels, left: float, step: float, floor: float, scale: float) -> Markup:
    drawn, top = Markup(""), floor
    for level in sorted(levels, reverse=True):
        height = levels[level] * scale
        top -= height
        if height:
            drawn += Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="level-{:d}"/>'
            ).format(left, top, max(step - 2, 1), height, level)
    return drawn


def _segments(levels: Levels, left: float, room: float, top: float, height: float) -> Markup:
    total, drawn = sum(levels.values()) or 1, Markup("")
    for level in sorted(levels, reverse=True):
        width = room * levels[level] / total
        if width:
            drawn += Markup('<rect x="{:.1f}" y="{}" width="{:.1f}" height="{}" class="level-{:d}"/>').format(
                left, top, width, height, level
            )
        left += width
    return drawn


def _spoken(levels: Levels) -> str:
    return ", ".join(
        f"{count} {level.label}" for level, count in sorted(levels.items(), reverse=True) if count
    )


def _svg(label: str, height: float, drawn: Markup) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, label, drawn
    )
