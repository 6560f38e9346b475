"""Running a notebook: what nbmake lets pass fails here, and a failure leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ai_research_skills.catalog.notebook import load_notebooks
from ai_research_skills.catalog.notebook_record import Device, record_path
from ai_research_skills.checks import notebook_run
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
    assert found.path == path == record_path(notebook.address, Device.CPU)
    assert found.cells[1].outputs[0]["text"] == "hello\n"
    assert found.provenance.libraries["python"]
    assert found.provenance.cpu_seconds > 0
    assert not json.loads((tmp_path / notebook.path).read_text())["cells"][1]["outputs"], (
        "the source stays clean"
    )


@pytest.mark.parametrize("code", ["assert False", "%nosuchmagic", "import os; os._exit(1)"])
def test_a_failing_notebook_writes_nothing(tmp_path: Path, code: str) -> None:
    with pytest.raises(NotebookFailed):
        record(tmp_path, code)
    assert not (tmp_path / "docs").exists()


FIGURE = "from ai_research_skills.lab import record\nrecord('speed', {}, 'GB/s', limit=10, limit_name='copy')"


def test_a_record_keeps_its_figures_beside_those_of_the_record_before(tmp_path: Path) -> None:
    record(tmp_path, FIGURE.format(8))
    record(tmp_path, FIGURE.format(7.6))
    record(tmp_path, FIGURE.format(6.0))
    path = record(tmp_path, FIGURE.format(6.1))
    (figure,) = json.loads((tmp_path / path).read_text())["metadata"]["record"]["figures"]
    assert (figure["value"], figure["fraction"]) == (6.1, 0.61)
    assert figure["baseline"] == 0.76, "a fall is measured from the last record that had not fallen"


def test_slower_figures_can_be_accepted(tmp_path: Path) -> None:
    record(tmp_path, FIGURE.format(8))
    (notebook,), _ = load_notebooks(tmp_path)
    path = record_notebook(tmp_path, notebook, accept_slower=True)
    (figure,) = json.loads((tmp_path / path).read_text())["metadata"]["record"]["figures"]
    assert figure["baseline"] is None


def test_a_notebook_has_a_time_limit_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_run, "NOTEBOOK_TIMEOUT", 1)
    with pytest.raises(NotebookFailed, match="timed out"):
        record(tmp_path, "import time; time.sleep(30)")
