"""The table of moved addresses: one hop, pages to pages, fragments within a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.catalog.redirects import load_redirects


def load(tmp_path: Path, text: str) -> tuple[dict[str, str], list[str]]:
    (tmp_path / "docs").mkdir(exist_ok=True)
    (tmp_path / "docs" / "redirects.yml").write_text(text)
    table, problems = load_redirects(tmp_path)
    return table, [str(problem) for problem in problems]


def test_reads_the_table(tmp_path: Path) -> None:
    assert load(tmp_path, "/a/: /b/\n/c/#old: /c/#new\n") == ({"/a/": "/b/", "/c/#old": "/c/#new"}, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a/: /b/\n/b/: /c/\n", ":1: /a/ takes two hops, over /b/"),
        ("a/: /b/\n", ":1: a/ is no address"),
        ("/x/: /y/\n/a/#x: /b/#y\n", ":2: /a/#x cannot lead to /b/#y"),
        ("/a/: /b/#y\n", ":1: /a/ cannot lead to /b/#y"),
    ],
)
def test_names_the_fault(tmp_path: Path, text: str, expected: str) -> None:
    assert any(expected in problem for problem in load(tmp_path, text)[1])
