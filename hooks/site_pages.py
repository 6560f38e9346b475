"""Every generated file of the site, in order. Both doors, the build and the export, stage exactly these."""

from __future__ import annotations

from collections.abc import Iterator

from hooks.catalogue_pages import catalogue_pages
from hooks.contributing_page import SOURCE, contributing_page
from hooks.coverage_page import coverage_page
from hooks.evidence_files import evidence_files
from hooks.home_page import home_page
from hooks.learning_path_page import learning_path_page
from hooks.library_page import library_page
from hooks.notebook_pages import notebook_pages
from hooks.site_content import SiteContent
from hooks.skill_pages import skill_pages
from hooks.staged import Staged


def site_pages(content: SiteContent) -> Iterator[Staged]:
    """Stage the whole site but its hand-written pages and the skills' raw files."""
    yield home_page(content)
    yield from catalogue_pages(content)
    yield from skill_pages(content)
    yield from notebook_pages(content)
    yield coverage_page(content)
    yield from evidence_files(content)
    if content.tree.roadmap:
        yield library_page(content, content.tree.roadmap)
    if (content.tree.root / SOURCE).is_file():
        yield contributing_page(content)
    if content.tree.learning_path:
        yield learning_path_page(content, content.tree.learning_path)
