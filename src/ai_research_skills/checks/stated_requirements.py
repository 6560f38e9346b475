"""What a skill without pins asks for: the requirements in its frontmatter, or those that its pages install."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.resolving.command_lines import CannotSplit, commands
from ai_research_skills.checks.resolving.requirements import asked_requirements
from ai_research_skills.checks.resolving.shell import install_arguments

FIELDS = ("dependencies", "packages", "requirements")
"""Where other libraries' frontmatter names what a skill needs."""


def stated_requirements(skill: Skill) -> tuple[str, ...]:
    """One requirement for each distribution that `skill` asks for, without extras and upper bounds.

    The newest release is what a reader would install today, so only the lower bounds of its author are kept.
    """
    stated = [*_in_frontmatter(skill)] or [*_installed(skill)]
    found: dict[str, Requirement] = {}
    for text in stated:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if not requirement.url:
            found.setdefault(canonicalize_name(requirement.name), requirement)
    return tuple(_loosened(name, requirement) for name, requirement in sorted(found.items()))


def _loosened(name: str, requirement: Requirement) -> str:
    bounds = [str(one) for one in requirement.specifier if one.operator in {">=", ">"}]
    return f"{name}{','.join(sorted(bounds))}"


def _in_frontmatter(skill: Skill) -> Iterator[str]:
    metadata = skill.fields.get("metadata")
    places = [skill.fields, metadata if isinstance(metadata, dict) else {}]
    for place in places:
        for field in FIELDS:
            yield from _words(place.get(field))


def _words(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _installed(skill: Skill) -> Iterator[str]:
    for page in skill.pages:
        for example in page_examples(page):
            if example.language not in {"bash", "sh"}:
                continue
            try:
                found = commands(example.source)
            except CannotSplit:
                continue
            for command in found:
                yield from asked_requirements(install_arguments(command.words) or ())
