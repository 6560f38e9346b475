"""Releases side by side, nothing installed: a type checker sees in them what it would see installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.artifacts import NoArtifact, Progress, artifact_place
from ai_research_skills.checks.releases.closure import closure
from ai_research_skills.checks.releases.static_tree import StaticTree, static_tree
from tests.checks.releases.made_up_index import SHARED_OBJECT, Index, sdist, wheel

CORE = """
from parts.shape import Shape


class Machine(Shape):
    def __init__(self, *, speed: int = 1) -> None:
        self.speed = speed

    def run(self, steps: int) -> Shape:
        return Shape()
"""
TOOLBOX: dict[str, str | bytes] = {
    "toolbox/__init__.py": "from toolbox.core import Machine\n",
    "toolbox/core.py": CORE,
    "toolbox/py.typed": "",
    "toolbox/native.cpython-311-x86_64-linux-gnu.so": SHARED_OBJECT,
    "space/one.py": "x: int = 1\n",
    "shared.py": "whose = 'toolbox'\n",
}
PARTS = {
    "parts/__init__.py": "",
    "parts/shape.py": "class Shape:\n    sides: int = 4\n",
    "space/two.py": "",
    "shared.py": "whose = 'parts'\n",
}
PROGRAM = """\
import space.one, space.two
from toolbox import Machine
from toolbox.native import anything
Machine(speed=2).run(1).sides
Machine(sped=2)
Machine().speeds
from toolbox import Engine
anything.at.all
"""


def pin(name: str) -> Pin:
    return Pin(distribution=name, version="1.0")


@pytest.fixture
def tree(index: Index) -> StaticTree:
    index.add(*wheel("toolbox", TOOLBOX, requires=["parts", "nvidia-cublas"]))
    index.add(*wheel("parts", PARTS))
    index.add(*wheel("nvidia_cublas", {"nvidia/lib/libcublas.so": "gigabytes"}))
    return static_tree(closure([pin("toolbox")]))


def test_a_type_checker_sees_the_releases(tree: StaticTree, tmp_path: Path) -> None:
    page = tmp_path / "program" / "page.py"
    page.parent.mkdir()
    page.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "ty", "check", "--project", ".", "--python", str(tree.prefix)]
    command += ["--output-format", "concise", "--exit-zero", "--no-progress", "--color", "never", "page.py"]
    said = subprocess.run(command, cwd=page.parent, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^page.py:(\d+):\d+: error.*`(\w+)`", said, re.MULTILINE)
    assert [line for line, _ in found] == ["5", "6", "7"], said
    assert all(name in said for name in ("sped", "speeds", "Engine"))


def test_the_whole_text_lies_beside_the_stubs(tree: StaticTree) -> None:
    assert "return Shape()" not in (tree.packages / "toolbox/core.py").read_text()
    assert (tree.sources / "toolbox/core.py").read_text() == CORE


def test_folders_that_releases_share_become_one_and_files_are_settled(tree: StaticTree) -> None:
    assert {path.name for path in (tree.packages / "space").iterdir()} == {"one.py", "two.py"}
    assert "parts" in (tree.packages / "shared.py").read_text()


def test_the_libraries_of_cuda_are_never_fetched(tree: StaticTree) -> None:
    (library,) = (one for one in tree.closure.artifacts if one.distribution == "nvidia-cublas")
    assert not artifact_place(library).exists()
    assert not (tree.packages / "nvidia").exists()


def test_releases_without_a_module_are_named(index: Index, tree: StaticTree) -> None:
    index.add(*sdist("placeholder", {"README": "download the real one elsewhere", "setup.py": ""}))
    other = static_tree(closure([pin("toolbox"), pin("placeholder")]))
    assert [str(one) for one in tree.absent] == ["nvidia-cublas==1.0"]
    assert [str(one) for one in other.absent] == ["nvidia-cublas==1.0", "placeholder==1.0"]


def test_two_closures_share_what_they_have_in_common(tree: StaticTree, index: Index) -> None:
    index.add(*wheel("other", {"other.py": ""}, requires=["parts"]))
    heard: list[Progress] = []
    other = static_tree(closure([pin("other")]), heard.append)
    assert heard[-1].of == 1
    assert (other.packages / "parts").resolve() == (tree.packages / "parts").resolve()


def test_a_tree_needs_the_registry_once(tree: StaticTree, index: Index) -> None:
    index.files.clear()
    index.sent.clear()
    assert static_tree(closure([pin("toolbox")], lock=tree.closure.lock)) == tree
    assert index.sent == []


def test_a_source_archive_is_read_and_not_executed(index: Index, tmp_path: Path) -> None:
    built = tmp_path / "built"
    setup = f"open({str(built)!r}, 'w')\nExtension('kernels.fast', [])\n"
    index.add(*sdist("kernels", {"setup.py": setup, "kernels/__init__.py": "def f():\n    return 1\n"}))
    tree = static_tree(closure([pin("kernels")]))
    assert "return" not in (tree.packages / "kernels/__init__.py").read_text()
    assert "Any" in (tree.packages / "kernels/fast.pyi").read_text()
    assert not built.exists()


def test_two_processes_make_the_same_stubs(
    index: Index, tree: StaticTree, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (tree.packages / "toolbox/core.py").read_text()
    for name in ("stubs", "trees"):
        shutil.rmtree(cache / name)
    monkeypatch.setattr("ai_research_skills.checks.releases.static_tree._WORTH_PROCESSES", 0)
    heard: list[Progress] = []
    assert static_tree(tree.closure, heard.append) == tree
    assert heard == [Progress("stubbing", 1, 2), Progress("stubbing", 2, 2)]
    assert (tree.packages / "toolbox/core.py").read_text() == before


def test_without_a_file_there_is_no_tree(index: Index, cache: Path) -> None:
    name, content = wheel("toolbox", TOOLBOX)
    index.add(name, content)
    found = closure([pin("toolbox")])
    del index.files[name]
    with pytest.raises(NoArtifact, match=r"toolbox==1.0: .*404"):
        static_tree(found)
    assert not (cache / "trees").exists()
