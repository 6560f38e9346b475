"""Notebooks as written (no outputs) and their records (executed, with what produced the outputs)."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.source import read_source

METADATA_KEY = "ai_research_skills"
SELF_CHECK = "self-check"
ALLOWED_TAGS = frozenset({SELF_CHECK, "install"})
RENEW = "ai-skills notebooks record {address}"


class Device(StrEnum):
    """The kind of machine that a record was made on."""

    CPU = "cpu"
    GPU = "gpu"


class NotebookMetadata(BaseModel):
    """What the author says of a notebook, under `metadata.ai_research_skills`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    summary: str = Field(max_length=200)
    family: str
    order: int
    skills: tuple[str, ...] = ()
    weeks: tuple[str, ...] = ()
    hardware: str = "cpu"


class Provenance(BaseModel):
    """Where the outputs of a record come from, under `metadata.record`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Device
    device: str
    driver: str = ""
    libraries: dict[str, str]
    commit: str
    dirty: bool
    recorded: dt.datetime
    seconds: float
    code_sha256: str


@dataclass(frozen=True)
class Cell:
    """One cell; `outputs` are nbformat 4.5 output objects and empty in a source."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Record:
    """An executed copy of a notebook."""

    path: Path
    provenance: Provenance
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Notebook:
    """A notebook with the records that belong to it, the GPU's first."""

    path: Path
    metadata: NotebookMetadata
    cells: tuple[Cell, ...]
    records: tuple[Record, ...] = ()

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


def code_sha256(cells: tuple[Cell, ...]) -> str:
    """Hash of the ordered code cells and their tags: prose may change without a new run."""
    code = [[cell.source, sorted(cell.tags)] for cell in cells if cell.kind == "code"]
    return hashlib.sha256(json.dumps(code, ensure_ascii=False).encode()).hexdigest()


def record_path(notebook: Notebook, kind: Device) -> Path:
    """Where the record of `notebook` lies, relative to the root."""
    return Path("docs/evidence/notebooks") / notebook.metadata.family / f"{notebook.slug}.{kind}.ipynb"


def load_notebooks(root: Path) -> tuple[tuple[Notebook, ...], tuple[Problem, ...]]:
    """Read every notebook of `root/notebooks` with its records; a stale record is a problem."""
    notebooks: list[Notebook] = []
    problems: list[Problem] = []
    for path in sorted((root / "notebooks").glob("*/*.ipynb")):
        notebook, found = _load_notebook(root, path)
        problems += found
        if notebook:
            records, found = _records(root, notebook)
            problems += found
            notebooks.append(Notebook(notebook.path, notebook.metadata, notebook.cells, records))
    notebooks.sort(key=lambda n: (n.metadata.family, n.metadata.order, n.slug))
    return tuple(notebooks), tuple(sorted(problems))


def _load_notebook(root: Path, path: Path) -> tuple[Notebook | None, list[Problem]]:
    document, problems = _read_json(root, path)
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
    notebook = Notebook(relative, metadata, _cells(document))
    return notebook, [*problems, *_faults(notebook, document)]


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
    if not any(SELF_CHECK in cell.tags for cell in notebook.cells):
        mend = f"tag the cell that asserts the results with `{SELF_CHECK}`"
        yield Problem(path, 0, "never checks itself", mend)


def _records(root: Path, notebook: Notebook) -> tuple[tuple[Record, ...], list[Problem]]:
    records: list[Record] = []
    problems: list[Problem] = []
    for kind in (Device.GPU, Device.CPU):
        path = record_path(notebook, kind)
        if not (root / path).is_file():
            continue
        document, found = _read_json(root, root / path)
        problems += found
        renew = "run `" + RENEW.format(address=notebook.address) + "`"
        try:
            provenance = Provenance.model_validate((document or {}).get("metadata", {}).get("record"))
        except ValidationError as error:
            problems.append(Problem(path, 0, f"is no record: {error.error_count()} faults in it", renew))
            continue
        record = Record(path, provenance, _cells(document or {}))
        if not provenance.code_sha256 == notebook.code_sha256 == code_sha256(record.cells):
            message = f"is stale: the code cells of {notebook.path.as_posix()} changed since it was made"
            problems.append(Problem(path, 0, message, renew))
            continue
        records.append(record)
    return tuple(records), problems


def _read_json(root: Path, path: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    source = read_source(root, path)
    if not source.text:
        return None, list(source.problems)
    try:
        document = json.loads(source.text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        return None, [Problem(source.path, line, f"is not JSON: {error}", "save it again from Jupyter")]
    if not isinstance(document, dict) or document.get("nbformat") != 4 or "cells" not in document:
        return None, [Problem(source.path, 1, "is not a notebook of format 4", "save it again from Jupyter")]
    return document, list(source.problems)


def _cells(document: Mapping[str, Any]) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            kind=cell.get("cell_type", "raw"),
            source=joined(cell.get("source", "")),
            tags=tuple(cell.get("metadata", {}).get("tags", ())),
            outputs=tuple(cell.get("outputs", ())),
        )
        for cell in document.get("cells", ())
    )


def joined(text: str | list[str]) -> str:
    """Text as the notebook format stores it, a string or a list of lines, as one string."""
    return text if isinstance(text, str) else "".join(text)
