"""The front page."""

from __future__ import annotations

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.notebook import Notebook
from ai_research_skills.coverage import counts
from hooks import addresses
from hooks.notebook_pages import thumbnail
from hooks.site_content import SiteContent
from hooks.staged import Staged, page
from hooks.templating import fragment


def home_page(content: SiteContent) -> Staged:
    """Stage the front page: what this is, and a way into everything."""
    tree = content.tree
    levels = counts.by_level(content.standings.values())
    html = fragment(
        "home.html",
        addresses.HOME,
        tree=tree,
        categories=counts.by_category(tree.roadmap, tree.skills) if tree.roadmap else (),
        descriptions={c.id: c.description for c in tree.roadmap.categories} if tree.roadmap else {},
        executed=sum(sum(found.values()) for level, found in levels.items() if level >= Level.EXECUTED),
        examples=sum(sum(found.values()) for found in levels.values()),
        path=tree.learning_path,
        featured=[(notebook, thumbnail(notebook)) for notebook in _featured(content)],
        repository=content.repository,
    )
    meta = {
        "title": "AI Research Skills",
        "template": "home.html",
        "hide": ["navigation", "toc"],
        "facets": {"kind": ["index"]},
    }
    return page("index.md", meta, str(html))


def _featured(content: SiteContent) -> list[Notebook]:
    """The first notebook of each family."""
    first: dict[str, Notebook] = {}
    for notebook in content.tree.notebooks:
        first.setdefault(notebook.metadata.family, notebook)
    return list(first.values())
