"""Plots that can be read on a light and on a dark page, and by those who cannot see them.

Every plot is a white card. Mid-grey text on a transparent ground reaches a contrast of 4:1 on white and on
Material's dark ground at best, below the 4.5:1 that WCAG 2.2 (1.4.3) asks of text; dark ink on a white card
is above 12:1 wherever the card lies.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterable, Iterator
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
