"""Plots that can be read on a light and on a dark page, and by those who cannot see them.

Every plot is a white card. Mid-grey text on a transparent ground reaches a contrast of 4:1 on white and on
Material's dark ground at best, below the 4.5:1 that WCAG 2.2 (1.4.3) asks of text; dark ink on a white card
is above 12:1 wherever the card lies.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ai_research_skills.lab.figures import Figure
from ai_research_skills.lab.output import emit

LARGEST_PLOT = 60_000
"""Bytes of one plot in a notebook."""

LONGEST_ALT = 400
"""Characters; more belongs into the text around the plot."""

_FONTS = "'DejaVu Sans', Verdana, Arial, sans-serif"
"""Text stays text in an SVG: it is a tenth of the size. Verdana is as wide as the font that placed it."""

_INK, _PALE, _CARD = "#1f2933", "#d5dae1", "#ffffff"

_Spot = tuple[float, float]
_Box = tuple[float, float, float, float]
"""Pixels: a place, and left, bottom, right and top of a label."""

_MARGIN = 5.0
"""Pixels that stay free around a label."""

_STYLE: dict[str, object] = {
    "figure.facecolor": _CARD,
    "figure.figsize": (7.2, 3.8),
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "savefig.facecolor": _CARD,
    "axes.facecolor": _CARD,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _PALE,
    "grid.linewidth": 0.6,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "font.size": 10,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markersize": 5,
    "svg.fonttype": "none",
    "svg.hashsalt": "ai-research-skills",
}


def palette() -> tuple[str, ...]:
    """Six colours that stay apart for colour-blind readers: Okabe and Ito's, without yellow and black.

    Source: https://jfly.uni-koeln.de/color/
    """
    return ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


@contextlib.contextmanager
def style() -> Iterator[tuple[str, ...]]:
    """Give the plots made inside the block the look of the site, and yield the palette."""
    matplotlib: Any = importlib.import_module("matplotlib")
    cycler: Any = importlib.import_module("cycler")
    with matplotlib.rc_context({**_STYLE, "axes.prop_cycle": cycler.cycler(color=palette())}):
        yield palette()


def show(figure: Any, *, alt: str) -> None:
    """Display a matplotlib figure with its alternative text, and close it.

    It becomes an SVG, or a PNG where the SVG would be above `LARGEST_PLOT`. The alternative text is the
    output's `metadata[media type]["alt"]` and its `text/plain`.

    Raises:
        ValueError: `alt` is empty or longer than `LONGEST_ALT`, or even the PNG is above `LARGEST_PLOT`.
    """
    media, data = render(figure, alt=alt)
    importlib.import_module("matplotlib.pyplot").close(figure)
    emit({media: data, "text/plain": alt}, {media: {"alt": alt}})


def render(figure: Any, *, alt: str) -> tuple[str, str | bytes]:
    """The media type and the data that `show` displays: SVG text, or PNG bytes."""
    if not alt.strip() or len(alt) > LONGEST_ALT:
        raise ValueError(
            f"alternative text of {len(alt)} characters → say in 1 to {LONGEST_ALT} what one sees"
        )
    with style():
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Title": alt})
        vector = text.getvalue().replace("'DejaVu Sans'", _FONTS)
        if len(vector.encode()) <= LARGEST_PLOT:
            return "image/svg+xml", vector
        raster = _png(figure)
    if len(raster) > LARGEST_PLOT:
        raise ValueError(f"the plot has {len(raster):,} bytes, more than {LARGEST_PLOT:,} → draw less")
    return "image/png", raster


def _png(figure: Any) -> bytes:
    """A PNG of 64 colours, which line art never misses, at twice the resolution of the page."""
    image: Any = importlib.import_module("PIL.Image")
    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=144, metadata={"Software": None})
    with image.open(full) as opened:
        opened.convert("RGB").quantize(64).save(small, format="png", optimize=True)
    return small.getvalue()


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
            axes.barh(row, 1, height=0.34, color=_PALE)
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
                axes.plot(span, [row, row], color=_INK, linewidth=1.2)
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
                color=_CARD if inside else _INK,
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
            axes.axhline(limit, color=_INK, linewidth=1.4, linestyle=dashes, label=f"{name}: {limit:,.4g}")
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
        axes.set_xticks(shown, [_short(size) for size in shown])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")
        axes.set(ylim=(0, top * 1.08), xlabel=xlabel, ylabel=ylabel, title=title)
        drawing.legend(loc="outside lower center", ncols=2, fontsize=9)
    return drawing


def roofline(
    device_name: str,
    roofs: Mapping[str, tuple[float, float]],
    points: Sequence[tuple[str, float, float]] = (),
) -> Any:
    """A roofline: what memory and arithmetic allow at each arithmetic intensity, and where kernels lie below.

    Source: Williams, Waterman and Patterson, Roofline, 2009 (https://doi.org/10.1145/1498765.1498785).

    Args:
        device_name: For the title.
        roofs: For each roof its name, its bandwidth in GB/s and its peak in TFLOP/s: datasheet and measured, or
            the peaks of several types.
        points: Name, floating-point operations per byte of memory traffic, and TFLOP/s that were reached.

    Raises:
        ValueError: There is no roof, or more roofs than the palette has colours, or a number is not positive.
    """
    colours = palette()
    numbers = [each for roof in roofs.values() for each in roof] + [each for p in points for each in p[1:]]
    if not 1 <= len(roofs) <= len(colours) or min(numbers) <= 0:
        raise ValueError(f"{len(roofs)} roofs → draw 1 to {len(colours)}, with positive numbers everywhere")
    small = max(peak for _, peak in roofs.values()) < 1
    unit, scale = ("GFLOP/s", 1e3) if small else ("TFLOP/s", 1.0)
    knees = [peak * 1e3 / bandwidth for bandwidth, peak in roofs.values()]
    left = min([0.25 * min(knees), *(0.5 * each[1] for each in points)])
    right = max([6 * max(knees), *(3 * each[1] for each in points)])
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    with style():
        drawing, axes = pyplot.subplots(figsize=(7.2, 4.6))
        axes.set(xscale="log", yscale="log", xlim=(left, right))
        for place, ((name, (bandwidth, peak)), knee) in enumerate(zip(roofs.items(), knees, strict=True)):
            axes.plot(
                [left, knee, right],
                [left * bandwidth / 1e3 * scale, peak * scale, peak * scale],
                color=colours[place],
                linestyle="-" if place == 0 else (0, (5, 2)),
                label=f"{name}: {bandwidth:,.4g} GB/s, {peak * scale:,.4g} {unit}",
            )
        lowest = min(
            [
                left * min(bandwidth for bandwidth, _ in roofs.values()) / 1e3,
                *(each[2] / 3 for each in points),
            ]
        )
        axes.set_ylim(lowest * scale, 2.2 * max(peak for _, peak in roofs.values()) * scale)
        for _, intensity, reached in points:
            axes.plot(intensity, reached * scale, "o", color=_INK, markersize=6)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: _short(value))
        axes.set(
            xlabel="FLOP per byte of memory traffic",
            ylabel=unit,
            title=f"Roofline of {device_name}",
        )
        drawing.legend(loc="outside lower center", ncols=1, fontsize=9)
        _label(drawing, axes, [(name, intensity, reached * scale) for name, intensity, reached in points])
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
        card = colours_of.to_rgb(_CARD)
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
            axes.axvline(edge - 0.5, color=_CARD, linewidth=1.2)
        for edge in range(len(rows) + 1):
            axes.axhline(edge - 0.5, color=_CARD, linewidth=1.2)
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


def _short(value: float) -> str:
    """A tick label: 512, 8k, 2M, 0.25. Powers of two are counted in 1,024s, everything else in 1,000s."""
    base = 1024 if value >= 1024 and math.log2(value).is_integer() else 1000
    for power, suffix in ((3, "G"), (2, "M"), (1, "k")):
        if value >= base**power:
            return f"{value / base**power:,.4g}{suffix}"
    return f"{value:,.4g}"


def _label(drawing: Any, axes: Any, points: Sequence[tuple[str, float, float]]) -> None:
    """Write each name beside its point, where it covers the least of points, lines and other names."""
    drawing.canvas.draw()
    renderer = drawing.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    dots = [tuple(axes.transData.transform((x, y))) for _, x, y in points]
    lines = [spot for line in axes.lines if len(line.get_xdata()) > 1 for spot in _along(axes, line)]
    taken: list[_Box] = []
    leaders: list[_Spot] = []
    for (name, x, y), dot in zip(points, dots, strict=True):
        text = axes.annotate(name, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=9)
        text.set_in_layout(False)
        extent = text.get_window_extent(renderer)

        def cost(box: _Box, dot: _Spot = dot, dashes: Sequence[_Spot] = tuple(leaders)) -> float:
            leader = _leader(box, dot)
            away = math.dist(leader[0], leader[-1])
            outside = bool(box[0] < frame.x0 or box[2] > frame.x1 or box[1] < frame.y0 or box[3] > frame.y1)
            covered = sum(_holds(box, spot) for spot in (*dots, *dashes))
            crossed = sum(_holds(other, spot) for other in taken for spot in leader)
            hidden = sum(_overlap(box, other) for other in taken)
            dimmed = sum(_holds(box, spot) for spot in lines)
            mistaken = sum(math.dist(other, _leader(box, other)[-1]) < away for other in dots)
            return (
                away / 20
                + 500 * outside
                + 500 * hidden
                + 20 * covered
                + 80 * crossed
                + 4 * (dimmed + mistaken)
            )

        best = min(_places(dot, extent.width, extent.height), key=cost)
        taken.append(best)
        pixel = 72 / drawing.dpi
        text.xyann = ((best[0] + _MARGIN - dot[0]) * pixel, (best[1] + _MARGIN - dot[1]) * pixel)
        leader = _leader(best, dot)
        if math.dist(leader[0], leader[-1]) > 14:
            leaders += leader
            ends = axes.transData.inverted().transform([leader[0], leader[-1]])
            axes.plot(ends[:, 0], ends[:, 1], color=_INK, linewidth=0.7)


def _places(dot: _Spot, width: float, height: float) -> Iterator[_Box]:
    """Boxes around a point that a label of this size may take, near ones first."""
    for distance in (9.0, 20.0, 34.0, 52.0, 74.0, 100.0):
        for angle in range(0, 360, 30):
            across, up = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            left = dot[0] + distance * across - width * (1 - across) / 2
            low = dot[1] + distance * up - height * (1 - up) / 2
            yield left - _MARGIN, low - _MARGIN, left + width + _MARGIN, low + height + _MARGIN


def _leader(box: _Box, dot: _Spot) -> list[_Spot]:
    """Spots from a point to the nearest place of its label."""
    end = (min(max(dot[0], box[0]), box[2]), min(max(dot[1], box[1]), box[3]))
    steps = [step / 8 for step in range(9)]
    return [(dot[0] + (end[0] - dot[0]) * s, dot[1] + (end[1] - dot[1]) * s) for s in steps]


def _along(axes: Any, line: Any) -> list[_Spot]:
    """Points on a line, in pixels, close enough that a label cannot slip between them."""
    corners = axes.transData.transform(line.get_xydata())
    return [
        (a[0] + (b[0] - a[0]) * step / 60, a[1] + (b[1] - a[1]) * step / 60)
        for a, b in itertools.pairwise(corners)
        for step in range(61)
    ]


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _holds(box: _Box, spot: _Spot) -> bool:
    return box[0] <= spot[0] <= box[2] and box[1] <= spot[1] <= box[3]
