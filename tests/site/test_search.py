"""Search finds identifiers whole, narrows by facets, follows the address and needs no mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.site.built import Served, Site
from tests.site.conftest import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.site]

IDENTIFIERS = {
    "prepare_model_for_kbit_training": "huggingface-peft",
    "LoraConfig": "huggingface-peft",
    "max_num_batched_tokens": "vllm",
    "IndexRefineSearchParameters": "faiss",
    "flash_attn_varlen_func": "flash-attention",
    "GRPOTrainer": "grpo-rl-training",
    "assistant_only_loss": "trl-fine-tuning",
    "TransformerConfig": "megatron-core",
    "fully_shard": "pytorch-fsdp",
    "train_new_from_iterator": "huggingface-tokenizers",
}
QUERY = "quantization"

OPENERS: dict[str, Callable[[Page], None]] = {
    "slash": lambda page: page.keyboard.press("/"),
    "Ctrl+K": lambda page: page.keyboard.press("Control+k"),
    "button": lambda page: page.locator(".md-header [data-search-open]").click(),
    "button by keyboard": lambda page: page.locator(".md-header [data-search-open]").press("Enter"),
}


def _opened(page: Page) -> Locator:
    dialog = page.locator("pagefind-modal dialog[open]")
    expect(dialog.locator("input")).to_be_focused()
    return dialog


def _links(scope: Locator | Page, base: str) -> list[str]:
    """Addresses of the results, in order, once there are any."""
    links = scope.locator(".pf-result-link")
    expect(links.first).to_be_visible()
    page = scope.page if isinstance(scope, Locator) else scope
    found: list[str] = []
    for _ in range(20):
        before, found = found, links.evaluate_all("nodes => nodes.map((node) => node.href)")
        if found and before == found:
            break
        page.wait_for_timeout(250)
    return [link.removeprefix(base) for link in found]


@pytest.mark.parametrize("opener", OPENERS)
def test_dialog_opens_and_finds(opener: str, page: Page, served: Served, site: Site) -> None:
    page.goto(served.url(site.of_kind("reference")))
    OPENERS[opener](page)
    dialog = _opened(page)
    expect(dialog.locator("input")).to_have_count(1)
    expect(dialog.locator(".pf-modal-close")).to_have_count(1)
    page.keyboard.type("max_num_batched_tokens")
    assert _links(dialog, served.base)[0].startswith("skills/vllm/")


@pytest.mark.parametrize(("identifier", "skill"), IDENTIFIERS.items())
def test_an_identifier_leads_to_its_skill(
    identifier: str, skill: str, page: Page, served: Served, site: Site
) -> None:
    page.goto(served.base)
    page.keyboard.press("/")
    dialog = _opened(page)
    page.keyboard.type(identifier)
    assert _links(dialog, served.base)[0].startswith(f"skills/{skill}/")
    marked = dialog.locator("mark").all_inner_texts()
    assert any(identifier in text for text in marked), f"the identifier is cut into pieces: {marked[:9]}"


def test_results_come_while_typing_and_nothing_is_typed_into_the_page(page: Page, served: Served) -> None:
    page.goto(served.url("skills/"))
    page.locator(".facets input").first.focus()
    page.keyboard.press("Control+k")
    dialog = _opened(page)
    page.keyboard.type("lo/ra")
    expect(dialog.locator("input")).to_have_value("lo/ra")


def test_filters_narrow_the_results_and_say_how_many(page: Page, served: Served) -> None:
    page.goto(served.base)
    page.keyboard.press("/")
    dialog = _opened(page)
    page.keyboard.type(QUERY)
    _links(dialog, served.base)
    before = _count(dialog)
    dialog.locator("pagefind-filter-dropdown[filter=kind] .pf-dropdown-trigger").click()
    option = dialog.get_by_role("option", name=re.compile(r"^skill, \d+ results?"))
    promised = int(option.locator(".pf-dropdown-option-count").inner_text())
    assert 0 < promised < before
    option.click()
    expect(dialog.locator("pagefind-summary")).to_contain_text(f"{promised} result")
    page.keyboard.press("Escape")
    expect(dialog.locator(".pf-dropdown-menu:visible")).to_have_count(0)
    expect(dialog).to_be_visible()
    assert all(re.fullmatch(r"skills/[^/]+/", link) for link in _links(dialog, served.base))


def test_values_of_a_filter_stand_in_the_same_order_as_the_alphabet(page: Page, served: Served) -> None:
    page.goto(served.url(f"search/?q={QUERY}"))
    _links(page, served.base)
    page.locator("pagefind-filter-dropdown[filter=tag] .pf-dropdown-trigger").click()
    values = page.locator("pagefind-filter-dropdown[filter=tag] .pf-dropdown-option-label").all_inner_texts()
    assert values == sorted(values)


def test_escape_closes_and_gives_the_focus_back(page: Page, served: Served) -> None:
    page.goto(served.base)
    trigger = page.locator(".md-header [data-search-open]")
    trigger.focus()
    page.keyboard.press("Enter")
    _opened(page)
    page.keyboard.press("Escape")
    expect(page.locator("pagefind-modal dialog[open]")).to_have_count(0)
    expect(trigger).to_be_focused()
    page.keyboard.press("/")
    _opened(page)


def test_dialog_needs_only_the_keyboard(page: Page, served: Served) -> None:
    page.goto(served.base)
    page.keyboard.press("/")
    dialog = _opened(page)
    page.keyboard.type("flash_attn_varlen_func")
    first = _links(dialog, served.base)[0]
    page.keyboard.press("ArrowDown")
    expect(dialog.locator(".pf-result-link").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.startswith(served.url(first)))


def test_dialog_leads_to_the_same_results_as_a_page(page: Page, served: Served) -> None:
    page.goto(served.base)
    page.keyboard.press("/")
    dialog = _opened(page)
    page.keyboard.type(QUERY)
    found = _links(dialog, served.base)
    dialog.get_by_role("link", name="Open as a page").click()
    page.wait_for_url(f"**/search/?q={QUERY}")
    assert _links(page.locator("#search-page"), served.base)[:3] == found[:3]


def test_results_page_shows_what_its_address_says(page: Page, served: Served) -> None:
    page.goto(served.url(f"search/?q={QUERY}&kind=skill"))
    assert all(re.fullmatch(r"skills/[^/]+/", link) for link in _links(page, served.base))
    expect(page.locator("#search-page input")).to_have_value(QUERY)
    badge = page.locator("pagefind-filter-dropdown[filter=kind] .pf-dropdown-selected-badge")
    expect(badge).to_have_text("1")


def test_changing_the_query_changes_the_address(page: Page, served: Served) -> None:
    page.goto(served.url(f"search/?q={QUERY}&kind=skill"))
    _links(page, served.base)
    page.locator("#search-page input").fill("attention")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == {"q": ["attention"], "kind": ["skill"]})
    expect(page.locator("pagefind-summary")).to_contain_text("for attention")
    found = _links(page, served.base)
    page.reload()
    assert _links(page, served.base)[:3] == found[:3]


def test_the_search_on_the_home_page_works_without_the_dialog(page: Page, served: Served) -> None:
    page.goto(served.base)
    page.locator("#hero-search").fill("IndexRefineSearchParameters")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=IndexRefineSearchParameters")
    assert _links(page, served.base)[0].startswith("skills/faiss/")


def test_nothing_of_search_is_fetched_before_somebody_searches(
    visitor: Callable[..., BrowserContext], served: Served
) -> None:
    page = visitor().new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(served.base, wait_until="networkidle")
    assert not [url for url in fetched if "/pagefind/" in url]


def test_search_from_the_page_that_is_not_found(page: Page, served: Served) -> None:
    page.goto(served.url("no/such/page/"))
    page.keyboard.press("/")
    dialog = _opened(page)
    page.keyboard.type("IndexRefineSearchParameters")
    first = _links(dialog, served.base)[0]
    assert first.startswith("skills/faiss/")
    link = dialog.get_by_role("link", name="Open as a page")
    assert link.evaluate("node => node.href").startswith(served.url("search/?q=IndexRefineSearchParameters"))


def test_without_javascript_the_search_link_leads_to_every_skill(
    visitor: Callable[..., BrowserContext], served: Served
) -> None:
    page = visitor(java_script_enabled=False).new_page()
    page.goto(served.url("skills/vllm/"))
    page.locator(".md-header a.site-search").click()
    page.locator("#search-page a").click()
    assert page.url == served.url("skills/")


def _count(scope: Locator) -> int:
    found = re.search(r"(\d+) results?", scope.locator("pagefind-summary").inner_text())
    assert found
    return int(found[1])


def test_on_a_phone_a_list_of_values_stays_on_the_screen(
    visitor: Callable[..., BrowserContext], served: Served
) -> None:
    page = visitor(viewport=PHONE).new_page()
    page.goto(served.base)
    page.keyboard.press("/")
    dialog = _opened(page)
    page.keyboard.type(QUERY)
    _links(dialog, served.base)
    for trigger in dialog.locator(".pf-dropdown-trigger").all():
        trigger.click()
        box = dialog.locator(".pf-dropdown-menu:visible").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
        page.keyboard.press("Escape")
