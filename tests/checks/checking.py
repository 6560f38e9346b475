"""Checking a tree of one skill against an environment that is there already."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.catalog.tree import load_tree
from ai_research_skills.checks.releases.environment import Environment
from ai_research_skills.checks.tree_check import SkillCheck, check_tree

TODAY = dt.date(2026, 11, 21)


@dataclass(frozen=True)
class InstalledBench:
    """An environment that is read where it is installed."""

    environment: Environment
    python: str = "3.11"
    lock: tuple[str, ...] = ("toolbox==1.0",)
    absent: tuple[Pin, ...] = ()
    refusal: str = ""

    @property
    def prefix(self) -> Path:
        return self.environment.python.parent.parent

    @property
    def sources(self) -> tuple[Path, ...]:
        return self.environment.sources


def check_one(root: Path, environment: Environment, level: Level = Level.EXECUTED) -> SkillCheck:
    """Check all of the only skill below `root`."""
    tree = load_tree(root)
    (skill,) = tree.skills
    bench = InstalledBench(environment)
    (found,) = check_tree(tree, {skill: skill.pages}, level, TODAY, bench=lambda *_: bench)
    return found
