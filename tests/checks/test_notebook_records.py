"""What keeps a record, and the site, from being published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.catalog.notebook import Notebook, load_notebooks
from ai_research_skills.catalog.notebook_record import Device, RecordedFigure
from ai_research_skills.checks.figure_history import figure_faults, with_baselines
from ai_research_skills.checks.notebook_records import record_problems, unpublishable, wanting_gpu
from ai_research_skills.checks.sample import sampled_notebooks
from tests.catalog.test_notebook import source, write, write_record


def figure(value: float, *, baseline: float | None = None, spread: float | None = None) -> RecordedFigure:
    return RecordedFigure(
        name="speed",
        value=value,
        unit="GB/s",
        limit=10,
        limit_name="copy",
        fraction=value / 10,
        spread=spread,
        samples=9,
        baseline=baseline,
    )


@pytest.mark.parametrize(
    ("measured", "faults"),
    [
        (figure(10.1), 0),
        (figure(10.3), 1),
        (figure(7.3, baseline=0.8), 0),
        (figure(7.1, baseline=0.8), 1),
        (figure(7.1, baseline=0.8, spread=0.5), 0),
        (figure(9.9, baseline=0.8), 0),
    ],
)
def test_a_figure_stays_within_its_limit_and_near_the_record_before(
    measured: RecordedFigure, faults: int
) -> None:
    assert len(list(figure_faults([measured]))) == faults


def test_a_figure_without_a_limit_is_not_compared() -> None:
    free = figure(3).model_copy(update={"limit": None, "fraction": None, "baseline": 0.9})
    assert not list(figure_faults([free]))


def test_a_new_figure_has_no_baseline() -> None:
    (new,) = with_baselines([figure(5)], [])
    assert new.baseline is None


def loaded(root: Path) -> Sequence[Notebook]:
    return load_notebooks(root)[0]


def messages(root: Path) -> list[str]:
    return [problem.message for problem in record_problems(loaded(root))]


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (Device.CPU, {}, []),
        (Device.CPU, {"dirty": True}, ["uncommitted changes"]),
        (Device.CPU, {"cpu_seconds": 61.0}, ["61 CPU seconds"]),
        (Device.GPU, {"cpu_seconds": 61.0, "seconds": 46.0}, ["took 46 s"]),
        (Device.GPU, {"figures": [figure(11).model_dump()]}, ["above its limit"]),
    ],
)
def test_a_record_is_clean_quick_and_possible(
    tmp_path: Path, kind: Device, changes: dict[str, Any], expected: list[str]
) -> None:
    write(tmp_path, source())
    write_record(tmp_path, kind, provenance=changes)
    found = messages(tmp_path)
    assert len(found) == len(expected)
    assert all(part in message for part, message in zip(expected, found, strict=True))


def test_a_stale_cpu_record_has_to_be_renewed(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path, Device.CPU, code="assert 3")
    (problem,) = record_problems(loaded(tmp_path))
    assert "is stale: its own code cells" in problem.message
    assert problem.mend == "run `ai-skills notebooks record serving/example`"
    assert not list(unpublishable(loaded(tmp_path))), "which would say it a second time"


def test_publishing_wants_a_cpu_record_and_no_stale_gpu_record(tmp_path: Path) -> None:
    write(tmp_path, source())
    assert [p.message for p in unpublishable(loaded(tmp_path))] == ["has no record of a CPU run"]
    write_record(tmp_path, Device.CPU)
    assert not list(unpublishable(loaded(tmp_path)))
    write_record(tmp_path, Device.GPU, code="assert 3")
    (problem,) = unpublishable(loaded(tmp_path))
    assert "is stale" in problem.message
    assert "or delete the record" in problem.mend


def test_only_notebooks_for_a_gpu_wait_for_one(tmp_path: Path) -> None:
    document = source()
    write(tmp_path, document)
    assert not wanting_gpu(loaded(tmp_path))
    document["metadata"]["ai_research_skills"]["hardware"] = "cpu, cuda"
    write(tmp_path, document)
    assert wanting_gpu(loaded(tmp_path)) == ("serving/example",)
    write_record(tmp_path, Device.GPU)
    assert not wanting_gpu(loaded(tmp_path))


def test_the_sample_holds_what_is_unproven_and_rotates_over_the_rest(tmp_path: Path) -> None:
    for name in ("first", "second", "third"):
        write(tmp_path, source(), f"notebooks/serving/{name}.ipynb")
    assert len(sampled_notebooks(loaded(tmp_path), "", cpu_seconds=0)) == 3

    proven = [recorded(tmp_path, name) for name in ("first", "second", "third")]
    seeds = [sampled_notebooks(proven, str(seed), cpu_seconds=1.5) for seed in range(20)]
    assert {len(chosen) for chosen in seeds} == {1}
    assert {chosen[0].slug for chosen in seeds} == {"first", "second", "third"}


def recorded(root: Path, name: str) -> Notebook:
    folder = root / name
    write(folder, source(), f"notebooks/serving/{name}.ipynb")
    write_record(folder)
    return loaded(folder)[0]


def test_the_repository_s_records_are_clean(repository: Path) -> None:
    assert not list(record_problems(loaded(repository)))
