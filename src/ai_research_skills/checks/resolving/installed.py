"""Asking the packages of an environment, in an interpreter of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ai_research_skills.checks.resolving import package_probe
from ai_research_skills.checks.resolving.sightings import Question
from ai_research_skills.checks.running.isolated import run_inside

TIMEOUT = 300
"""Seconds for all answers; most of them go into importing."""


def ask_packages(python: Path, modules: Sequence[str], questions: Sequence[Question]) -> tuple[str, ...]:
    """What the packages of `python` answer to each question, as `package_probe` says it."""
    if not questions:
        return ()
    asked = {"modules": list(modules), "questions": [asdict(question) for question in questions]}
    answers = run_inside(python, package_probe.__file__, asked, TIMEOUT)
    return tuple(answers) if answers is not None else (package_probe.UNSEEN,) * len(questions)
