"""The list of addresses only grows, and a broken promise is named."""

from __future__ import annotations

from pathlib import Path

from ai_research_skills.checks.addresses import (
    broken_promises,
    new_addresses,
    page_anchors,
    promise,
    published,
    site_addresses,
)


def write_site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "skills" / "x").mkdir(parents=True)
    (site / "index.html").write_text("<nav><h2 id='nav'></h2></nav><article><h1 id='top'>A</h1></article>")
    (site / "skills" / "x" / "index.html").write_text("<article><h2 id='a'>A</h2><p id='no'></p></article>")
    (site / "404.html").write_text("<article><h1 id='lost'></h1></article>")
    return site


def test_pages_and_headings_of_the_article_are_addresses(tmp_path: Path) -> None:
    assert site_addresses(write_site(tmp_path)) == ("/", "/#top", "/skills/x/", "/skills/x/#a")


def test_anchors_are_read_in_order() -> None:
    assert page_anchors("<article><h2 id=b></h2><li id=a></li></article>") == ("b", "a")


def test_promising_adds_and_never_takes_away(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert promise(tmp_path, ["/b/", "/a/"]) == 2
    assert promise(tmp_path, ["/c/"]) == 1
    assert published(tmp_path) == ("/a/", "/b/", "/c/")


def test_a_broken_promise_names_its_line_and_the_mend() -> None:
    (problem,) = broken_promises(["/a/", "/b/#x"], ["/a/"])
    assert problem.line == 2
    assert "/b/#x no longer answers" in problem.message
    assert "docs/redirects.yml" in problem.mend
    assert new_addresses(["/a/"], ["/a/", "/new/"]) == ("/new/",)


def test_a_heading_of_a_page_that_moved_answers_on_the_new_page() -> None:
    promised = ["/old/", "/old/#kept", "/old/#lost"]
    answering = ["/old/", "/new/", "/new/#kept"]
    (problem,) = broken_promises(promised, answering, {"/old/": "/new/"})
    assert problem.line == 3
    assert len(broken_promises(promised, answering)) == 2
