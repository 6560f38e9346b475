"""A record hangs on every file of the project that its notebook loads, and on no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.catalog.notebook_cells import Cell
from ai_research_skills.catalog.notebook_dependencies import dependencies, digest

FILES = {
    "__init__.py": "",
    "py.typed": "",
    "lab/__init__.py": "from ai_research_skills.lab.device import Device",
    "lab/device.py": "",
    "lab/plots.py": "import matplotlib",
    "lab/cuda/__init__.py": "def f():\n    from ai_research_skills.lab.plots import show",
    "lab/cuda/shim/cuda.hpp": "#pragma once",
    "lab/cuda/__pycache__/x.pyc": "",
    "llama.py": "import ai_research_skills.lab.device",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "src/ai_research_skills" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def found(root: Path, *sources: str) -> set[str]:
    cells = [Cell("code", source) for source in sources]
    base = Path("src/ai_research_skills")
    return {path.relative_to(base).as_posix() for path in dependencies(root, cells)}


CORE = {"__init__.py", "py.typed", "lab/__init__.py", "lab/device.py"}


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("import ai_research_skills.lab", set()),
        ("if True:\n    %pip install x\nfrom ai_research_skills.lab import plots", {"lab/plots.py"}),
        (
            "%load_ext ai_research_skills.lab.cuda",
            {"lab/cuda/__init__.py", "lab/cuda/shim/cuda.hpp", "lab/plots.py"},
        ),
        ("from ai_research_skills import llama", {"llama.py"}),
    ],
)
def test_imports_are_followed_and_packages_bring_their_data(root: Path, source: str, more: set[str]) -> None:
    assert found(root, source) == CORE | more


def test_other_packages_magics_and_nonsense_bring_nothing(root: Path) -> None:
    assert not found(
        root, "import numpy", "%%cuda x\nimport ai_research_skills", "not python", "from . import x"
    )


def test_the_digest_follows_contents_and_names(root: Path) -> None:
    files = dependencies(root, [Cell("code", "import ai_research_skills.lab")])
    before = digest(root, files)
    (root / "src/ai_research_skills/lab/device.py").write_text("changed = True")
    assert digest(root, files) != before
    assert digest(root, files[:-1]) != digest(root, files)
