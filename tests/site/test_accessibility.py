"""axe-core finds nothing serious, in either palette, with everything unfolded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.site.built import Served
from tests.site.conftest import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.site]

Axe = Callable[..., list[dict[str, Any]]]
UNFOLD = """() => {
  document.querySelectorAll("details").forEach((node) => (node.open = true));
  const seen = {};
  for (const token of document.querySelectorAll("pre code span[class]"))
    if ((seen[token.className] = (seen[token.className] ?? 0) + 1) > 5 && !token.querySelector("*")) token.remove();
}"""
"""Unfold everything; of each colour in code the first five words are looked at, not the thousandth."""
COLOURS = ["color-contrast", "link-in-text-block"]


VISITORS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "light": ({"color_scheme": "light"}, {}),
    "dark": ({"color_scheme": "dark"}, {"runOnly": COLOURS}),
    "phone": ({"viewport": PHONE}, {"rules": {rule: {"enabled": False} for rule in COLOURS}}),
}
"""Every rule in light; in dark those that a palette can break, on a phone those that it cannot."""


@pytest.mark.parametrize("who", VISITORS)
def test_no_serious_barrier(
    address: str, who: str, visitor: Callable[..., BrowserContext], served: Served, axe: Axe
) -> None:
    context, options = VISITORS[who]
    page = visitor(**context).new_page()
    page.goto(served.url(address))
    page.evaluate(UNFOLD)
    _clean(axe(page, options))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_serious_barrier_in_the_search_dialog(
    scheme: str, viewport: dict[str, int], visitor: Callable[..., BrowserContext], served: Served, axe: Axe
) -> None:
    page = visitor(color_scheme=scheme, viewport=viewport).new_page()
    page.goto(served.base)
    page.keyboard.press("Control+k")
    page.locator("input.pf-input").wait_for()
    page.keyboard.type("attention")
    expect(page.locator(".pf-result-link").first).to_be_visible()
    page.locator(".pf-dropdown-trigger").first.click()
    _clean(axe(page))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_barrier_on_a_page_of_results(
    scheme: str, visitor: Callable[..., BrowserContext], served: Served, axe: Axe
) -> None:
    page: Page = visitor(color_scheme=scheme).new_page()
    page.goto(served.url("search/?q=attention&kind=skill"))
    expect(page.locator(".pf-result-link").first).to_be_visible()
    _clean(axe(page))


def _clean(found: list[dict[str, Any]]) -> None:
    serious = [fault for fault in found if fault["impact"] in {"serious", "critical"}]
    assert not serious, json.dumps(serious, indent=1)[:6000]
