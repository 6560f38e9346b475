"""What a recorded run gave, as Markdown: text, limit bars, and plots as files beside the page."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ai_research_skills.catalog.notebook_cells import joined
from ai_research_skills.catalog.notebook_record import Record
from ai_research_skills.lab.figures import FIGURE_MIME
from hooks.templating import fragment

IMAGES = {"image/svg+xml": "svg", "image/png": "png"}
LONGEST_OUTPUT = 40
"""Lines of text output that a page shows; the rest is in the executed notebook."""


@dataclass(frozen=True)
class Plot:
    """An image among the outputs of a record."""

    name: str
    data: bytes
    alt: str


def plots(record: Record) -> tuple[Plot, ...]:
    """Every image of `record`, named by device, cell and output."""
    return tuple(
        plot
        for number, cell in enumerate(record.cells)
        for index, output in enumerate(cell.outputs)
        if (plot := _plot(record, number, index, output))
    )


def outputs_markdown(record: Record, number: int, here: str) -> Iterator[str]:
    """The outputs of cell `number` of `record` for the page at address `here`."""
    for index, output in enumerate(record.cells[number].outputs):
        plot = _plot(record, number, index, output)
        if plot:
            yield _image(plot, here)
        elif FIGURE_MIME in output.get("data", {}):
            yield str(fragment("limit_bar.html", here, figure=output["data"][FIGURE_MIME]))
        elif text := _text(output):
            yield fence(_shortened(text), "text .output")


def fence(text: str, classes: str) -> str:
    """`text` in a fenced block whose marks are longer than any run of them inside."""
    marks = max((len(run) for run in re.findall(r"`{3,}", text)), default=2) + 1
    return f"{'`' * marks}{{ .{classes} }}\n{text.rstrip()}\n{'`' * marks}"


def _plot(record: Record, number: int, index: int, output: Mapping[str, Any]) -> Plot | None:
    data = output.get("data", {})
    for mime, suffix in IMAGES.items():
        if mime in data:
            text = joined(data[mime])
            raw = base64.b64decode(text) if suffix == "png" else text.encode()
            alt = output.get("metadata", {}).get(mime, {}).get("alt") or joined(data.get("text/plain", ""))
            return Plot(f"{record.provenance.kind}-{number}-{index}.{suffix}", raw, alt)
    return None


def _image(plot: Plot, here: str) -> str:
    alt = " ".join(plot.alt.split()).replace("[", "(").replace("]", ")").replace("<", "&lt;")
    slug = here.rstrip("/").rpartition("/")[2]
    return f"![{alt}]({slug}/{plot.name}){{ .plot loading=lazy }}"


def _text(output: Mapping[str, Any]) -> str:
    text = joined(output.get("text", "")) or joined(output.get("data", {}).get("text/plain", ""))
    return _without_colours(text) if text.strip() else ""


def _shortened(text: str) -> str:
    lines = text.rstrip().split("\n")
    if len(lines) <= LONGEST_OUTPUT:
        return "\n".join(lines)
    return "\n".join([*lines[:LONGEST_OUTPUT], f"… {len(lines) - LONGEST_OUTPUT} more lines"])


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
