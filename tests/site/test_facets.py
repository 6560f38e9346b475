"""The catalogue's facets: tick boxes, counts and the address say the same."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.site.built import Served

pytestmark = [pytest.mark.browser, pytest.mark.site]


def _box(page: Page, facet: str, value: str) -> Locator:
    return page.locator(f'.facets input[name="{facet}"][value="{value}"]')


def _shown(page: Page) -> int:
    return page.locator(".card:visible").count()


def _promised(box: Locator) -> int:
    return int(box.locator("xpath=..").locator(".facet__count").text_content() or "")


def _query(page: Page) -> dict[str, list[str]]:
    return parse_qs(str(page.evaluate("location.search.slice(1)")))


def test_ticking_narrows_counts_and_writes_the_address(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    every = _shown(page)
    assert every == int(page.locator("[data-count]").inner_text())
    written = _box(page, "status", "written")
    promised = _promised(written)
    written.check()
    expect(page.locator("[data-count]")).to_have_text(str(promised))
    assert _shown(page) == promised < every
    assert _query(page) == {"status": ["written"]}


def test_within_a_facet_any_between_facets_all(page: Page, served: Served) -> None:
    page.goto(served.url("skills/?status=written"))
    cpu, cuda = _box(page, "hardware", "cpu"), _box(page, "hardware", "cuda")
    cpu.check()
    only_cpu = _shown(page)
    cuda.check()
    assert _shown(page) >= max(only_cpu, _promised(cuda))
    _box(page, "status", "written").uncheck()
    _box(page, "status", "planned").check()
    assert _shown(page) == 0
    assert _query(page) == {"status": ["planned"], "hardware": ["cpu", "cuda"]}


def test_the_address_restores_the_selection(page: Page, served: Served) -> None:
    page.goto(served.url("skills/?status=written&tag=quantization"))
    expect(_box(page, "status", "written")).to_be_checked()
    tag = _box(page, "tag", "quantization")
    expect(tag).to_be_checked()
    expect(tag).to_be_visible()
    assert 0 < _shown(page) == int(page.locator("[data-count]").inner_text())


def test_clear_shows_everything_again(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    every = _shown(page)
    page.goto(served.url("skills/?status=written&hardware=cuda"))
    page.get_by_role("button", name="Clear").click()
    assert _shown(page) == every
    assert _query(page) == {}
    expect(page.locator(".facets input:checked")).to_have_count(0)


def test_the_back_button_brings_the_selection_back(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    _box(page, "status", "written").check()
    count = _shown(page)
    page.locator(".card--written:visible a").first.click()
    page.wait_for_url(re.compile(r"/skills/[^/?]+/$"))
    page.go_back()
    expect(_box(page, "status", "written")).to_be_checked()
    assert _shown(page) == count
    page.go_back()
    assert not page.url.startswith(served.url("skills/")), "ticking does not fill the history"


def test_values_that_would_find_nothing_are_dimmed(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    _box(page, "status", "planned").check()
    for box in page.locator(".facets input").all():
        label = box.locator("xpath=..")
        dimmed = "facet--empty" in (label.get_attribute("class") or "")
        assert dimmed == (_promised(box) == 0 and not box.is_checked())
    assert page.locator(".facet--empty").count()


def test_facets_need_only_the_keyboard(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    _box(page, "status", "planned").focus()
    page.keyboard.press("Tab")
    expect(_box(page, "status", "written")).to_be_focused()
    page.keyboard.press("Space")
    assert _query(page) == {"status": ["written"]}
    page.locator(".facets summary", has_text="Category").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert set(_query(page)) == {"status", "category"}
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Enter")
    assert _query(page) == {}


def test_the_number_of_results_is_announced(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"\d+ of \d+ skills"))
