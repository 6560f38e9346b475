"""The only file that knows MkDocs' events; each hands over to plain functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

from hooks.redirects import redirect_maps
from hooks.repository import site_content
from hooks.search import IndexingFailed, build_index, marked_for_search
from hooks.skill_pages import raw_files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the tree afresh, and give the redirects plugin its table."""
    site_content.cache_clear()
    content = site_content(Path(config.config_file_path).parent, config.repo_url or "")
    config.plugins["redirects"].config["redirect_maps"] = redirect_maps(content)
    return config


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Mark the article that search reads."""
    return marked_for_search(output, page.file.src_uri) if _is_indexed(page.meta) else output


def on_post_build(config: MkDocsConfig) -> None:
    """Put the skills' raw files beside their pages, then index what was built."""
    site = Path(config.site_dir)
    content = site_content(Path(config.config_file_path).parent, config.repo_url or "")
    for staged in raw_files(content):
        path = site / staged.path
        path.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(staged.content, bytes)
        path.write_bytes(staged.content)
    try:
        build_index(site)
    except IndexingFailed as error:
        raise PluginError(str(error)) from error


def _is_indexed(meta: Any) -> bool:
    return bool(meta.get("search", True))
