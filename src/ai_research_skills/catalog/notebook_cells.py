"""The cells of a notebook file, and the hash of what in them decides its outputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.source import read_source

DRAWING = "drawing"
"""Tag of a cell whose code only draws: the page folds it, and nothing else looks at the tag."""


@dataclass(frozen=True)
class Cell:
    """One cell; `outputs` are nbformat 4.5 output objects, empty in a source as is `execution_count`."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()
    execution_count: int | None = None

    @property
    def is_code(self) -> bool:
        return self.kind == "code"


def read_document(root: Path, path: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The notebook at `path` as plain data, or None with what is wrong with the file."""
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


def read_cells(document: Mapping[str, Any]) -> tuple[Cell, ...]:
    """The cells of a notebook that `read_document` read."""
    return tuple(
        Cell(
            kind=cell.get("cell_type", "raw"),
            source=joined(cell.get("source", "")),
            tags=tuple(cell.get("metadata", {}).get("tags", ())),
            outputs=tuple(cell.get("outputs", ())),
            execution_count=cell.get("execution_count"),
        )
        for cell in document.get("cells", ())
    )


def code_sha256(cells: tuple[Cell, ...]) -> str:
    """Hash of the ordered code cells and their tags: prose may change without a new run."""
    code = [[cell.source, sorted(set(cell.tags) - {DRAWING})] for cell in cells if cell.is_code]
    return hashlib.sha256(json.dumps(code, ensure_ascii=False).encode()).hexdigest()


def joined(text: str | list[str]) -> str:
    """Text as the notebook format stores it, a string or a list of lines, as one string."""
    return text if isinstance(text, str) else "".join(text)
