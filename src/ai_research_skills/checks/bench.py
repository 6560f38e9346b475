"""The releases of one skill, as checks need them: read at once, installed only when something must run."""

from __future__ import annotations

from functools import cached_property
from threading import Lock

from ai_research_skills.catalog.evidence import SkillEvidence
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.releases.closure import Closure, closure
from ai_research_skills.checks.releases.environment import Environment, NoEnvironment, environment_of
from ai_research_skills.checks.releases.static_tree import StaticTree, static_tree

DEFAULT_PYTHON = "3.11"
"""The oldest Python that the project itself supports; a skill names another under `metadata.python`."""


class Bench:
    """What the examples of one skill are held against.

    Attributes:
        closure: The pinned releases with all that they depend on.
    """

    def __init__(self, closure: Closure) -> None:
        self.closure = closure
        self._making = Lock()

    @cached_property
    def tree(self) -> StaticTree:
        """The Python files of the releases, fetched and stripped; nothing of them is run."""
        return static_tree(self.closure)

    @property
    def environment(self) -> Environment | None:
        """The releases, installed; None if that cannot be done here: `refusal` then says why."""
        with self._making:
            return self._installed[0]

    @property
    def refusal(self) -> str:
        """Why there is no environment, or nothing."""
        with self._making:
            return self._installed[1]

    @cached_property
    def _installed(self) -> tuple[Environment | None, str]:
        try:
            return environment_of(self.closure), ""
        except NoEnvironment as error:
            return None, str(error)


def bench_of(skill: Skill, record: SkillEvidence | None) -> Bench:
    """The bench of `skill`: the releases of its record as long as that has the same pins, else those of today.

    Raises:
        NoClosure: The pins do not resolve together, or the index does not answer.
    """
    pins = skill.metadata.packages
    is_known = record is not None and record.pins == tuple(map(str, pins))
    python = skill.metadata.python or DEFAULT_PYTHON
    return Bench(closure(pins, python, lock=record.lock if record and is_known else ()))
