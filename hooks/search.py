"""The search index, made by Pagefind from the built pages. It fails closed: no index, no site."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ARTICLE = '<article class="md-content__inner md-typeset">'
MARKED = '<article class="md-content__inner md-typeset" data-pagefind-body>'
ASSETS = ("pagefind-component-ui.js", "pagefind-component-ui.css")
COMMAND = (
    *(sys.executable, "-m", "pagefind", "--quiet"),
    *("--exclude-selectors", ".headerlink, .filename, .proof, .md-content__button"),
    *("--include-characters", "._-"),
)
"""Without the excluded parts every heading would end in its permalink; the characters keep identifiers whole."""


class IndexingFailed(Exception):
    """Search would be missing or wrong."""


def marked_for_search(output: str, name: str) -> str:
    """`output` with its article marked as what search reads."""
    if output.count(ARTICLE) != 1:
        raise IndexingFailed(f"{name}: the page has no single {ARTICLE!r} → adapt ARTICLE in hooks/search.py")
    return output.replace(ARTICLE, MARKED)


def build_index(site: Path) -> None:
    """Index every marked page below `site`.

    Raises:
        IndexingFailed: Pagefind failed, or did not index exactly the marked pages.
    """
    marked = sum(MARKED in path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    if not marked:
        raise IndexingFailed(f"no page below {site} is marked → look at marked_for_search in hooks/search.py")
    shutil.rmtree(site / "pagefind", ignore_errors=True)
    result = subprocess.run([*COMMAND, "--site", str(site)], capture_output=True, text=True, check=False)
    if result.returncode:
        raise IndexingFailed(f"Pagefind failed → `uv sync --group docs`\n{result.stdout}{result.stderr}")
    indexed = len(list((site / "pagefind" / "fragment").glob("*.pf_fragment")))
    if indexed != marked:
        raise IndexingFailed(
            f"{marked} pages are marked but {indexed} are in the index → run without --quiet"
        )
    for asset in ASSETS:
        if not (site / "pagefind" / asset).is_file():
            raise IndexingFailed(
                f"Pagefind wrote no {asset} → adapt docs/overrides/partials/search-head.html"
            )
