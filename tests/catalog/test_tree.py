"""The tree as a whole: what its parts say of each other must hold, and a bare library is a tree too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.problem import CatalogError
from ai_research_skills.catalog.tree import load_tree


def test_this_repository_has_no_problems(repository: Path) -> None:
    tree = load_tree(repository)
    assert tree.problems == ()
    assert tree.roadmap
    assert tree.learning_path
    assert {plan.name for plan in tree.roadmap.skills} >= set(tree.by_name)


def test_a_bare_library_has_neither_plan_nor_path(tmp_path: Path, write_skill: Callable[..., Path]) -> None:
    write_skill()
    tree = load_tree(tmp_path).checked()
    assert (tree.roadmap, tree.learning_path, tree.notebooks) == (None, None, ())


def test_a_block_may_name_only_notebooks_that_exist(tmp_path: Path, repository: Path) -> None:
    shutil.copytree(repository / "docs" / "roadmaps", tmp_path / "docs" / "roadmaps")
    with pytest.raises(CatalogError, match="names the unknown notebook 'cuda-kernels/flash-attention'"):
        load_tree(tmp_path).checked()


def test_a_block_may_name_only_skills_of_the_plan(tmp_path: Path, repository: Path) -> None:
    shutil.copytree(repository / "docs" / "roadmaps", tmp_path / "docs" / "roadmaps")
    path = tmp_path / "docs" / "roadmaps" / "frontier-ai.yml"
    path.write_text(path.read_text().replace("      - flash-attention\n", "      - flash-atention\n"))
    assert any(
        "flash-atention" in problem.message and problem.line for problem in load_tree(tmp_path).problems
    )
