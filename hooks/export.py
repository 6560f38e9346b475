"""The other door: the same files as the build, staged to disk, so that no engine is needed to read them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from ai_research_skills.catalog.tree import load_tree
from hooks.repository import content_of, own_addresses
from hooks.site_content import SiteContent
from hooks.site_pages import site_pages
from hooks.skill_pages import raw_files
from hooks.staged import Staged

NOT_PAGES = ("overrides", "urls.txt", "redirects.yml")


def export(root: Path, folder: Path) -> int:
    """Write the whole site's source into `folder`; returns the number of files.

    Faults of single skills do not stop it: what can be read is staged.
    """
    content = content_of(load_tree(root), own_addresses())
    docs = root / "docs"
    if docs.is_dir():
        shutil.copytree(docs, folder, ignore=shutil.ignore_patterns(*NOT_PAGES), dirs_exist_ok=True)
    for staged in _files(content):
        path = folder / staged.path
        path.parent.mkdir(parents=True, exist_ok=True)
        data = staged.content if isinstance(staged.content, bytes) else staged.content.encode()
        path.write_bytes(data)
    return sum(path.is_file() for path in folder.rglob("*"))


def _files(content: SiteContent) -> Iterator[Staged]:
    yield from site_pages(content)
    yield from raw_files(content)
