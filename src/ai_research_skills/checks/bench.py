"""The releases of one skill, as checks need them: read at once, installed only when something must run."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Protocol

from ai_research_skills.catalog.evidence import SkillEvidence
from ai_research_skills.catalog.skill import Pin, Skill
from ai_research_skills.checks.releases.artifacts import Report
from ai_research_skills.checks.releases.closure import Closure, closure
from ai_research_skills.checks.releases.environment import Environment, NoEnvironment, environment_of
from ai_research_skills.checks.releases.static_tree import StaticTree, static_tree

DEFAULT_PYTHON = "3.11"
"""The oldest Python that the project itself supports; a skill names another under `metadata.python`."""


class Bench(Protocol):
    """What the examples of one skill are held against."""

    @property
    def python(self) -> str:
        """Version of Python, such as `3.11`."""

    @property
    def lock(self) -> tuple[str, ...]:
        """Every release, dependencies included, as `name==version`."""

    @property
    def absent(self) -> tuple[Pin, ...]:
        """The releases that have no wheel: their source is read and never installed."""

    @property
    def prefix(self) -> Path:
        """What a type checker takes for the environment."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """Folders with packages that `prefix` does not hold."""

    @property
    def environment(self) -> Environment | None:
        """The releases, installed; None if that cannot be done here, and `refusal` says why."""

    @property
    def refusal(self) -> str:
        """Why there is no environment, or nothing."""


class ReleasesBench:
    """The releases of a closure: fetched when something is read, installed when something must run.

    Attributes:
        installs: Whether they may be installed: the packages of somebody else's library are only read.
        report: Told how far the fetching is.
    """

    sources: tuple[Path, ...] = ()

    def __init__(self, closure: Closure, *, installs: bool = True, report: Report | None = None) -> None:
        self.closure = closure
        self.installs = installs
        self.report = report
        self._reading, self._installing = Lock(), Lock()

    @property
    def python(self) -> str:
        return self.closure.python

    @property
    def lock(self) -> tuple[str, ...]:
        return self.closure.lock

    @property
    def absent(self) -> tuple[Pin, ...]:
        return self.closure.absent

    @property
    def prefix(self) -> Path:
        with self._reading:
            return self._tree.prefix

    @property
    def texts(self) -> Path:
        """The same packages with their whole text, side by side as in `site-packages`."""
        with self._reading:
            return self._tree.sources

    @property
    def environment(self) -> Environment | None:
        with self._installing:
            return self._installed[0]

    @property
    def refusal(self) -> str:
        with self._installing:
            return self._installed[1]

    @cached_property
    def _tree(self) -> StaticTree:
        return static_tree(self.closure, self.report)

    @cached_property
    def _installed(self) -> tuple[Environment | None, str]:
        if not self.installs:
            return None, "its releases are read and not installed"
        try:
            return environment_of(self.closure), ""
        except NoEnvironment as error:
            return None, str(error)


def python_of(skill: Skill) -> str:
    """The Python that the examples of a skill are proven with, such as `3.11`."""
    return skill.metadata.python or DEFAULT_PYTHON


def bench_of(
    skill: Skill, record: SkillEvidence | None = None, report: Report | None = None
) -> ReleasesBench:
    """The bench of `skill`: the releases of its record as long as that has the same pins, else those of today.

    Raises:
        NoClosure: The pins do not resolve together, or the registry does not answer.
    """
    pins, python = skill.metadata.packages, python_of(skill)
    is_of_these = record is not None and record.pins == tuple(map(str, pins))
    lock = record.lock if record and is_of_these else ()
    return ReleasesBench(closure(pins, python, lock=lock), report=report)
