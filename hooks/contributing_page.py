"""CONTRIBUTING.md on the site: the file that people find in the repository, rendered once more."""

from __future__ import annotations

from pathlib import Path

from hooks.site_content import SiteContent
from hooks.staged import Staged, page

SOURCE = Path("CONTRIBUTING.md")


def contributing_page(content: SiteContent) -> Staged:
    """Stage the guide as it stands in the repository."""
    meta = {
        "title": "Contributing",
        "description": "How to write a skill, change a roadmap or record a notebook, and what is checked.",
        "facets": {"kind": ["guide"]},
    }
    return page("contributing.md", meta, (content.tree.root / SOURCE).read_text(encoding="utf-8"), SOURCE)
