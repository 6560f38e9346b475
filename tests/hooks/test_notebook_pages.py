"""A notebook's page: prose and code of the source, outputs of its runs, and who produced them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.catalog.notebook_record import Device
from ai_research_skills.catalog.tree import load_tree
from hooks.notebook_pages import notebook_pages
from hooks.site_content import SiteContent
from hooks.staged import Staged
from tests.catalog.test_notebook import CODE, source, write, write_record

FIGURE = "application/vnd.ai-research-skills.figure+json"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'
PLOT = {
    "output_type": "display_data",
    "data": {"image/svg+xml": SVG, "text/plain": "a plot"},
    "metadata": {"image/svg+xml": {"alt": "Bars of <speed>."}},
}


def text(words: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": words}


def figure(value: float) -> dict[str, Any]:
    plain = {"name": "speed", "value": value, "unit": "GB/s", "limit": 10.0, "limit_name": "copy"}
    data = {FIGURE: {**plain, "fraction": value / 10, "spread": None, "samples": 3}}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def staged(root: Path) -> dict[str, Staged]:
    (root / "skills").mkdir(exist_ok=True)
    content = SiteContent(
        load_tree(root), dt.date(2026, 11, 26), "https://example.org/repo", "https://example.org/site/"
    )
    return {page.path: page for page in notebook_pages(content)}


def page(root: Path) -> str:
    return str(staged(root)["notebooks/serving/example.md"].content)


@pytest.fixture
def gpu_notebook(tmp_path: Path) -> Path:
    document = source()
    document["metadata"]["ai_research_skills"]["hardware"] = "cpu, cuda"
    write(tmp_path, document)
    return tmp_path


def test_a_notebook_that_never_ran_says_so(tmp_path: Path) -> None:
    write(tmp_path, source())
    assert "no record of this notebook exists" in page(tmp_path)


def test_one_run_is_shown_without_a_choice_and_the_missing_gpu_is_named(gpu_notebook: Path) -> None:
    write_record(gpu_notebook, outputs=[text("from the CPU")])
    shown = page(gpu_notebook)
    assert "from the CPU" in shown
    assert "Not yet run on a GPU." in shown
    assert "<fieldset" not in shown
    assert "run--cpu" not in shown


def test_two_runs_are_both_there_each_with_its_own_provenance(gpu_notebook: Path) -> None:
    write_record(gpu_notebook, outputs=[text("from the CPU"), figure(5.0), PLOT])
    made_on = {"device": "NVIDIA H200", "driver": "580.1", "cuda": "13.0"}
    write_record(gpu_notebook, Device.GPU, outputs=[text("from the GPU"), figure(9.0)], provenance=made_on)
    pages = staged(gpu_notebook)
    shown = str(pages["notebooks/serving/example.md"].content)
    assert shown.index("from the GPU") < shown.index("from the CPU")
    assert shown.count('<div class="run run--') == 2
    assert 'id="run-gpu" autocomplete="off" checked' in shown
    assert "NVIDIA H200, driver 580.1, CUDA 13.0" in shown
    assert "90 % of copy" in shown
    assert "50 % of copy" in shown
    assert "Not yet run on a GPU" not in shown
    assert pages["notebooks/serving/example/cpu-1-2.svg"].content == SVG.encode()
    assert "![Bars of &lt;speed>.](example/cpu-1-2.svg)" in shown


def test_a_stale_gpu_record_is_a_banner_over_the_cpu_s_outputs(gpu_notebook: Path) -> None:
    write_record(gpu_notebook, Device.GPU, code="assert 3", outputs=[text("from the GPU")])
    write_record(gpu_notebook, outputs=[text("from the CPU")])
    shown = page(gpu_notebook)
    assert "The GPU record is stale" in shown
    assert "its own code cells are not those that it says it ran" in shown
    assert "from the CPU" in shown
    assert "from the GPU" not in shown


def test_a_stale_cpu_record_does_not_keep_the_page_from_being_built(tmp_path: Path) -> None:
    write(tmp_path, source())
    write_record(tmp_path, code="assert 3", outputs=[text("from the CPU")])
    shown = page(tmp_path)
    assert "The CPU record is stale" in shown
    assert "from the CPU" not in shown
    assert "no record of this notebook exists" not in shown


def test_a_cuda_cell_is_shown_as_cuda_and_solutions_and_drawings_are_folded(tmp_path: Path) -> None:
    document = source()
    kernel = '%%cuda sums"x\n__global__ void sum() {}'
    code = {"cell_type": "code", "execution_count": None, "outputs": []}
    document["cells"] += [
        {**code, "id": "c", "metadata": {}, "source": kernel},
        {**code, "id": "d", "metadata": {"tags": ["solution"]}, "source": CODE},
        {**code, "id": "e", "metadata": {"tags": ["drawing"]}, "source": "show()"},
    ]
    write(tmp_path, document)
    shown = page(tmp_path)
    assert '```{ .cuda title="%%cuda sumsx" }\n__global__ void sum() {}\n```' in shown
    assert "<summary>Code of the drawing</summary>\n\n```{ .python }\nshow()\n```\n\n</details>" in shown
    assert f"<summary>Solution</summary>\n\n```{{ .python }}\n{CODE}\n```\n\n</details>" in shown


def test_the_notebooks_of_a_family_lead_to_each_other(tmp_path: Path) -> None:
    for order, name in enumerate(("first", "second", "third"), start=1):
        document = source()
        document["metadata"]["ai_research_skills"] |= {"order": order, "title": name.title()}
        write(tmp_path, document, f"notebooks/serving/{name}.ipynb")
    pages = staged(tmp_path)
    middle = str(pages["notebooks/serving/second.md"].content)
    assert "notebook 2 of 3" in middle
    assert 'href="../first/" rel="prev"' in middle
    assert 'href="../third/" rel="next"' in middle
    assert 'rel="prev"' not in str(pages["notebooks/serving/first.md"].content)
    assert 'rel="next"' not in str(pages["notebooks/serving/third.md"].content)
