import json
from pathlib import Path

import pytest

from ai_research_skills.catalog.notebook import load_notebooks
from ai_research_skills.lab.published import NoRecord, published

ROOT = Path(__file__).parents[2]


def test_the_figures_are_those_of_the_committed_record() -> None:
    notebooks, _ = load_notebooks(ROOT)
    notebook = next(book for book in notebooks if book.records or book.stale)
    record = (*notebook.records, *notebook.stale)[0].provenance
    found = published(notebook.address, kind=record.kind.value, start=ROOT / "notebooks" / "quantization")
    assert found.device == record.device
    assert {name: figure.value for name, figure in found.figures.items()} == {
        figure.name: figure.value for figure in record.figures
    }


def test_a_missing_record_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(
        NoRecord, match=r"no GPU record of quantization/x .* `ai-skills notebooks record quantization/x`"
    ):
        published("quantization/x", kind="gpu", start=tmp_path)


def test_the_nearest_checkout_counts(tmp_path: Path) -> None:
    for folder, value in ((tmp_path, 1.0), (tmp_path / "inner", 2.0)):
        place = folder / "docs/evidence/notebooks/f"
        place.mkdir(parents=True)
        figure = {"name": "speed", "value": value, "unit": "GB/s", "baseline": 7.0}
        record = {"device": "host", "figures": [figure]}
        (place / "x.cpu.ipynb").write_text(json.dumps({"metadata": {"record": record}}))
    assert published("f/x", start=tmp_path / "inner").figures["speed"].value == 2
    assert published("f/x", start=tmp_path).figures["speed"].value == 1
