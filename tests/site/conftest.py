"""One build, one server and one browser for all tests of the site.

They are closed with the package and not with the session: while Playwright holds its event loop, no notebook can run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.site.built import KINDS, Served, Site, build, serve

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, built once."""
    built = build(tmp_path_factory.mktemp("built") / "site")
    if not (built.folder / "sitemap.xml").is_file():
        pytest.exit(f"the site could not be built:\n{built.log[-4000:]}", returncode=1)
    return built


@pytest.fixture(scope="package")
def served(site: Site) -> Iterator[Served]:
    with serve(site.folder) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    found = shutil.which("chromium")
    if not found:
        pytest.fail("these tests look at the site in Chromium → apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield launched
        launched.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes a visitor with an empty cache; by default one at a desk who has not chosen a palette."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        made.append(browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **options}))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def page(visitor: Callable[..., BrowserContext]) -> Page:
    """A page of a visitor at a desk."""
    return visitor().new_page()


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of page."""
    return str(request.param)


@pytest.fixture
def address(kind: str, site: Site) -> str:
    """The longest page of each kind."""
    return site.of_kind(kind)


@pytest.fixture(scope="package")
def axe() -> Callable[..., list[dict[str, Any]]]:
    """Runs axe-core, which a package of the test group brings along, and returns what it finds."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")

    def run(page: Page, options: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        page.evaluate(source)
        found = page.evaluate(
            "options => axe.run(document, options)", {"resultTypes": ["violations"], **(options or {})}
        )
        return [
            {
                "rule": fault["id"],
                "impact": fault["impact"],
                "help": fault["help"],
                "nodes": [
                    f"{node['html'][:160]} {node['any'][:1] and node['any'][0]['message']}"
                    for node in fault["nodes"][:6]
                ],
                "count": len(fault["nodes"]),
            }
            for fault in found["violations"]
        ]

    return run
