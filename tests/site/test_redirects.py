"""Old and short addresses: one hop, and the anchor comes along."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page

from tests.site.built import SITE_URL, Served, Site

pytestmark = pytest.mark.site


def _stubs(site: Site) -> dict[str, str]:
    """From each redirect's file to the file that it leads to."""
    found = {}
    for path, document in site.documents.items():
        if document.refresh is not None:
            target = site.file(urljoin(SITE_URL + path.removesuffix("index.html"), document.refresh))
            found[path] = target or ""
    return found


def test_every_redirect_is_one_hop_from_a_page(site: Site) -> None:
    stubs = _stubs(site)
    assert stubs
    assert not {path: target for path, target in stubs.items() if not target or target in stubs}


def test_every_skill_has_a_short_address(site: Site) -> None:
    stubs = _stubs(site)
    skills = {path.parent.name for path in site.folder.glob("skills/*/SKILL.md")}
    assert skills
    for name in skills:
        assert stubs[f"s/{name}/index.html"] == f"skills/{name}/index.html"


def test_redirects_keep_search_engines_on_the_page(site: Site) -> None:
    for path in _stubs(site):
        text = (site.folder / path).read_text(encoding="utf-8")
        assert 'rel="canonical"' in text, path


@pytest.mark.browser
def test_a_short_address_leads_to_the_skill_and_keeps_the_anchor(page: Page, served: Served) -> None:
    page.goto(served.url("s/vllm/"))
    page.wait_for_url(served.url("skills/vllm/"))
    page.goto(served.url("s/vllm/#install"))
    page.wait_for_url(served.url("skills/vllm/#install"))
    assert page.locator("#install").count() == 1


@pytest.mark.browser
def test_an_alias_leads_to_the_skill_and_back_leaves(page: Page, served: Served, site: Site) -> None:
    aliases = [
        path
        for path, target in _stubs(site).items()
        if path.startswith("skills/") and path != target and path.count("/") == 2
    ]
    assert aliases, "no skill that is written has an alias"
    page.goto(served.base)
    page.goto(served.url(f"{aliases[0].removesuffix('index.html')}#install"))
    target = _stubs(site)[aliases[0]].removesuffix("index.html")
    page.wait_for_url(served.url(f"{target}#install"))
    page.go_back()
    assert page.url == served.base
