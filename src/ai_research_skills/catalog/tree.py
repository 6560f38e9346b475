"""Everything that people wrote below one root, read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ai_research_skills.catalog.drift_record import DriftRecord, load_drift
from ai_research_skills.catalog.evidence import SkillEvidence, load_evidence
from ai_research_skills.catalog.learning_path import LEARNING_PATH_FILE, LearningPath, load_learning_path
from ai_research_skills.catalog.library_roadmap import LIBRARY_FILE, LibraryRoadmap, load_library_roadmap
from ai_research_skills.catalog.notebook import Notebook, load_notebooks
from ai_research_skills.catalog.problem import CatalogError, Problem
from ai_research_skills.catalog.redirects import load_redirects
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.tags import load_tags
from ai_research_skills.catalog.waivers import Waiver, load_waivers


@dataclass(frozen=True)
class Tree:
    """The skills, plans, notebooks and evidence of one root, and every fault found in them.

    A tree that is only a skills library has neither roadmap nor learning path.
    """

    root: Path
    skills: tuple[Skill, ...]
    roadmap: LibraryRoadmap | None
    learning_path: LearningPath | None
    notebooks: tuple[Notebook, ...]
    evidence: dict[str, SkillEvidence]
    waivers: tuple[Waiver, ...]
    tags: dict[str, str]
    redirects: dict[str, str]
    problems: tuple[Problem, ...]
    drift: DriftRecord | None = None

    @cached_property
    def by_name(self) -> dict[str, Skill]:
        return {skill.name: skill for skill in self.skills}

    def checked(self) -> Tree:
        """This tree, or a CatalogError that lists all its problems."""
        if self.problems:
            raise CatalogError(self.problems)
        return self


def load_tree(root: Path) -> Tree:
    """Read `root`; never raises for what a file holds."""
    shelf = load_skills(root)
    roadmap, roadmap_problems = load_library_roadmap(root) if (root / LIBRARY_FILE).exists() else (None, ())
    names = [plan.name for plan in roadmap.skills] if roadmap else None
    learning_path, path_problems = (
        load_learning_path(root, skills=names) if (root / LEARNING_PATH_FILE).exists() else (None, ())
    )
    notebooks, notebook_problems = load_notebooks(root)
    evidence, evidence_problems = load_evidence(root)
    drift, drift_problems = load_drift(root)
    waivers, waiver_problems = load_waivers(root, [skill.name for skill in shelf.skills])
    tags, tag_problems = load_tags(root)
    redirects, redirect_problems = load_redirects(root)
    unknown = _unknown_notebooks(learning_path, notebooks) if learning_path else ()
    problems = (
        *shelf.problems,
        *roadmap_problems,
        *path_problems,
        *notebook_problems,
        *evidence_problems,
        *drift_problems,
        *waiver_problems,
        *tag_problems,
        *redirect_problems,
        *unknown,
    )
    return Tree(
        root=root,
        skills=shelf.skills,
        roadmap=roadmap,
        learning_path=learning_path,
        notebooks=notebooks,
        evidence=evidence,
        waivers=waivers,
        tags=tags,
        redirects=redirects,
        problems=tuple(sorted(problems)),
        drift=drift,
    )


def _unknown_notebooks(path: LearningPath, notebooks: Iterable[Notebook]) -> Iterator[Problem]:
    known = {notebook.address for notebook in notebooks}
    for block in path.blocks:
        for address in block.notebooks:
            if address not in known:
                message = f"{block.id}: names the unknown notebook {address!r}"
                yield Problem(LEARNING_PATH_FILE, 0, message, "correct it, or add the notebook")
