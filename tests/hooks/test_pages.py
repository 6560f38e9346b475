"""Pages are plain functions from the tree to Markdown; links between them are right by construction."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.tree import load_tree
from hooks import addresses
from hooks.charts import Bar, bar_chart
from hooks.coverage_page import coverage_page
from hooks.evidence_history import Day, History
from hooks.redirects import UnusedAlias, redirect_maps, with_aliases
from hooks.search import MARKED, IndexingFailed, build_index, marked_for_search
from hooks.site_content import SiteContent
from hooks.site_pages import site_pages
from hooks.skill_pages import raw_files
from hooks.staged import Staged
from tests.coverage.made_up_evidence import made_skill, made_tree


@pytest.fixture(scope="module")
def content(repository: Path) -> SiteContent:
    return SiteContent(
        load_tree(repository), dt.date(2026, 11, 21), "https://example.org/repo", "https://example.org/site/"
    )


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


def test_both_doors_stage_the_summary_its_schema_and_a_badge_for_each_skill(
    content: SiteContent, pages: dict[str, Staged]
) -> None:
    summary = json.loads(pages["evidence/summary.json"].content)
    assert [skill["name"] for skill in summary["skills"]] == sorted(content.tree.by_name)
    jsonschema.validate(summary, json.loads(pages["evidence/summary.schema.json"].content))
    for name in content.tree.by_name:
        ElementTree.fromstring(pages[f"badges/{name}.svg"].content)


def test_the_panel_gives_the_badge_with_its_whole_address(
    content: SiteContent, pages: dict[str, Staged]
) -> None:
    assert content.site == "https://example.org/site/"
    panel = str(pages["skills/vllm/index.md"].content)
    assert "(https://example.org/site/badges/vllm.svg)](https://example.org/site/skills/vllm/)" in panel
    assert "../../badges/vllm.svg" in panel


def test_every_example_in_a_list_of_the_coverage_page_is_on_its_page(
    content: SiteContent, pages: dict[str, Staged]
) -> None:
    listed = re.findall(
        r'href="\.\./(skills/[^"#]+)#(example-[0-9a-f-]+)"', str(pages["coverage.md"].content)
    )
    assert listed
    for address, anchor in listed:
        path = f"{address}index.md" if f"{address}index.md" in pages else addresses.page_path(address)
        assert f"#{anchor} title=" in str(pages[path].content)


def test_a_chart_of_one_day_and_a_shallow_history_say_so(content: SiteContent) -> None:
    day = Day(dt.date(2026, 11, 21), dict.fromkeys(Level, 2))
    shallow = dataclasses.replace(content, history=History((day,), is_whole=False))
    page = str(coverage_page(shallow).content)
    assert "The history is known here since 2026-11-21." in page
    assert 'aria-label="Over time. 2026-11-21: 2 executed on GPU' in page
    assert "Over time" not in str(coverage_page(dataclasses.replace(content, history=History())).content)


def test_a_tree_without_evidence_has_its_pages_all_the_same() -> None:
    skill = made_skill("# T\n\n```python\nx = 1\n```\n")
    staged = {
        page.path: str(page.content)
        for page in site_pages(SiteContent(made_tree(skill, None), dt.date(2026, 11, 21), ""))
    }
    assert 'title="not checked yet"' in staged["skills/toolbox/index.md"]
    assert "No evidence recorded yet" in staged["skills/toolbox/index.md"]
    assert "not checked yet" in staged["coverage.md"]
