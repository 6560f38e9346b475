"""At about 600 pages: the navigation does not grow, search stays light, and our build costs little more than Material's."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.site.built import Site
from tests.site.measure import PAGES, QUERIES, enlarged, navigation, searched, timed_build, timed_plain_build

pytestmark = [pytest.mark.site, pytest.mark.slow]

RATIO = 2.5
"""Times what plain Material takes. Measured: 2.06; the rest is room for a busy machine."""


@pytest.fixture(scope="module")
def tree(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return enlarged(tmp_path_factory.mktemp("enlarged") / "tree", site)


@pytest.fixture(scope="module")
def large(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, float]:
    built, seconds = timed_build(tmp_path_factory.mktemp("large") / "site", tree)
    assert len(built.addresses) >= PAGES
    return built, seconds


def test_the_navigation_does_not_grow_with_the_library(site: Site, large: tuple[Site, float]) -> None:
    grown = [
        address for address in site.addresses if navigation(site, address) != navigation(large[0], address)
    ]
    assert not grown


@pytest.mark.browser
@pytest.mark.parametrize("query", QUERIES)
def test_search_stays_light(query: str, large: tuple[Site, float], browser: Browser) -> None:
    taken = searched(browser, large[0].folder, query)
    assert taken.load <= 60_000
    assert taken.first_result <= 250_000


def test_the_build_costs_little_more_than_plain_material(
    tree: Path, large: tuple[Site, float], tmp_path: Path
) -> None:
    plain = timed_plain_build(tmp_path / "plain", tree, tmp_path / "staged")
    assert large[1] / plain <= RATIO, f"{large[1]:.1f} s against {plain:.1f} s"
