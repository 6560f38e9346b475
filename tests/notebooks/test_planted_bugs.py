"""Every notebook catches the bugs that people make: each is planted in turn, and the run has to fail for it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ai_research_skills.catalog.notebook import load_notebooks
from ai_research_skills.catalog.notebook_cells import joined
from ai_research_skills.checks.notebook_run import NotebookFailed, run_notebook
from ai_research_skills.checks.sample import commit_seed

ROOT = Path(__file__).parents[2]
PLANTED = Path(__file__).with_name("planted")
SAMPLE = 3
"""Bugs that are planted with every commit; the weekly run plants all of them."""


@dataclass(frozen=True)
class Bug:
    """A change to one cell of a notebook, and what the failing run says of it.

    Attributes:
        address: The notebook.
        cell: Text that only the cell to be changed holds.
        replace: Text that stands in it once.
        caught: Regular expression that the error matches.
        by_what: Which assertion or tool catches it, in words.
    """

    address: str
    name: str
    cell: str
    replace: str
    by: str
    caught: str
    by_what: str

    def __str__(self) -> str:
        return f"{self.address}: {self.name}"


def bugs() -> list[Bug]:
    return [
        Bug(address=f"{path.parent.name}/{path.stem}", **plain)
        for path in sorted(PLANTED.glob("*/*.yml"))
        for plain in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


BUGS = bugs()


def planted(document: dict[str, Any], bug: Bug) -> dict[str, Any]:
    """A copy of the notebook with the bug in it."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    found = [
        cell for cell in copy["cells"] if cell["cell_type"] == "code" and bug.cell in joined(cell["source"])
    ]
    assert len(found) == 1, f"{bug}: {len(found)} cells hold {bug.cell!r}"
    text = joined(found[0]["source"])
    assert text.count(bug.replace) == 1, (
        f"{bug}: {bug.replace!r} stands {text.count(bug.replace)} times there"
    )
    found[0]["source"] = text.replace(bug.replace, bug.by)
    return copy


def source(bug: Bug) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (ROOT / f"notebooks/{bug.address}.ipynb").read_text(encoding="utf-8")
    )
    return document


def test_every_notebook_of_a_course_has_bugs_to_catch() -> None:
    notebooks, _ = load_notebooks(ROOT)
    known = {bug.address for bug in BUGS}
    courses = ("cuda-kernels", "quantization", "serving")
    wanting = {book.address for book in notebooks if book.metadata.family in courses} - known
    assert not wanting, "add tests/notebooks/planted/ADDRESS.yml"
    assert known <= {book.address for book in notebooks}


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_bug_can_be_planted(bug: Bug) -> None:
    assert planted(source(bug), bug) != source(bug)


def sampled() -> list[Bug]:
    seed = commit_seed(ROOT)
    order = sorted(BUGS, key=lambda bug: hashlib.sha256(f"{seed}\0{bug}".encode()).hexdigest())
    return order[:SAMPLE]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "planted_bug" in metafunc.fixturenames:
        everything = metafunc.config.getoption("every_planted_bug")
        metafunc.parametrize("planted_bug", BUGS if everything else sampled(), ids=str)


@pytest.mark.slow
def test_a_planted_bug_is_caught(planted_bug: Bug, tmp_path: Path) -> None:
    bug = planted_bug
    path = tmp_path / f"notebooks/{bug.address}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(planted(source(bug), bug)), encoding="utf-8")
    (tmp_path / "docs").symlink_to(ROOT / "docs")  # some notebooks read the records of others
    (notebook,), _ = load_notebooks(tmp_path)
    with pytest.raises(NotebookFailed) as failure:
        run_notebook(tmp_path, notebook)
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(failure.value))
    assert re.search(bug.caught, said), said[-3000:]
