"""A sample of the records that rotates with the commit: small enough to be derived again every time."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ai_research_skills.catalog.evidence import SkillEvidence, fresh_findings
from ai_research_skills.catalog.notebook import Notebook
from ai_research_skills.catalog.notebook_record import Device
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.tree import Tree
from ai_research_skills.checks.bench import python_of
from ai_research_skills.checks.releases.interpreter import find_interpreter


def commit_seed(root: Path) -> str:
    """What the sample rotates with: the commit, or nothing outside git."""
    command = ["git", "rev-parse", "HEAD"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return result.stdout.strip()


def sampled(tree: Tree, seed: str, *, skills: int, seconds: float) -> dict[Skill, tuple[Page, ...]]:
    """Pages of so many skills, chosen by `seed`, whose examples once ran in about so many seconds in all.

    At least one page of each chosen skill is among them, whatever it takes. Skills for a version of Python that this
    machine lacks are never chosen, since here nothing could be derived for them.
    """
    able = filter(_has_its_python, tree.skills)
    chosen = sorted(able, key=lambda skill: _place(seed, skill.name))[:skills]
    return {skill: _pages(skill, tree.evidence.get(skill.name), seed, seconds / skills) for skill in chosen}


def sampled_notebooks(
    notebooks: Sequence[Notebook], seed: str, *, cpu_seconds: float
) -> tuple[Notebook, ...]:
    """Those without a fresh CPU record, and proven ones, chosen by `seed`, that once took so long in all.

    At least one proven notebook is among them, whatever it takes.
    """
    proven = [(book, record) for book in notebooks if (record := book.record(Device.CPU))]
    chosen = [book for book in notebooks if not book.record(Device.CPU)]
    spent = 0.0
    for place, (book, record) in enumerate(sorted(proven, key=lambda pair: _place(seed, pair[0].address))):
        cost = record.provenance.cpu_seconds
        if not place or spent + cost <= cpu_seconds:
            chosen.append(book)
            spent += cost
    return tuple(chosen)


def _has_its_python(skill: Skill) -> bool:
    return find_interpreter(python_of(skill)) is not None


def _pages(skill: Skill, record: SkillEvidence | None, seed: str, seconds: float) -> tuple[Page, ...]:
    costs = _costs(skill, record)
    order: Sequence[Page] = sorted(skill.pages, key=lambda page: _place(seed, page.path.as_posix()))
    pages: list[Page] = []
    spent = 0.0
    for page in order:
        cost = costs.get(page.path, 0.0)
        if not pages or spent + cost <= seconds:
            pages.append(page)
            spent += cost
    return tuple(pages)


def _costs(skill: Skill, record: SkillEvidence | None) -> dict[Path, float]:
    """Seconds that the examples of each page took."""
    costs: dict[Path, float] = {}
    for example, finding in fresh_findings(skill, record).items():
        costs[example.path] = costs.get(example.path, 0.0) + (finding.seconds or 0.0)
    return costs


def _place(seed: str, name: str) -> str:
    return hashlib.sha256(f"{seed}\0{name}".encode()).hexdigest()
