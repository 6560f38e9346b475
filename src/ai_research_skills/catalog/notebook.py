"""Notebooks as written, without outputs, each with the records that belong to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ai_research_skills.catalog.notebook_cells import DRAWING, Cell, code_sha256, read_cells, read_document
from ai_research_skills.catalog.notebook_dependencies import dependencies, digest
from ai_research_skills.catalog.notebook_record import Device, Record, load_record, record_path
from ai_research_skills.catalog.problem import Problem

METADATA_KEY = "ai_research_skills"
SELF_CHECK = "self-check"
SOLUTION = "solution"
ALLOWED_TAGS = frozenset({SELF_CHECK, SOLUTION, DRAWING})
CUDA_CELL = "%%cuda"
ALLOWED_MAGICS = frozenset({"%pip", "%load_ext", CUDA_CELL})
"""A kernel passes over a magic that it does not know, so a misspelt one would never fail."""

_MAGIC = re.compile(r"^\s*(?:[\w, ]+=\s*)?(%%?\w*|!)")


class NotebookMetadata(BaseModel):
    """What the author says of a notebook, under `metadata.ai_research_skills`.

    Attributes:
        reads: Addresses of the notebooks whose records this one reads; it is stale when one of those changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    summary: str = Field(max_length=200)
    family: str
    order: int
    skills: tuple[str, ...] = ()
    weeks: tuple[str, ...] = ()
    hardware: str = "cpu"
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notebook:
    """A notebook with its records.

    Attributes:
        dependencies: The files of the project that its code loads or reads, relative to the root.
        records: Those that belong to the code as it stands, the GPU's first.
        stale: Those that no longer do.
    """

    path: Path
    metadata: NotebookMetadata
    cells: tuple[Cell, ...]
    dependencies: tuple[Path, ...] = ()
    dependencies_sha256: str = ""
    records: tuple[Record, ...] = ()
    stale: tuple[Record, ...] = ()

    @property
    def slug(self) -> str:
        return self.path.stem

    @property
    def address(self) -> str:
        """`family/slug`, the id under which skills and roadmaps name a notebook."""
        return f"{self.metadata.family}/{self.slug}"

    @property
    def code_sha256(self) -> str:
        return code_sha256(self.cells)

    @property
    def best_record(self) -> Record | None:
        return self.records[0] if self.records else None

    @property
    def wants_gpu(self) -> bool:
        return "cuda" in self.metadata.hardware

    def record(self, kind: Device) -> Record | None:
        """The fresh record of that kind of device."""
        return next((record for record in self.records if record.provenance.kind is kind), None)


def load_notebooks(root: Path) -> tuple[tuple[Notebook, ...], tuple[Problem, ...]]:
    """Read every notebook of `root/notebooks` with its records.

    A stale record is no problem of the catalog: the page says it, and `checks.notebook_records` judges it.
    """
    notebooks: list[Notebook] = []
    problems: list[Problem] = []
    for path in sorted((root / "notebooks").glob("*/*.ipynb")):
        notebook, found = _load_notebook(root, path)
        problems += found
        if notebook:
            notebooks.append(notebook)
    notebooks.sort(key=lambda n: (n.metadata.family, n.metadata.order, n.slug))
    problems += _unreadable(notebooks)
    return tuple(notebooks), tuple(sorted(problems))


def _unreadable(notebooks: Sequence[Notebook]) -> Iterator[Problem]:
    known = {notebook.address for notebook in notebooks}
    for notebook in notebooks:
        for address in notebook.metadata.reads:
            if address not in known:
                message = f"reads the records of the unknown notebook {address!r}"
                yield Problem(notebook.path, 0, message, f"correct `metadata.{METADATA_KEY}.reads`")


def _load_notebook(root: Path, path: Path) -> tuple[Notebook | None, list[Problem]]:
    document, problems = read_document(root, path)
    relative = path.relative_to(root)
    if document is None:
        return None, problems
    try:
        metadata = NotebookMetadata.model_validate(document.get("metadata", {}).get(METADATA_KEY))
    except ValidationError as error:
        mend = f"correct `metadata.{METADATA_KEY}` in the notebook"
        return None, [
            Problem(relative, 0, f"{'.'.join(map(str, e['loc'])) or METADATA_KEY}: {e['msg']}", mend)
            for e in error.errors()
        ]
    written = Notebook(relative, metadata, read_cells(document))
    notebook, found = _with_records(root, written)
    return notebook, [*problems, *_faults(written, document), *found]


def _with_records(root: Path, notebook: Notebook) -> tuple[Notebook, list[Problem]]:
    files = tuple(sorted({*dependencies(root, notebook.cells), *_records_read(root, notebook.metadata)}))
    code, needed = notebook.code_sha256, digest(root, files)
    records: list[Record] = []
    problems: list[Problem] = []
    for kind in (Device.GPU, Device.CPU):
        record, found = load_record(root, notebook.address, kind, code=code, dependencies=needed)
        problems += found
        if record:
            records.append(record)
    fresh = tuple(record for record in records if not record.faults)
    stale = tuple(record for record in records if record.faults)
    complete = replace(notebook, dependencies=files, dependencies_sha256=needed, records=fresh, stale=stale)
    return complete, problems


def _records_read(root: Path, metadata: NotebookMetadata) -> Iterator[Path]:
    for address in metadata.reads:
        for kind in Device:
            path = record_path(address, kind)
            if (root / path).is_file():
                yield path


def _faults(notebook: Notebook, document: Mapping[str, Any]) -> Iterator[Problem]:
    path = notebook.path
    if path.parent.name != notebook.metadata.family:
        message = f"says family {notebook.metadata.family!r} but lies in {path.parent.name!r}"
        yield Problem(path, 0, message, "make the two the same")
    if document["metadata"].get("execution", {}).get("allow_errors"):
        yield Problem(path, 0, "allows errors", "remove `execution.allow_errors`: a failing cell must fail")
    for number, (cell, raw) in enumerate(zip(notebook.cells, document["cells"], strict=True), start=1):
        if raw.get("outputs") or raw.get("execution_count") is not None:
            mend = "clear all outputs; executed copies live in docs/evidence/notebooks"
            yield Problem(path, 0, f"cell {number} holds an output", mend)
        for tag in sorted(set(cell.tags) - ALLOWED_TAGS):
            allowed = ", ".join(sorted(ALLOWED_TAGS))
            yield Problem(path, 0, f"cell {number} has the unknown tag {tag!r}", f"use one of {allowed}")
        for magic in _unknown_magics(cell):
            allowed = ", ".join(sorted(ALLOWED_MAGICS))
            message = f"cell {number} uses the magic {magic!r}, which a kernel may pass over in silence"
            yield Problem(path, 0, message, f"use Python, or one of {allowed}")
    if not any(SELF_CHECK in cell.tags for cell in notebook.cells):
        mend = f"tag the cell that asserts the results with `{SELF_CHECK}`"
        yield Problem(path, 0, "never checks itself", mend)


def _unknown_magics(cell: Cell) -> Iterator[str]:
    """Magics outside the closed list; in a cell that is Python as it stands, `%` is an operator."""
    if not cell.is_code or _is_python(cell.source):
        return
    lines = cell.source.split("\n")
    for line in lines[:1] if cell.source.startswith("%%") else lines:
        found = _MAGIC.match(line)
        if found and found[1] not in ALLOWED_MAGICS:
            yield found[1]


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
