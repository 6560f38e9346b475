"""What stands around nbmake: no source is overwritten, and what is proven is not run again without being asked."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.test_notebook import source, write, write_record

FAILING = "assert False, 'it ran'"


@pytest.fixture
def tree(tmp_path: Path, repository: Path) -> Path:
    """A tree whose only notebook fails if it is run, with the guards of this repository and a fresh record."""
    write(tmp_path, source(source=[FAILING]))
    write_record(tmp_path, code=FAILING)
    shutil.copy(repository / "notebooks/conftest.py", tmp_path / "notebooks")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = notebooks\n")
    return tmp_path


def nbmake(root: Path, *words: str) -> str:
    command = [sys.executable, "-m", "pytest", "--nbmake", "-p", "no:cacheprovider", *words]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def test_a_source_is_never_overwritten(tree: Path) -> None:
    notebook = tree / "notebooks/serving/example.ipynb"
    before = notebook.read_text()
    assert "--overwrite writes a failing run over its source" in nbmake(tree, "--overwrite", "notebooks")
    assert notebook.read_text() == before


def test_a_proven_notebook_outside_the_sample_is_left_out(tree: Path) -> None:
    write(tree, source(), "notebooks/serving/other.ipynb")
    assert "it ran" not in nbmake(tree, "--collect-only")
    said = nbmake(tree)
    assert "2 deselected" not in said, "at least one proven notebook is sampled"


def test_a_notebook_that_is_named_runs(tree: Path) -> None:
    assert "it ran" in nbmake(tree, "notebooks/serving/example.ipynb")


def test_a_changed_notebook_runs(tree: Path) -> None:
    write(tree, source(source=["assert 0, 'changed'"]))
    assert "changed" in nbmake(tree)
