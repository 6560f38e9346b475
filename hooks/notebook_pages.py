"""The gallery of notebooks and a page for each: its own prose and code, the outputs of its records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ai_research_skills.catalog.notebook import CUDA_CELL, SOLUTION, Notebook
from ai_research_skills.catalog.notebook_cells import DRAWING, Cell
from ai_research_skills.catalog.notebook_record import Record
from hooks import addresses
from hooks.mathematics import with_formulas, with_placeholders
from hooks.notebook_outputs import Plot, fence, outputs_markdown, plots
from hooks.site_content import SiteContent
from hooks.skill_markdown import site_markdown, without_title
from hooks.staged import Staged, page
from hooks.templating import fragment

FAMILIES = {
    "cuda-kernels": "CUDA kernels",
    "quantization": "Quantization",
    "serving": "Serving",
}
FOLDED = {SOLUTION: "Solution", DRAWING: "Code of the drawing"}


def notebook_pages(content: SiteContent) -> Iterator[Staged]:
    """Stage the gallery, every notebook's page, its plots and the files to download."""
    yield _gallery(content)
    for notebook in content.tree.notebooks:
        yield _notebook_page(content, notebook)
        yield _download(content, notebook)
        for record in notebook.records:
            for plot in plots(record):
                yield Staged(f"{addresses.notebook(notebook)}{plot.name}", plot.data)


def thumbnail(notebook: Notebook) -> Plot | None:
    """The plot of the best record that shows most."""
    found = plots(notebook.best_record) if notebook.best_record else ()
    drawings = [plot for plot in found if plot.name.endswith("svg")]
    return max(drawings or found, key=lambda plot: len(plot.data), default=None)


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


def _download(content: SiteContent, notebook: Notebook) -> Staged:
    name = f"{addresses.notebook(notebook)}{notebook.slug}.ipynb"
    return Staged(name, (content.tree.root / notebook.path).read_bytes())


def _notebook_page(content: SiteContent, notebook: Notebook) -> Staged:
    here = addresses.notebook(notebook)
    course = [book for book in content.tree.notebooks if book.metadata.family == notebook.metadata.family]
    header = fragment(
        "notebook_header.html",
        here,
        notebook=notebook,
        family=FAMILIES.get(notebook.metadata.family, notebook.metadata.family),
        place=course.index(notebook) + 1,
        course=course,
        skills=[content.tree.by_name[n] for n in notebook.metadata.skills if n in content.tree.by_name],
        blocks=_blocks(content, notebook),
        repository=content.repository,
        slug=content.repository.removeprefix("https://github.com/"),
        branch=content.branch,
    )
    meta = {
        "title": notebook.metadata.title,
        "description": notebook.metadata.summary,
        "hide": ["navigation"],
        "facets": {
            "kind": ["notebook"],
            "hardware": [w.strip() for w in notebook.metadata.hardware.split(",")],
        },
    }
    footer = fragment("notebook_footer.html", here, course=course, place=course.index(notebook))
    body = "\n\n".join([f"# {notebook.metadata.title}", header, *_cells(notebook, here), footer])
    return page(addresses.page_path(here), meta, body, notebook.path)


def _blocks(content: SiteContent, notebook: Notebook) -> Sequence[Any]:
    blocks = content.tree.learning_path.blocks if content.tree.learning_path else ()
    return [
        block
        for block in blocks
        if notebook.address in block.notebooks or block.weeks in notebook.metadata.weeks
    ]


def _cells(notebook: Notebook, here: str) -> Iterator[str]:
    for number, cell in enumerate(notebook.cells):
        if cell.kind == "markdown":
            yield _prose(without_title(cell.source) if number == 0 else cell.source)
        elif cell.is_code:
            yield _code(cell)
            yield from _outputs(notebook.records, number, here)


def _prose(text: str) -> str:
    words, formulas = with_placeholders(text)
    return with_formulas(site_markdown(words, {}, str), formulas)


def _code(cell: Cell) -> str:
    """The code as a block in its own language; solutions and the code of drawings stay folded until they are wanted."""
    block = _cuda(cell.source) if cell.source.startswith(CUDA_CELL) else fence(cell.source, "python")
    for tag, summary in FOLDED.items():
        if tag in cell.tags:
            return f'<details class="folded-code" markdown>\n<summary>{summary}</summary>\n\n{block}\n\n</details>'
    return block


def _cuda(source: str) -> str:
    magic, _, kernel = source.partition("\n")
    return fence(kernel, f'cuda title="{re.sub(r"[^%a-z0-9_ ]", "", magic)}"')


def _outputs(records: Sequence[Record], number: int, here: str) -> Iterator[str]:
    """The outputs of each run; where there are two, the reader's choice above shows one of them."""
    for record in records:
        shown = list(outputs_markdown(record, number, here))
        if shown and len(records) > 1:
            yield f'<div class="run run--{record.provenance.kind}" markdown>'
            yield from shown
            yield "</div>"
        else:
            yield from shown
