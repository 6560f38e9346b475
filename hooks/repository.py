"""Reading the repository that a site is built from."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from ai_research_skills.catalog.tree import Tree, load_tree
from hooks.evidence_history import evidence_history
from hooks.git import git_output
from hooks.site_content import SiteContent


@lru_cache(maxsize=1)
def site_content(root: Path, repository: str, site: str) -> SiteContent:
    """The content of the tree at `root`, which must be free of problems.

    Kept for the length of a build; the first event of the next one clears it.

    Raises:
        CatalogError: Something in the tree is wrong; the error lists everything that is.
    """
    return content_of(load_tree(root).checked(), Addresses(repository, site))


@dataclass(frozen=True)
class Addresses:
    """Where the repository and the site live on the web."""

    repository: str
    site: str


def content_of(tree: Tree, web: Addresses) -> SiteContent:
    """`tree` as of its commit, with what git knows of its evidence."""
    return SiteContent(
        tree,
        as_of(tree),
        web.repository.rstrip("/"),
        site=f"{web.site.rstrip('/')}/",
        history=evidence_history(tree.root),
    )


def own_addresses() -> Addresses:
    """Where this repository and its site live; `mkdocs.yml` is the only place that says so."""
    configuration = yaml.safe_load((Path(__file__).parent.parent / "mkdocs.yml").read_text(encoding="utf-8"))
    return Addresses(str(configuration["repo_url"]), str(configuration["site_url"]))


def as_of(tree: Tree) -> dt.date:
    """The day that ages count back from: that of the commit, or of the newest review outside git.

    The clock would make two builds of one commit differ.
    """
    day = (git_output(tree.root, "log", "-1", "--format=%cs") or b"").decode().strip()
    if day:
        return dt.date.fromisoformat(day)
    reviews = [skill.metadata.reviewed for skill in tree.skills if skill.metadata.reviewed]
    return max(reviews, default=dt.date(1970, 1, 1))
