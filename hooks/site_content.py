"""What every page is made from: the tree, what is computed about it, and where the repository lives."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ai_research_skills.catalog.learning_path import Block
from ai_research_skills.catalog.notebook import Notebook
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.tree import Tree
from ai_research_skills.coverage.standing import Standing, standings
from hooks import addresses
from hooks.evidence_history import History


@dataclass(frozen=True)
class SiteContent:
    """The input of every page function.

    Attributes:
        as_of: The day that ages are counted from: that of the commit, so that two builds are the same.
        repository: Web address of the repository, without a slash at the end.
        site: Web address of the site, with a slash at the end, for what is used elsewhere.
        history: How the evidence grew.
        branch: Branch that "edit" and "open in" links point to.
    """

    tree: Tree
    as_of: dt.date
    repository: str
    site: str = "/"
    history: History = field(default_factory=History)
    branch: str = "main"

    @cached_property
    def standings(self) -> dict[str, Standing]:
        return standings(self.tree, self.as_of)

    @cached_property
    def pages_by_path(self) -> Mapping[str, tuple[Skill, Page]]:
        """The pages of all skills by the path under which they are staged."""
        found: dict[str, tuple[Skill, Page]] = {}
        for skill in self.tree.skills:
            found[addresses.skill_path(skill.name)] = skill, skill.body
            for reference in skill.references:
                address = addresses.reference(skill.name, reference.slug)
                found[addresses.page_path(address)] = skill, reference
        return found

    @cached_property
    def blocks_by_skill(self) -> Mapping[str, list[Block]]:
        """The learning path's blocks that use a skill."""
        found: dict[str, list[Block]] = defaultdict(list)
        for block in self.tree.learning_path.blocks if self.tree.learning_path else ():
            for name in block.skills:
                found[name].append(block)
        return found

    @cached_property
    def notebooks_by_skill(self) -> Mapping[str, list[Notebook]]:
        found: dict[str, list[Notebook]] = defaultdict(list)
        for notebook in self.tree.notebooks:
            for name in notebook.metadata.skills:
                found[name].append(notebook)
        return found

    def related(self, skill: Skill, count: int = 5) -> tuple[Skill, ...]:
        """The skills that share most tags with `skill`, its category breaking ties."""
        tags = set(skill.metadata.tags)

        def nearness(other: Skill) -> tuple[int, int, str]:
            shared = len(tags & set(other.metadata.tags))
            return (-shared, other.category != skill.category, other.name)

        near = [
            other
            for other in self.tree.skills
            if other.name != skill.name
            and (tags & set(other.metadata.tags) or other.category == skill.category)
        ]
        return tuple(sorted(near, key=nearness)[:count])

    def blob(self, path: object) -> str:
        """Web address of a file of the repository."""
        return f"{self.repository}/blob/{self.branch}/{path}"
