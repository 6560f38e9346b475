"""Reading the repository that a site is built from."""

from __future__ import annotations

import datetime as dt
import subprocess
from functools import lru_cache
from pathlib import Path

import yaml

from ai_research_skills.catalog.tree import Tree, load_tree
from hooks.site_content import SiteContent


@lru_cache(maxsize=1)
def site_content(root: Path, repository: str) -> SiteContent:
    """The content of the tree at `root`, which must be free of problems.

    Kept for the length of a build; the first event of the next one clears it.

    Raises:
        CatalogError: Something in the tree is wrong; the error lists everything that is.
    """
    tree = load_tree(root).checked()
    return SiteContent(tree, as_of(tree), repository.rstrip("/"))


def repository_address() -> str:
    """Where this site's repository lives; `mkdocs.yml` is the only place that says so."""
    configuration = yaml.safe_load((Path(__file__).parent.parent / "mkdocs.yml").read_text(encoding="utf-8"))
    return str(configuration["repo_url"]).rstrip("/")


def as_of(tree: Tree) -> dt.date:
    """The day that ages count back from: that of the commit, or of the newest review outside git.

    The clock would make two builds of one commit differ.
    """
    command = ["git", "log", "-1", "--format=%cs"]
    result = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    if result.returncode == 0 and result.stdout.strip():
        return dt.date.fromisoformat(result.stdout.strip())
    reviews = [skill.metadata.reviewed for skill in tree.skills if skill.metadata.reviewed]
    return max(reviews, default=dt.date(1970, 1, 1))
