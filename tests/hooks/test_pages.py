"""Pages are plain functions from the tree to Markdown; links between them are right by construction."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ai_research_skills.catalog.tree import load_tree
from hooks import addresses
from hooks.charts import Bar, bar_chart
from hooks.redirects import UnusedAlias, redirect_maps, with_aliases
from hooks.search import MARKED, IndexingFailed, build_index, marked_for_search
from hooks.site_content import SiteContent
from hooks.site_pages import site_pages
from hooks.skill_pages import raw_files
from hooks.staged import Staged


@pytest.fixture(scope="module")
def content(repository: Path) -> SiteContent:
    return SiteContent(load_tree(repository), dt.date(2026, 11, 21), "https://example.org/repo")


@pytest.fixture(scope="module")
def pages(content: SiteContent) -> dict[str, Staged]:
    staged = list(site_pages(content))
    by_path = {page.path: page for page in staged}
    assert len(by_path) == len(staged), "two pages have the same path"
    return by_path


@pytest.mark.parametrize(
    ("here", "there", "link"),
    [
        ("", "skills/", "skills/"),
        ("skills/", "", "../"),
        ("skills/", "skills/vllm/", "vllm/"),
        ("skills/vllm/", "skills/vllm/", "./"),
        ("skills/vllm/", "skills/vllm/#a", "#a"),
        ("skills/vllm/api/", "roadmaps/library/#vllm", "../../../roadmaps/library/#vllm"),
        ("skills/vllm/", "evidence/skills/vllm.json", "../../evidence/skills/vllm.json"),
        ("coverage/", "skills/?tier=gold", "../skills/?tier=gold"),
    ],
)
def test_relative_links(here: str, there: str, link: str) -> None:
    assert addresses.relative(here, there) == link


def test_every_skill_reference_notebook_and_category_has_its_page(
    content: SiteContent, pages: dict[str, Staged]
) -> None:
    for skill in content.tree.skills:
        assert f"skills/{skill.name}/index.md" in pages
        for reference in skill.references:
            assert f"skills/{skill.name}/{reference.slug}.md" in pages
    for notebook in content.tree.notebooks:
        assert f"notebooks/{notebook.address}.md" in pages
    assert content.tree.roadmap
    for category in content.tree.roadmap.categories:
        assert f"categories/{category.slug}.md" in pages


def test_no_address_holds_a_category_number(pages: dict[str, Staged]) -> None:
    assert not [path for path in pages if any(part[:2].isdigit() and "-" in part for part in path.split("/"))]


def test_every_page_says_what_it_is(pages: dict[str, Staged]) -> None:
    for path, page in pages.items():
        if path.endswith(".md") and path != "index.md":
            assert isinstance(page.content, str)
            assert "\ndescription: " in page.content, path


def test_the_learning_path_links_to_skills_and_back(pages: dict[str, Staged]) -> None:
    path = str(pages["roadmaps/frontier-ai.md"].content)
    assert 'href="../../skills/vllm/"' in path
    assert 'id="kv-cache-and-attention-optimization"' in path
    assert "../../roadmaps/frontier-ai/#weeks-15-16" in str(pages["skills/vllm/index.md"].content)


def test_planned_skills_are_shown_with_a_way_to_claim_them(pages: dict[str, Staged]) -> None:
    plan = str(pages["roadmaps/library.md"].content)
    assert 'id="sglang"' in plan
    assert "issues/new?template=skill-request.yml" in plan
    assert "name=sglang" in plan


def test_raw_files_are_the_repository_s_bytes(content: SiteContent) -> None:
    raw = {staged.path: staged.content for staged in raw_files(content)}
    skill = content.tree.by_name["vllm"]
    assert raw["skills/vllm/SKILL.md"] == (content.tree.root / skill.path).read_bytes()
    assert raw == {staged.path: staged.content for staged in raw_files(content)}, "archives are reproducible"


def test_redirects_lead_from_short_and_other_names(content: SiteContent, pages: dict[str, Staged]) -> None:
    known = {
        path.removesuffix("index.md") if path.endswith("index.md") else path.removesuffix(".md") + "/": path
        for path in pages
        if path.endswith(".md")
    }
    maps = redirect_maps(content, known)
    assert maps["s/vllm.md"] == "skills/vllm/index.md"
    assert maps["s/trl.md"] == maps["skills/trl.md"] == "skills/trl-fine-tuning/index.md"
    assert not set(maps) & set(maps.values()), "one hop only"


def test_an_alias_keeps_the_old_id_of_a_heading() -> None:
    table = {"/p/#old": "/p/#new", "/q/#x": "/q/#y"}
    assert with_aliases('<h2 id="new">T</h2>', "p/", table) == '<a id="old"></a><h2 id="new">T</h2>'
    with pytest.raises(UnusedAlias, match="no heading there has that id"):
        with_aliases("<h2 id='other'>T</h2>", "p/", table)


def test_charts_escape_and_describe_themselves() -> None:
    svg = str(bar_chart("A & B", [Bar("<x>", 1, 2, "1 of 2")]))
    assert "<x>" not in svg
    assert 'aria-label="A &amp; B. &lt;x&gt;: 1 of 2"' in svg


def test_search_fails_closed(tmp_path: Path) -> None:
    with pytest.raises(IndexingFailed, match="no single"):
        marked_for_search("<article>", "x.md")
    with pytest.raises(IndexingFailed, match="is marked"):
        build_index(tmp_path)


def test_search_indexes_exactly_the_marked_pages(tmp_path: Path) -> None:
    page = f"<html lang=en><head><title>T</title></head><body>{MARKED}word</article></body></html>"
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "other.html").write_text(page.replace(" data-pagefind-body", ""))
    build_index(tmp_path)
    assert (tmp_path / "pagefind" / "pagefind-component-ui.js").is_file()
