"""Charts that notebooks share: bars and lines beside their limits, and maps of who touches what."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ai_research_skills.lab.figures import Figure
from ai_research_skills.lab.plots import CARD, INK, PALE, palette, style


def limit_bar(figures: Iterable[Figure], *, title: str = "Measured, as a share of the limit") -> Any:
    """A horizontal bar per figure that has a limit: the filled part was reached, the pale part was left.

    Raises:
        ValueError: None of the figures has a limit.
    """
    bounded = [each for each in figures if each.fraction is not None]
    if not bounded:
        raise ValueError("no figure has a limit → record at least one with `limit=`")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    with style() as colours:
        drawing, axes = pyplot.subplots(figsize=(7.2, 0.8 + 0.55 * len(bounded)))
        for row, each in enumerate(bounded):
            share = each.fraction or 0.0
            axes.barh(row, 1, height=0.34, color=PALE)
            axes.barh(row, min(share, 1), height=0.34, color=colours[0])
            label = f"{share:.0%} of {each.limit:,.4g} {each.unit}: {each.limit_name}"
            axes.annotate(each.name, (0, row - 0.26), va="bottom", weight="bold", fontsize=9)
            axes.annotate(label, (1, row - 0.26), va="bottom", ha="right", fontsize=8)
        axes.set(xlim=(0, 1), ylim=(len(bounded) - 0.6, -0.85), title=title, yticks=[], xticks=[])
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
    return drawing


def ladder(figures: Iterable[Figure], *, title: str) -> Any:
    """A horizontal bar per figure, first on top, with a dashed line at each limit that they have.

    For steps that build on each other: every bar carries its value and its share of its limit. Whiskers show
    the spread.

    Raises:
        ValueError: There are no figures, or their units differ.
    """
    rungs = list(figures)
    units = {each.unit for each in rungs}
    if len(units) != 1:
        raise ValueError(f"units {sorted(units)} → draw figures of one unit, and at least one")
    limits = {each.limit_name: each.limit for each in rungs if each.limit is not None}
    most = max([each.value for each in rungs] + list(limits.values()))
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    with style() as colours:
        drawing, axes = pyplot.subplots(figsize=(7.2, 1.35 + 0.42 * len(rungs) + 0.24 * len(limits)))
        for row, each in enumerate(rungs):
            axes.barh(row, each.value, height=0.62, color=colours[0])
            if each.spread:
                span = [each.value - each.spread, each.value + each.spread]
                axes.plot(span, [row, row], color=INK, linewidth=1.2)
            share = "" if each.fraction is None else f"  ({each.fraction:.0%})"
            ends = each.value + (each.spread or 0.0)
            inside = ends > 0.7 * most
            axes.annotate(
                f"{each.value:,.4g}{share}",
                (0 if inside else ends, row),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
                color=CARD if inside else INK,
                weight="bold" if inside else "normal",
            )
        for place, (name, limit) in enumerate(limits.items()):
            colour = colours[1 + place % (len(colours) - 1)]
            label = f"{name}: {limit:,.4g} {rungs[0].unit}"
            axes.axvline(limit, color=colour, linewidth=1.6, linestyle="--", label=label)
        axes.set(
            xlim=(0, most * 1.03),
            ylim=(len(rungs) - 0.5, -0.5),
            yticks=range(len(rungs)),
            xlabel=rungs[0].unit,
            title=title,
        )
        axes.set_yticklabels([each.name for each in rungs], fontsize=9)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        if limits:
            drawing.legend(loc="outside lower center", ncols=1, fontsize=9)
    return drawing


def against_limit(
    series: Mapping[str, Mapping[float, float]],
    *,
    limits: Mapping[str, float],
    xlabel: str,
    ylabel: str,
    title: str,
    bands: Mapping[str, Mapping[float, tuple[float, float]]] | None = None,
) -> Any:
    """Lines of a value over a size that doubles, below dashed limits.

    Args:
        series: For each line its name and its value at each size; a size may be missing from a line.
        limits: Value of each limit under its name; the first is the one that nothing passes.
        xlabel: What the size counts.
        ylabel: What the value is, with its unit.
        title: What is shown, with the device.
        bands: Low and high of a series at each size, drawn as a pale band.

    Raises:
        ValueError: There is no line, or more lines than the palette has colours.
    """
    colours = palette()
    if not 1 <= len(series) <= len(colours):
        raise ValueError(f"{len(series)} lines → draw 1 to {len(colours)}, or nobody can tell them apart")
    sizes = sorted({size for line in series.values() for size in line})
    top = max([*limits.values(), *(value for line in series.values() for value in line.values())])
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    with style():
        drawing, axes = pyplot.subplots(figsize=(7.2, 4.1))
        for place, (name, limit) in enumerate(limits.items()):
            dashes = "--" if place == 0 else ":"
            axes.axhline(limit, color=INK, linewidth=1.4, linestyle=dashes, label=f"{name}: {limit:,.4g}")
        for (name, line), colour, marker in zip(series.items(), colours, "os^Dvp", strict=False):
            at = sorted(line)
            axes.plot(at, [line[size] for size in at], marker=marker, color=colour, label=name)
            band = (bands or {}).get(name, {})
            if band:
                low, high = zip(*(band[size] for size in sorted(band)), strict=True)
                axes.fill_between(sorted(band), low, high, color=colour, alpha=0.15, linewidth=0)
        axes.set_xscale("log", base=2)
        every = -(-len(sizes) // 8)
        shown = sizes[::-1][::every][::-1]
        axes.set_xticks(shown, [short(size) for size in shown])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")
        axes.set(ylim=(0, top * 1.08), xlabel=xlabel, ylabel=ylabel, title=title)
        drawing.legend(loc="outside lower center", ncols=2, fontsize=9)
    return drawing


def grid_map(
    values: Sequence[Sequence[int]],
    *,
    title: str,
    xlabel: str = "",
    ylabel: str = "",
    labels: Sequence[Sequence[str]] | None = None,
    legend: Mapping[int, str] | None = None,
) -> Any:
    """A map of cells coloured by a small integer: which thread touches which byte, which bank, which tile.

    Colours repeat after six values, so every cell also carries its label. A negative value is an empty cell. Up to
    16 columns stay legible on a phone.

    Args:
        values: Rows of integers, all of one length, the first row on top; at most 32 columns.
        title: What is shown.
        xlabel: What the columns are.
        ylabel: What the rows are.
        labels: What stands in each cell; by default its value.
        legend: What a value means; drawn below the map.

    Raises:
        ValueError: There are no cells, the rows differ in length, or there are more than 32 columns.
    """
    rows = [list(each) for each in values]
    columns = len(rows[0]) if rows else 0
    if not 1 <= columns <= 32 or any(len(each) != columns for each in rows):
        raise ValueError(f"rows of {sorted({len(r) for r in rows})} cells → give equal rows of 1 to 32 cells")
    texts = labels or [[str(value) if value >= 0 else "" for value in row] for row in rows]
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    colours_of: Any = importlib.import_module("matplotlib.colors")
    patches: Any = importlib.import_module("matplotlib.patches")
    with style() as colours:
        tints = [_tint(colours_of.to_rgb(colour)) for colour in colours]
        card = colours_of.to_rgb(CARD)
        cell = min(0.55, 6.4 / columns)
        height = cell * len(rows) + 1.0 + (0.3 * -(-len(legend) // 3) if legend else 0)
        drawing, axes = pyplot.subplots(figsize=(7.2, height))
        axes.imshow([[tints[v % len(tints)] if v >= 0 else card for v in row] for row in rows])
        size = min(9.0, 72 * cell * 0.62 * 2 / max(2, *(len(text) for row in texts for text in row)))
        for row, line in enumerate(texts):
            for column, text in enumerate(line):
                if text:
                    axes.text(column, row, text, ha="center", va="center", fontsize=size)
        for edge in range(columns + 1):
            axes.axvline(edge - 0.5, color=CARD, linewidth=1.2)
        for edge in range(len(rows) + 1):
            axes.axhline(edge - 0.5, color=CARD, linewidth=1.2)
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
        axes.set_xticks(range(0, columns, 1 if columns <= 16 else 4))
        axes.set_yticks(range(0, len(rows), -(-len(rows) // 16)))
        axes.tick_params(length=0)
        if legend:
            keys = [patches.Patch(color=tints[v % len(tints)], label=text) for v, text in legend.items()]
            drawing.legend(handles=keys, loc="outside lower center", ncols=min(3, len(keys)), fontsize=9)
    return drawing


def _tint(colour: tuple[float, float, float]) -> tuple[float, ...]:
    """The colour thinned with white, so that ink on it keeps a contrast above 7:1."""
    return tuple(0.45 * channel + 0.55 for channel in colour)


def short(value: float) -> str:
    """A tick label: 512, 8k, 2M, 0.25. Powers of two are counted in 1,024s, everything else in 1,000s."""
    base = 1024 if value >= 1024 and math.log2(value).is_integer() else 1000
    for power, suffix in ((3, "G"), (2, "M"), (1, "k")):
        if value >= base**power:
            return f"{value / base**power:,.4g}{suffix}"
    return f"{value:,.4g}"
