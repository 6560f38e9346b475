"""Plots that can be read on a light and on a dark page, and by those who cannot see them.

Every plot is a white card. Mid-grey text on a transparent ground reaches a contrast of 4:1 on white and on
Material's dark ground at best, below the 4.5:1 that WCAG 2.2 (1.4.3) asks of text; dark ink on a white card
is above 12:1 wherever the card lies.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterator
from typing import Any

from ai_research_skills.lab.output import emit

LARGEST_PLOT = 60_000
"""Bytes of one plot in a notebook."""

LONGEST_ALT = 400
"""Characters; more belongs into the text around the plot."""

_FONTS = "'DejaVu Sans', Verdana, Arial, sans-serif"
"""Text stays text in an SVG: it is a tenth of the size. Verdana is as wide as the font that placed it."""

INK, PALE, CARD = "#1f2933", "#d5dae1", "#ffffff"
"""Colours of text and lines, of the unused part of a bar, and of the ground."""


_STYLE: dict[str, object] = {
    "figure.facecolor": CARD,
    "figure.figsize": (7.2, 3.8),
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "savefig.facecolor": CARD,
    "axes.facecolor": CARD,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
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
