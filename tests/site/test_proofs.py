"""What was proven of an example is said at the example: to the eye, the keyboard, a screen reader and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ai_research_skills.catalog.tree import load_tree
from hooks.proofs import example_anchors
from tests.site.built import ROOT, Served, Site
from tests.site.conftest import DESKTOP, PHONE

BIGGEST_MARK = 450
"""Bytes of the longest line with all that it unfolds to; pages have dozens."""

AVERAGE_MARK = 350

pytestmark = pytest.mark.site
browser = pytest.mark.browser


def test_every_example_of_every_page_has_its_line_and_no_output_has(site: Site) -> None:
    for skill in load_tree(ROOT).skills:
        for page in skill.pages:
            folder = skill.name if page is skill.body else f"{skill.name}/{page.slug}"
            html = (site.folder / "skills" / folder / "index.html").read_text(encoding="utf-8")
            found = re.findall(
                r'<div id="(example-[0-9a-f-]+)"[^>]*><details class="proof"><summary>\w', html
            )
            assert found == list(example_anchors(page).values()), page.path


def test_the_lines_are_small(site: Site) -> None:
    marks = [
        mark
        for path in sorted((site.folder / "skills").rglob("index.html"))
        for mark in re.findall(r'<details class="proof">.*?</details>', path.read_text(encoding="utf-8"))
    ]
    sizes = [len(mark.encode()) for mark in marks if "At fault" not in mark and "Vouched for" not in mark]
    assert max(sizes) < BIGGEST_MARK
    assert sum(sizes) / len(sizes) < AVERAGE_MARK


def test_the_ids_of_blocks_are_not_promised_for_good() -> None:
    assert "#example-" not in (Path(ROOT) / "docs/urls.txt").read_text(encoding="utf-8")


def test_the_raw_skill_knows_nothing_of_it(site: Site) -> None:
    for skill in load_tree(ROOT).skills:
        raw = (site.folder / "skills" / skill.name / "SKILL.md").read_bytes()
        assert raw == (ROOT / skill.path).read_bytes()


@browser
def test_a_line_unfolds_by_keyboard_and_tells_a_screen_reader_whether_it_is_open(
    page: Page, served: Served, site: Site
) -> None:
    page.goto(served.url(site.of_kind("skill")))
    mark = page.locator("details.proof").first
    summary, text = mark.locator("summary"), mark.locator("p")
    name = summary.inner_text()
    assert re.search(r"(executed|resolved|parsed|checked)", name)
    expect(text).to_be_hidden()
    assert _expanded(page, name) is False
    summary.focus()
    page.keyboard.press("Enter")
    expect(text).to_be_visible()
    assert _expanded(page, name) is True
    page.keyboard.press("Space")
    expect(text).to_be_hidden()


def _expanded(page: Page, name: str) -> bool:
    """Whether the first control that a screen reader calls `name` is told to be open."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    node = next(
        node
        for node in tree["nodes"]
        if node.get("name", {}).get("value") == name
        and any(fact["name"] == "expanded" for fact in node.get("properties", ()))
    )
    return bool(next(fact["value"]["value"] for fact in node["properties"] if fact["name"] == "expanded"))


@browser
def test_it_needs_no_script(visitor: Callable[..., BrowserContext], served: Served, site: Site) -> None:
    page = visitor(java_script_enabled=False).new_page()
    page.goto(served.url(site.of_kind("skill")))
    mark = page.locator("details.proof").first
    mark.locator("summary").click()
    expect(mark.locator("p")).to_be_visible()


@browser
@pytest.mark.parametrize("kind_of_page", ["skill", "reference"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_in_the_lines(
    kind_of_page: str,
    scheme: str,
    viewport: dict[str, int],
    visitor: Callable[..., BrowserContext],
    served: Served,
    site: Site,
    axe: Callable[..., list[dict[str, Any]]],
) -> None:
    page = visitor(color_scheme=scheme, viewport=viewport).new_page()
    page.goto(served.url(site.of_kind(kind_of_page)))
    page.evaluate(
        """() => {
          document.querySelectorAll(".highlight > pre").forEach((code) => code.remove());
          document.querySelectorAll("details.proof").forEach((mark) => (mark.open = true));
          const article = document.querySelector("article");
          article.replaceChildren(article.querySelector("h1"), ...article.querySelectorAll(".highlight"));
        }"""
    )
    assert page.locator("article details.proof").count()
    found = axe(page, {"rules": {"target-size": {"enabled": viewport is PHONE}}})
    assert not [fault for fault in found if fault["impact"] in {"serious", "critical"}]


@browser
def test_on_the_narrowest_phone_a_line_stays_a_line(
    visitor: Callable[..., BrowserContext], served: Served, site: Site
) -> None:
    page = visitor(viewport={"width": 360, "height": 780}).new_page()
    page.goto(served.url(site.of_kind("skill")))
    heights = page.evaluate(
        "[...document.querySelectorAll('details.proof > summary')].map((line) => line.offsetHeight)"
    )
    assert max(heights) < 2 * min(heights), "no line is broken in two"
    assert min(heights) >= 24, "a thumb hits it"
    page.evaluate("document.querySelectorAll('details.proof').forEach((mark) => (mark.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@browser
def test_the_button_that_copies_copies_the_code_alone(
    visitor: Callable[..., BrowserContext], served: Served, site: Site
) -> None:
    page = visitor(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(served.url(site.of_kind("skill")))
    block = page.locator(".highlight", has=page.locator("details.proof")).first
    block.locator("details.proof summary").click()
    block.locator("button[data-md-type=copy]").click()
    expect(page.locator(".md-dialog")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("pre > code").inner_text().strip()


@browser
def test_on_paper_the_line_stands_alone(page: Page, served: Served, site: Site) -> None:
    page.goto(served.url(site.of_kind("skill")))
    page.evaluate("document.querySelectorAll('details.proof').forEach((mark) => (mark.open = true))")
    page.emulate_media(media="print")
    mark = page.locator("details.proof").first
    expect(mark.locator("summary")).to_be_visible()
    expect(mark.locator("p")).to_be_hidden()


@browser
def test_search_does_not_find_the_lines(page: Page, served: Served) -> None:
    page.goto(served.url("search/?q=held+against+no+release"))
    page.locator(".pf-summary").wait_for()
    texts = page.locator(".pf-result").all_inner_texts()
    assert not [text for text in texts if "was held against no release" in text and "Quality" not in text]


@browser
def test_the_slowest_examples_are_one_click_away(page: Page, served: Served) -> None:
    page.goto(served.url("coverage/"))
    page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
    link = page.locator("a[href*='#example-']").first
    link.click()
    page.wait_for_url(re.compile(r"#example-"))
    expect(page.locator(f"[id='{page.url.partition('#')[2]}'] details.proof")).to_be_in_viewport()


@browser
def test_skills_are_found_by_what_is_proven_of_every_example(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    boxes = page.locator('.facets input[name="proven"]')
    counts = {
        box.get_attribute("value"): int(box.locator("xpath=..").locator(".facet__count").text_content() or "")
        for box in boxes.all()
    }
    assert counts
    for value, count in counts.items():
        page.goto(served.url(f"skills/?proven={value}"))
        assert page.locator(".card:visible").count() == count
