"""The gallery of notebooks and a page for each: its own prose and code, the outputs of its record."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ai_research_skills.catalog.notebook import Notebook, Record, joined
from ai_research_skills.lab.figures import FIGURE_MIME
from hooks import addresses
from hooks.mathematics import with_formulas, with_placeholders
from hooks.site_content import SiteContent
from hooks.skill_markdown import site_markdown, without_title
from hooks.staged import Staged, page
from hooks.templating import fragment

FAMILIES = {
    "cuda-kernels": "CUDA kernels",
    "quantization": "Quantization",
    "serving": "Serving",
}
IMAGES = {"image/svg+xml": "svg", "image/png": "png"}
LONGEST_OUTPUT = 40
"""Lines of text output that a page shows; the rest is in the executed notebook."""


@dataclass(frozen=True)
class Plot:
    """An image among the outputs of a record."""

    name: str
    data: bytes
    alt: str


def notebook_pages(content: SiteContent) -> Iterator[Staged]:
    """Stage the gallery, every notebook's page, its plots and the files to download."""
    yield _gallery(content)
    for notebook in content.tree.notebooks:
        yield _notebook_page(content, notebook)
        yield _download(content, notebook)
        if notebook.best_record:
            for plot in plots(notebook.best_record):
                yield Staged(f"{addresses.notebook(notebook)}{plot.name}", plot.data)


def plots(record: Record) -> tuple[Plot, ...]:
    """Every image of `record`, named by cell and output."""
    return tuple(
        plot
        for number, cell in enumerate(record.cells)
        for index, output in enumerate(cell.outputs)
        if (plot := _plot(number, index, output))
    )


def _plot(number: int, index: int, output: Mapping[str, Any]) -> Plot | None:
    data = output.get("data", {})
    for mime, suffix in IMAGES.items():
        if mime in data:
            text = joined(data[mime])
            raw = base64.b64decode(text) if suffix == "png" else text.encode()
            alt = output.get("metadata", {}).get(mime, {}).get("alt") or joined(data.get("text/plain", ""))
            return Plot(f"plot-{number}-{index}.{suffix}", raw, alt)
    return None


def _gallery(content: SiteContent) -> Staged:
    families: dict[str, list[tuple[Notebook, Plot | None]]] = {}
    for notebook in content.tree.notebooks:
        families.setdefault(notebook.metadata.family, []).append((notebook, thumbnail(notebook)))
    html = fragment("gallery.html", addresses.NOTEBOOKS, families=families, titles=FAMILIES)
    meta = {
        "title": "Notebooks",
        "description": "Runnable notebooks, each with the device and commit that produced its outputs.",
        "hide": ["navigation", "toc"],
        "facets": {"kind": ["index"]},
    }
    return page(f"{addresses.NOTEBOOKS}index.md", meta, f"# Notebooks\n\n{html}")


def thumbnail(notebook: Notebook) -> Plot | None:
    """The plot of the record that shows most."""
    found = plots(notebook.best_record) if notebook.best_record else ()
    drawings = [plot for plot in found if plot.name.endswith("svg")]
    return max(drawings or found, key=lambda plot: len(plot.data), default=None)


def _download(content: SiteContent, notebook: Notebook) -> Staged:
    name = f"{addresses.notebook(notebook)}{notebook.slug}.ipynb"
    return Staged(name, (content.tree.root / notebook.path).read_bytes())


def _notebook_page(content: SiteContent, notebook: Notebook) -> Staged:
    here = addresses.notebook(notebook)
    record = notebook.best_record
    header = fragment(
        "notebook_header.html",
        here,
        notebook=notebook,
        family=FAMILIES.get(notebook.metadata.family, notebook.metadata.family),
        record=record,
        skills=[content.tree.by_name[n] for n in notebook.metadata.skills if n in content.tree.by_name],
        blocks=_blocks(content, notebook),
        repository=content.repository,
        slug=content.repository.removeprefix("https://github.com/"),
        branch=content.branch,
    )
    cells = _cells(notebook, record, here)
    meta = {
        "title": notebook.metadata.title,
        "description": notebook.metadata.summary,
        "hide": ["navigation"],
        "facets": {
            "kind": ["notebook"],
            "hardware": [w.strip() for w in notebook.metadata.hardware.split(",")],
        },
    }
    body = "\n\n".join([f"# {notebook.metadata.title}", header, *cells])
    return page(addresses.page_path(here), meta, body, notebook.path)


def _blocks(content: SiteContent, notebook: Notebook) -> Sequence[Any]:
    blocks = content.tree.learning_path.blocks if content.tree.learning_path else ()
    return [
        block
        for block in blocks
        if notebook.address in block.notebooks or block.weeks in notebook.metadata.weeks
    ]


def _cells(notebook: Notebook, record: Record | None, here: str) -> Iterator[str]:
    outputs = [cell.outputs for cell in record.cells] if record else [()] * len(notebook.cells)
    for number, (cell, found) in enumerate(zip(notebook.cells, outputs, strict=True)):
        if cell.kind == "markdown":
            yield _prose(without_title(cell.source) if number == 0 else cell.source)
        elif cell.kind == "code":
            yield _fence(cell.source, "python")
            for index, output in enumerate(found):
                yield _output(number, index, output, here)


def _prose(text: str) -> str:
    words, formulas = with_placeholders(text)
    return with_formulas(site_markdown(words, {}, str), formulas)


def _output(number: int, index: int, output: Mapping[str, Any], here: str) -> str:
    plot = _plot(number, index, output)
    if plot:
        alt = " ".join(plot.alt.split()).replace("[", "(").replace("]", ")").replace("<", "&lt;")
        slug = here.rstrip("/").rpartition("/")[2]
        return f"![{alt}]({slug}/{plot.name}){{ .plot loading=lazy }}"
    data = output.get("data", {})
    if FIGURE_MIME in data:
        return str(fragment("limit_bar.html", here, figure=data[FIGURE_MIME]))
    text = joined(output.get("text", "")) or joined(data.get("text/plain", ""))
    return _fence(_shortened(_without_colours(text)), "text .output") if text.strip() else ""


def _fence(text: str, classes: str) -> str:
    marks = max((len(run) for run in re.findall(r"`{3,}", text)), default=2) + 1
    return f"{'`' * marks}{{ .{classes} }}\n{text.rstrip()}\n{'`' * marks}"


def _shortened(text: str) -> str:
    lines = text.rstrip().split("\n")
    if len(lines) <= LONGEST_OUTPUT:
        return "\n".join(lines)
    return "\n".join([*lines[:LONGEST_OUTPUT], f"… {len(lines) - LONGEST_OUTPUT} more lines"])


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
