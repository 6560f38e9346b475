"""Asking the packages of an environment, in an interpreter of their own; what they say is remembered beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from ai_research_skills.checks.releases.environment import Environment, command_memory
from ai_research_skills.checks.resolving import package_probe
from ai_research_skills.checks.resolving.memory import Memory
from ai_research_skills.checks.resolving.sightings import Question
from ai_research_skills.checks.running.isolated import run_inside

TIMEOUT = 300
"""Seconds for all answers; most of them go into importing."""

Ask = Callable[[Sequence[str], Sequence[Question]], Sequence[str]]
"""Given the modules that a page imports and questions, what is answered to each, as `package_probe` says it."""


def asking(python: Callable[[], Path | None]) -> Ask:
    """A way to ask an environment that is made only when there is something to ask; without one, nothing is seen."""

    def ask(modules: Sequence[str], questions: Sequence[Question]) -> Sequence[str]:
        interpreter = python() if questions else None
        if interpreter is None:
            return (package_probe.UNSEEN,) * len(questions)
        return ask_packages(interpreter, modules, questions)

    return ask


def ask_packages(python: Path, modules: Sequence[str], questions: Sequence[Question]) -> tuple[str, ...]:
    """What the packages of `python` answer to each question, as `package_probe` says it."""
    rules = Path(package_probe.__file__).read_text(encoding="utf-8")
    memory = Memory(command_memory(Environment(python, ())), rules)
    asked = {question: _asked(modules, question) for question in questions}
    new = [question for question, full in asked.items() if memory.recall(full) is None]
    if new:
        given = {"modules": list(modules), "questions": [asdict(question) for question in new]}
        found = run_inside(python, package_probe.__file__, given, TIMEOUT)
        if found is None:
            return tuple(memory.recall(asked[question]) or package_probe.UNSEEN for question in questions)
        memory.keep({json.dumps(asked[one]): answer for one, answer in zip(new, found, strict=True)})
    return tuple(memory.recall(asked[question]) or package_probe.UNSEEN for question in questions)


def _asked(modules: Sequence[str], question: Question) -> object:
    """A question with all that its answer depends on.

    A class known by its name alone is one of a loaded module's, and some packages have a name only once another module
    of theirs is loaded.
    """
    package = question.module.partition(".")[0]
    loaded = [one for one in modules if not package or one.partition(".")[0] == package]
    return [asdict(question), sorted(loaded)]
