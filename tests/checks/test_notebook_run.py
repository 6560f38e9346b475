"""Running a notebook: what nbmake lets pass fails here, and a failure leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ai_research_skills.catalog.notebook import Device, load_notebooks, record_path
from ai_research_skills.checks.notebook_run import NotebookFailed, record_notebook
from tests.catalog.test_notebook import source, write


def record(root: Path, code: str) -> Path:
    write(root, source(source=[code]))
    (notebook,), _ = load_notebooks(root)
    return record_notebook(root, notebook)


def test_a_record_holds_outputs_and_provenance_and_is_fresh(tmp_path: Path) -> None:
    path = record(tmp_path, "print('hello')")
    (notebook,), problems = load_notebooks(tmp_path)
    assert not problems
    (found,) = notebook.records
    assert found.path == path == record_path(notebook, Device.CPU)
    assert found.cells[1].outputs[0]["text"] == "hello\n"
    assert found.provenance.libraries["python"]
    assert not json.loads((tmp_path / notebook.path).read_text())["cells"][1]["outputs"], (
        "the source stays clean"
    )


@pytest.mark.parametrize("code", ["assert False", "%nosuchmagic", "import os; os._exit(1)"])
def test_a_failing_notebook_writes_nothing(tmp_path: Path, code: str) -> None:
    with pytest.raises(NotebookFailed):
        record(tmp_path, code)
    assert not (tmp_path / "docs").exists()
