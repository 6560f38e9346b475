"""A script has a page that shows it whole, and links to it lead there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.tree import load_tree
from hooks.site_content import SiteContent
from hooks.skill_pages import raw_files, skill_pages
from tests.conftest import SKILL

CODE = '"""Estimate <memory>,\nper rank.\n\nMore.\n"""\n\nFENCE = """\n```python\n"""\n'
LINKS = "\n[run](scripts/estimate.py) [data](assets/sizes.csv)\n"


@pytest.fixture
def staged(tmp_path: Path, write_skill: Callable[..., Path]) -> dict[str, str | bytes]:
    folder = write_skill("my-tool", text=SKILL.format(name="my-tool", title="My Tool") + LINKS)
    for path, text in {"scripts/estimate.py": CODE, "assets/sizes.csv": "1\n"}.items():
        (folder / path).parent.mkdir()
        (folder / path).write_text(text)
    tests = tmp_path / "tests/skills/test_my_tool_estimate.py"
    tests.parent.mkdir(parents=True)
    tests.touch()
    content = SiteContent(load_tree(tmp_path), dt.date(2026, 11, 26), "https://example.org/repo")
    return {file.path: file.content for file in (*skill_pages(content), *raw_files(content))}


def test_a_script_is_shown_whole_below_what_it_is_for(staged: dict[str, str | bytes]) -> None:
    page = str(staged["skills/my-tool/scripts/estimate.md"])
    assert f"````python\n{CODE}````\n" in page, "the fence is longer than any in the code"
    assert "<p>Estimate &lt;memory&gt;, per rank.</p>" in page
    assert 'href="../estimate.py" download' in page
    assert staged["skills/my-tool/scripts/estimate.py"] == CODE.encode()


def test_its_tests_are_linked(staged: dict[str, str | bytes]) -> None:
    link = 'href="https://example.org/repo/blob/main/tests/skills/test_my_tool_estimate.py"'
    assert link in str(staged["skills/my-tool/scripts/estimate.md"])


def test_links_lead_to_the_page_of_a_script_and_to_the_repository_otherwise(
    staged: dict[str, str | bytes],
) -> None:
    page = str(staged["skills/my-tool/index.md"])
    assert "[run](scripts/estimate.md)" in page
    assert "[data](https://example.org/repo/blob/main/skills/04-peft/my-tool/assets/sizes.csv)" in page
    assert 'href="scripts/estimate/"' in page, "the panel lists it"
