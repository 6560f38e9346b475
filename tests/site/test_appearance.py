"""Both palettes and both widths."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.site.built import Served, Site
from tests.site.conftest import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.site]

SCHEMES = {"light": "default", "dark": "slate"}
LUMINANCE = """colour => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  paint.fillStyle = colour;
  paint.fillRect(0, 0, 1, 1);
  const parts = [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
  const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}"""


def _style(page: Page, selector: str, name: str) -> str:
    return str(
        page.locator(selector).first.evaluate(
            "(node, name) => getComputedStyle(node).getPropertyValue(name)", name
        )
    )


def _luminance(page: Page, selector: str, name: str) -> float:
    return float(page.evaluate(LUMINANCE, _style(page, selector, name)))


def _contrast(page: Page, one: tuple[str, str], other: tuple[str, str]) -> float:
    low, high = sorted([_luminance(page, *one), _luminance(page, *other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_page_scrolls_sideways(
    address: str, viewport: dict[str, int], visitor: Callable[..., BrowserContext], served: Served
) -> None:
    page = visitor(viewport=viewport).new_page()
    page.goto(served.url(address))
    page.evaluate("document.querySelectorAll('details').forEach(node => (node.open = true))")
    wide = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return [];
          return [...document.querySelectorAll("body *")]
            .filter((node) => node.getBoundingClientRect().right > width + 1 && node.checkVisibility())
            .map((node) => `${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 60)}`);
        }"""
    )
    assert not wide, wide[:20]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_follows_the_system(
    scheme: str, visitor: Callable[..., BrowserContext], served: Served
) -> None:
    page = visitor(color_scheme=scheme).new_page()
    page.goto(served.base)
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", SCHEMES[scheme])
    _looks(page, scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_toggle_beats_the_system_and_is_remembered(
    scheme: str, visitor: Callable[..., BrowserContext], served: Served
) -> None:
    other = "dark" if scheme == "light" else "light"
    page = visitor(color_scheme=other).new_page()
    page.goto(served.base)
    for _ in range(3):
        if page.locator("body").get_attribute("data-md-color-scheme") == SCHEMES[scheme]:
            break
        page.locator("[data-md-component=palette] label:visible").click()
    _looks(page, scheme)
    page.goto(served.url("skills/"))
    _looks(page, scheme)
    page.keyboard.press("/")
    dialog = page.locator("pagefind-modal dialog[open]")
    expect(dialog).to_be_visible()
    _dialog_looks(page, scheme)
    page.keyboard.press("Escape")


def test_an_open_dialog_changes_with_the_system(
    visitor: Callable[..., BrowserContext], served: Served
) -> None:
    page = visitor(color_scheme="light").new_page()
    page.goto(served.base)
    page.keyboard.press("/")
    expect(page.locator("pagefind-modal dialog[open]")).to_be_visible()
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        _dialog_looks(page, scheme)


def _looks(page: Page, scheme: str) -> None:
    dark = _luminance(page, "body", "background-color") < 0.2
    assert dark == (scheme == "dark")
    assert _contrast(page, (".md-header .site-logo", "fill"), (".md-header", "background-color")) >= 3
    assert _contrast(page, ("h1", "color"), ("body", "background-color")) >= 7


def _dialog_looks(page: Page, scheme: str) -> None:
    page.wait_for_function(
        f"""dark => ({LUMINANCE})(getComputedStyle(document.querySelector(".pf-modal")).backgroundColor) < 0.2 === dark""",
        arg=scheme == "dark",
    )
    assert _contrast(page, (".pf-input", "color"), (".pf-modal", "background-color")) >= 7


def test_on_a_phone_the_panel_is_on_the_page(
    visitor: Callable[..., BrowserContext], served: Served, site: Site
) -> None:
    page = visitor(viewport=PHONE).new_page()
    page.goto(served.url(site.of_kind("skill")))
    panel = page.locator(".skill-panel")
    expect(panel).to_be_visible()
    for title in ("References", "Pins", "Proof", "Facts"):
        expect(panel.get_by_role("heading", name=title, exact=True)).to_be_visible()
    box = panel.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("where", ["home", "skill", "gallery", "not found"])
def test_on_a_phone_the_drawer_leads_to_every_room(
    where: str, visitor: Callable[..., BrowserContext], served: Served, site: Site
) -> None:
    page = visitor(viewport=PHONE).new_page()
    page.goto(served.url(site.of_kind(where)))
    page.locator("label[for=__drawer].md-header__button").click()
    drawer = page.locator(".md-sidebar--primary")
    for name in ("Skills", "Notebooks", "Learning path", "Library plan", "Coverage"):
        expect(drawer.get_by_role("link", name=name, exact=True)).to_be_visible()
    drawer.get_by_role("link", name="Coverage", exact=True).click()
    page.wait_for_url(served.url("coverage/"))


def test_on_a_phone_everything_can_be_hit_with_a_thumb(
    address: str,
    visitor: Callable[..., BrowserContext],
    served: Served,
    axe: Callable[..., list[dict[str, Any]]],
) -> None:
    """WCAG 2.2's 24 pixels, or as much room around."""
    page = visitor(viewport=PHONE, has_touch=True).new_page()
    page.goto(served.url(address))
    found = axe(page, {"runOnly": ["target-size"], "rules": {"target-size": {"enabled": True}}})
    assert not found, json.dumps(found, indent=1)[:3000]
