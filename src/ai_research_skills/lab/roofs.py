"""The roofline: what stops a kernel, its bytes or its arithmetic, and how far below it stays.

Source: Williams, Waterman and Patterson, Roofline: an insightful visual performance model,
https://doi.org/10.1145/1498765.1498785
"""

from __future__ import annotations

import importlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ai_research_skills.lab.charts import short
from ai_research_skills.lab.plots import INK, palette, style

_Spot = tuple[float, float]
_Box = tuple[float, float, float, float]
"""Pixels: a place, and left, bottom, right and top of a label."""

_MARGIN = 5.0
"""Pixels that stay free around a label."""


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
            axes.plot(intensity, reached * scale, "o", color=INK, markersize=6)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: short(value))
        axes.set(
            xlabel="FLOP per byte of memory traffic",
            ylabel=unit,
            title=f"Roofline of {device_name}",
        )
        drawing.legend(loc="outside lower center", ncols=1, fontsize=9)
        _label(drawing, axes, [(name, intensity, reached * scale) for name, intensity, reached in points])
    return drawing


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
            axes.plot(ends[:, 0], ends[:, 1], color=INK, linewidth=0.7)


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
