"""Everything can be reached and seen without a mouse."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.site.built import Served, Site

pytestmark = [pytest.mark.browser, pytest.mark.site]

KINDS = ["home", "skills", "skill"]

PREPARE = """() => {
  const columns = [".md-content__button", ".md-header", ".md-tabs", ".skill-panel", ".md-sidebar", ".facets", ".md-content", ".md-footer"];
  const units = ".card, .tile, td, th, pre";
  window.nameOf = (node) => `${node.tagName.toLowerCase()} ${(node.getAttribute("aria-label") || node.textContent || node.name || "").trim().replace(/\\s+/g, " ").slice(0, 50)} @${node.dataset.number ?? ""}`;
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((node) => node.tabIndex >= 0);
  stops.forEach((node, index) => (node.dataset.number = index));
  window.interactive = stops.filter((node) => !node.disabled && node.type !== "radio"
    && node.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
  window.placeOf = (node) => {
    const box = (node.closest(units) ?? node).getBoundingClientRect();
    const column = columns.findIndex((selector) => node.closest(selector));
    return { column, top: box.top + scrollY, bottom: box.bottom + scrollY, left: box.left };
  };
}"""
FOCUSED = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const style = getComputedStyle(node);
  const drawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  const box = node.getBoundingClientRect();
  const label = node.matches(".md-option") ? node.nextElementSibling : null;
  return {
    number: node.dataset.number ?? null,
    name: nameOf(node),
    drawn: drawn || style.boxShadow !== "none" || (label !== null && getComputedStyle(label).outlineStyle !== "none"),
    inside: box.bottom > 0 && box.top < innerHeight,
    ...placeOf(node),
  };
}"""


@dataclass(frozen=True)
class Stop:
    """Where the focus stood after one more press of Tab."""

    number: str | None
    name: str
    drawn: bool
    inside: bool
    column: int
    top: float
    bottom: float
    left: float


def _stops(page: Page) -> list[Stop]:
    page.evaluate(PREPARE)
    stops: list[Stop] = []
    for _ in range(1500):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None or (stops and found["number"] == stops[0].number):
            return stops
        stops.append(Stop(**found))
    raise AssertionError("Tab never comes to an end")


@pytest.mark.parametrize("kind_of_page", KINDS)
def test_tab_reaches_everything_in_visual_order_and_shows_where_it_is(
    kind_of_page: str, page: Page, served: Served, site: Site
) -> None:
    page.goto(served.url(site.of_kind(kind_of_page)))
    stops = _stops(page)
    names = page.evaluate("interactive.map((node) => [node.dataset.number, nameOf(node)])")
    reached = {stop.number for stop in stops}
    assert not [name for number, name in names if number not in reached], "out of reach"
    assert not [stop.name for stop in stops if not stop.drawn], "the focus is invisible"
    assert not [stop.name for stop in stops if not stop.inside], "the focus is outside the window"
    jumps = [
        f"{before.name} → {after.name}"
        for before, after in pairwise(stops)
        if before.column == after.column >= 0 and not _follows(before, after)
    ]
    assert not jumps


def _follows(before: Stop, after: Stop) -> bool:
    same_row = after.top < before.bottom - 1
    return (
        after.left >= before.left - 1 or after.top >= before.top - 1 if same_row else after.top > before.top
    )


def test_the_first_stop_skips_to_the_content(address: str, kind: str, page: Page, served: Served) -> None:
    page.goto(served.url(address))
    if kind == "search":
        expect(page.locator("#search-page input")).to_be_focused()
        return
    page.keyboard.press("Tab")
    link = page.locator("a.md-skip")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.wait_for_function("getComputedStyle(document.querySelector('a.md-skip')).opacity === '1'")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(
        "document.activeElement === document.body || !document.activeElement.closest('.md-header, .md-tabs, .md-skip')"
    )


def test_no_element_jumps_the_queue(site: Site) -> None:
    ahead = [
        name for name in site.documents if 'tabindex="1"' in (site.folder / name).read_text(encoding="utf-8")
    ]
    assert not ahead


def test_the_palette_changes_by_keyboard(page: Page, served: Served) -> None:
    """Of a group of radio buttons one is a stop of Tab; the arrows do the rest."""
    page.goto(served.base)
    option = page.locator("input.md-option:focus")
    for _ in range(8):
        page.keyboard.press("Tab")
        if option.count():
            break
    schemes = set()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        schemes.add(page.locator("body").get_attribute("data-md-color-scheme"))
    assert schemes == {"default", "slate"}
