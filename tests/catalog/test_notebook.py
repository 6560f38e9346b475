"""Notebooks: sources hold no outputs, and a record belongs to the code that made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.catalog.notebook import load_notebooks
from ai_research_skills.catalog.notebook_record import Device, record_path

CODE = "assert 1 + 1 == 2"


def source(**changes: Any) -> dict[str, Any]:
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "ai_research_skills": {"title": "T", "summary": "S.", "family": "serving", "order": 1},
            **changes.pop("metadata", {}),
        },
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# T\n"]},
            {
                "cell_type": "code",
                "id": "b",
                "metadata": {"tags": ["self-check"]},
                "source": [CODE],
                "outputs": [],
                "execution_count": None,
                **changes,
            },
        ],
    }


def write(root: Path, document: Any, name: str = "notebooks/serving/example.ipynb") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def write_record(root: Path, kind: Device = Device.CPU, code: str = CODE, **changes: Any) -> Path:
    (notebook,), _ = load_notebooks(root)
    document = source(source=[code], execution_count=1)
    document["metadata"]["record"] = {
        "kind": kind,
        "device": "a processor",
        "units": 2,
        "memory_bytes": 2**30,
        "libraries": {"python": "3.11"},
        "commit": "0" * 40,
        "dirty": False,
        "recorded": "2026-11-21T00:00:00+00:00",
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "code_sha256": notebook.code_sha256,
        "dependencies_sha256": notebook.dependencies_sha256,
        "figures": [],
        **changes.pop("provenance", {}),
    }
    document["cells"][1] |= changes
    return write(root, document, str(record_path(notebook.address, kind)))


def faults(root: Path) -> tuple[str, ...]:
    """Why the records of the only notebook are stale; empty if they are fresh."""
    (notebook,), problems = load_notebooks(root)
    assert not problems
    return tuple(fault for record in notebook.stale for fault in record.faults)


def test_reads_a_notebook_and_prefers_the_gpu_record(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path, Device.CPU)
    write_record(tmp_path, Device.GPU)
    (notebook,), problems = load_notebooks(tmp_path)
    assert not problems
    assert notebook.address == "serving/example"
    assert notebook.best_record
    assert notebook.best_record.provenance.kind is Device.GPU


def test_changed_code_makes_the_record_stale_and_prose_does_not(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path)
    prose = source()
    prose["cells"][0]["source"] = ["# Other words\n"]
    write(tmp_path, prose)
    assert not faults(tmp_path)
    prose["cells"][1]["metadata"]["tags"].append("drawing")
    write(tmp_path, prose)
    assert not faults(tmp_path), "how the page shows a cell is prose too"
    write(tmp_path, source(source=["assert 2 + 2 == 4"]))
    assert faults(tmp_path) == ("the code cells changed since it was made",)
    assert load_notebooks(tmp_path)[0][0].best_record is None


def test_a_record_with_other_code_than_it_says_is_stale(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path, code="assert 3")
    assert faults(tmp_path) == ("its own code cells are not those that it says it ran",)


def test_a_changed_module_makes_the_record_stale(tmp_path: Path) -> None:
    module = write(tmp_path, "SIZE = 1\n", "src/ai_research_skills/sizes.py")
    code = "from ai_research_skills.sizes import SIZE\nassert SIZE"
    write(tmp_path, source(source=[code]))
    write_record(tmp_path, code=code)
    assert not faults(tmp_path)
    module.write_text("SIZE = 2\n")
    assert faults(tmp_path) == (
        "a module that it imports or a record that it reads changed since it was made",
    )


def test_a_changed_record_makes_the_record_stale_that_was_made_from_it(tmp_path: Path) -> None:
    write(tmp_path, source())
    figures = write_record(tmp_path)
    about = source()["metadata"]["ai_research_skills"] | {"reads": ["serving/example"]}
    write(tmp_path, source(metadata={"ai_research_skills": about}), "notebooks/serving/table.ipynb")

    def dependencies() -> str:
        return next(book for book in load_notebooks(tmp_path)[0] if book.slug == "table").dependencies_sha256

    before = dependencies()
    figures.write_text(figures.read_text().replace('"seconds": 1.0', '"seconds": 2.0'))
    assert dependencies() != before


def test_only_records_of_notebooks_that_exist_are_read(tmp_path: Path) -> None:
    about = source()["metadata"]["ai_research_skills"] | {"reads": ["serving/absent"]}
    write(tmp_path, source(metadata={"ai_research_skills": about}))
    (problem,) = load_notebooks(tmp_path)[1]
    assert "reads the records of the unknown notebook 'serving/absent'" in str(problem)


ERROR = {"output_type": "error", "ename": "AssertionError", "evalue": "", "traceback": []}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [({"execution_count": None}, "cell 2 was not executed"), ({"outputs": [ERROR]}, "ended in an error")],
)
def test_a_record_of_a_run_that_did_not_end_well_is_stale(
    tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    write(tmp_path, source())
    write_record(tmp_path, **changes)
    (found,) = faults(tmp_path)
    assert fault in found


def test_a_stale_record_is_kept_apart_and_is_no_problem(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path, Device.GPU, code="assert 3")
    write_record(tmp_path, Device.CPU)
    (notebook,), problems = load_notebooks(tmp_path)
    assert not problems
    assert [record.provenance.kind for record in notebook.records] == [Device.CPU]
    assert [record.provenance.kind for record in notebook.stale] == [Device.GPU]


def test_an_unreadable_record_says_what_is_missing(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path, provenance={"seconds": "long"})
    assert "is no record: seconds" in load_notebooks(tmp_path)[1][0].message


@pytest.mark.parametrize(
    ("code", "magic"),
    [
        ("%nosuch 1", "%nosuch"),
        ("%%cuad sums\nint x;", "%%cuad"),
        ("!pip install x", "!"),
        ("x = %who", "%who"),
    ],
)
def test_magics_are_a_closed_list(tmp_path: Path, code: str, magic: str) -> None:
    write(tmp_path, source(source=[code]))
    (problem,) = load_notebooks(tmp_path)[1]
    assert f"uses the magic {magic!r}" in problem.message


@pytest.mark.parametrize("code", ["%pip install x", "%load_ext a.b", "%%cuda sums\n%other", "7 \\\n% 2"])
def test_known_magics_and_the_remainder_operator_pass(tmp_path: Path, code: str) -> None:
    write(tmp_path, source(source=[code]))
    assert not load_notebooks(tmp_path)[1]


BAD = {
    "output": (source(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]), "holds an output"),
    "execution count": (source(execution_count=3), "holds an output"),
    "allow_errors": (source(metadata={"execution": {"allow_errors": True}}), "allows errors"),
    "not JSON": ("{", "is not JSON"),
    "old format": ('{"nbformat": 3}', "not a notebook of format 4"),
    "no metadata": ({"nbformat": 4, "cells": [], "metadata": {}}, "correct `metadata.ai_research_skills`"),
    "huge": ("x" * 2_000_000, "bytes, more than"),
}


@pytest.mark.parametrize(("document", "expected"), BAD.values(), ids=BAD)
def test_names_the_fault(tmp_path: Path, document: Any, expected: str) -> None:
    write(tmp_path, document)
    _, problems = load_notebooks(tmp_path)
    assert any(expected in str(problem) for problem in problems), problems


def test_tags_are_a_closed_list_and_a_self_check_is_owed(tmp_path: Path) -> None:
    document = source()
    document["cells"][1]["metadata"]["tags"] = ["skip-execution"]
    write(tmp_path, document)
    found = {problem.message for problem in load_notebooks(tmp_path)[1]}
    assert found == {"cell 2 has the unknown tag 'skip-execution'", "never checks itself"}


def test_the_folder_is_the_family(tmp_path: Path) -> None:
    write(tmp_path, source(), "notebooks/quantization/example.ipynb")
    assert "says family 'serving' but lies in 'quantization'" in load_notebooks(tmp_path)[1][0].message


def test_the_repository_has_fresh_cpu_records(repository: Path) -> None:
    notebooks, problems = load_notebooks(repository)
    assert not problems
    assert notebooks
    for notebook in notebooks:
        assert notebook.record(Device.CPU), f"run `ai-skills notebooks record {notebook.address}`"
