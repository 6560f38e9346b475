"""The only file that knows MkDocs' events; each hands over to plain functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from hooks.lean_code import lean_code
from hooks.proofs import page_proofs, with_proofs
from hooks.redirects import redirect_maps, with_aliases
from hooks.repository import site_content
from hooks.search import IndexingFailed, build_index, marked_for_search
from hooks.site_content import SiteContent
from hooks.skill_pages import raw_files


def on_config(config: MkDocsConfig) -> None:
    """Read the tree afresh, so that `serve` equals `build`."""
    site_content.cache_clear()


@event_priority(-90)
def on_files(files: Files, config: MkDocsConfig) -> None:
    """Fill the redirects plugin's table once every page is known; it holds the same dict since its own turn."""
    pages = {file.url if file.url != "./" else "": file.src_uri for file in files.documentation_pages()}
    table = config.plugins["redirects"].config["redirect_maps"]
    table.clear()
    table.update(redirect_maps(_content(config), pages))


def on_pre_page(page: Page, config: MkDocsConfig, files: Files) -> None:
    """Date the sitemap by the commit: the clock would make two builds differ."""
    page.update_date = _content(config).as_of.isoformat()


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Unfold the evidence of each example, and keep the old ids of renamed headings alive."""
    content = _content(config)
    html = with_proofs(lean_code(html), page_proofs(content, page.file.src_uri))
    return with_aliases(html, page.file.url, content.tree.redirects)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Mark the article that search reads."""
    return marked_for_search(output, page.file.src_uri) if _is_indexed(page.meta) else output


def on_post_build(config: MkDocsConfig) -> None:
    """Put the skills' raw files beside their pages, then index what was built."""
    site = Path(config.site_dir)
    for staged in raw_files(_content(config)):
        path = site / staged.path
        path.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(staged.content, bytes)
        path.write_bytes(staged.content)
    try:
        build_index(site)
    except IndexingFailed as error:
        raise PluginError(str(error)) from error


def _content(config: MkDocsConfig) -> SiteContent:
    root = Path(config.config_file_path).parent
    return site_content(root, config.repo_url or "", config.site_url or "")


def _is_indexed(meta: Any) -> bool:
    return bool(meta.get("search", True))
