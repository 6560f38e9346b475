"""The drift of one skill: its pins, its examples and its projects, held against what the registry has today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from packaging.utils import canonicalize_name

from ai_research_skills.catalog.skill import Pin, Skill
from ai_research_skills.checks.drift.audit import Vulnerabilities
from ai_research_skills.checks.drift.breaking_changes import Change, Changes, breaking_changes
from ai_research_skills.checks.drift.held_examples import (
    Break,
    CannotHold,
    ResolvedAt,
    Resolver,
    breaks,
)
from ai_research_skills.checks.drift.hygiene import (
    Concern,
    command_names,
    install_requirements,
    pin_concerns,
    requirement_concerns,
)
from ai_research_skills.checks.drift.memory import NoAnswer
from ai_research_skills.checks.drift.newer_releases import Row, Together, pins_to_try, row, wishes
from ai_research_skills.checks.drift.registry import Distribution, Registry
from ai_research_skills.checks.drift.used_symbols import UsedSymbols, used_symbols
from ai_research_skills.checks.releases.interpreter import THIS_PYTHON


@dataclass(frozen=True)
class Sources:
    """Everybody who is asked, and what is known of the vulnerabilities of all pins."""

    registry: Registry
    together: Together
    resolver: Resolver
    vulnerabilities: Vulnerabilities


@dataclass(frozen=True)
class Unknown:
    """A question that nobody answered, and the names for which it is open."""

    question: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class SkillDrift:
    """What was found about one skill.

    Attributes:
        tried: The pins that the examples were held against: the newest that go together.
        held: How many examples reached which level at `tried`; None if they were not held against anything.
        breaks: What holds at the pins and does not at `tried`, or perhaps does not.
        unheld: Why examples could not be held against `tried`.
        unknown: What nobody answered.
    """

    skill: Skill
    rows: tuple[Row, ...]
    tried: tuple[Pin, ...] = ()
    held: Mapping[str, int] | None = None
    breaks: tuple[Break, ...] = ()
    unheld: str = ""
    changes: Changes = field(default_factory=Changes)
    concerns: tuple[Concern, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def moves(self) -> tuple[tuple[Pin, Pin], ...]:
        """The pins that could be raised, old and new."""
        pins = (one.pin for one in self.rows)
        return tuple((old, new) for old, new in zip(pins, self.tried, strict=False) if old != new)

    @property
    def count_broken(self) -> int:
        """How many uses would break for certain."""
        return sum(one.is_certain for one in self.breaks)

    @property
    def count_doubtful(self) -> int:
        """How many uses, and changes to what is used, may break something."""
        return len(self.breaks) - self.count_broken + len(self.untold_changes)

    @property
    def untold_changes(self) -> tuple[Change, ...]:
        """The changes that end what worked, without those of which a use is known to suffer."""
        told = {one.symbol for one in self.breaks}
        return tuple(one for one in self.changes.found if one.is_break and one.symbol not in told)

    @property
    def is_repinnable(self) -> bool:
        """Whether raising the pins would break no example, as far as can be seen without running them."""
        return bool(self.moves) and self.held is not None and not self.count_broken + self.count_doubtful

    @property
    def is_outdated(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.moves or self.breaks) or any(not one.is_doubt for one in self.concerns)

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "skill": self.skill.name,
            "outdated": self.is_outdated,
            "repinnable": self.is_repinnable,
            "pins": [
                {
                    "pin": str(one.pin),
                    "newest": one.newest,
                    "together": one.together,
                    "released": str(one.released) if one.released else None,
                    "days_behind": one.behind,
                    "step": one.step.value,
                    "outdated": one.is_outdated,
                    "held_back": one.is_held_back,
                }
                for one in self.rows
            ],
            "tried": [str(pin) for pin in self.tried],
            "levels": dict(self.held) if self.held is not None else None,
            "unheld": self.unheld,
            "breaks": [_json(one) for one in self.breaks],
            "changes": [_json(one) for one in self.changes.found],
            "not_compared": {"unseen": list(self.changes.unseen), "late": list(self.changes.late)},
            "concerns": [_json(one) for one in self.concerns],
            "unknown": [_json(one) for one in self.unknown],
        }


def names_to_ask(skill: Skill) -> Iterator[tuple[str, str]]:
    """Every distribution that a skill names, with the Python that it is held against."""
    for name in [pin.distribution for pin in skill.metadata.packages] + [
        asked.distribution for asked in install_requirements(skill)
    ]:
        yield name, python_of(skill)


def python_of(skill: Skill) -> str:
    """The Python that the examples of a skill are held against, such as `3.11`."""
    return skill.metadata.python or THIS_PYTHON


def skill_drift(skill: Skill, sources: Sources) -> SkillDrift:
    """Ask everything about one skill."""
    python, pins = python_of(skill), skill.metadata.packages
    known = {name: sources.registry.distribution(name, version) for name, version in names_to_ask(skill)}
    together = _together(wishes(pins, known), python, sources)
    tried = pins_to_try(pins, known, together)
    rows = tuple(row(pin, known[pin.distribution], new.version) for pin, new in zip(pins, tried, strict=True))
    moves = tuple((old, new) for old, new in zip(pins, tried, strict=True) if old != new)
    before, unheld = _held(skill, pins, sources) if moves else (None, "")
    after, unheld_after = _held(skill, tried, sources) if before else (None, "")
    lock: set[str] = {
        canonicalize_name(one.partition("==")[0]) for one in (*(together or ()), *_lock(before))
    }
    changes = _changes(used_symbols(skill), before, after, moves) if before and after else Changes()
    return SkillDrift(
        skill=skill,
        rows=rows,
        tried=tried,
        held=after.level_counts if after else None,
        breaks=_confirmed(breaks(before, after, moves), changes) if before and after else (),
        unheld=unheld or unheld_after,
        changes=changes,
        concerns=tuple(_concerns(skill, known, python, lock, sources.vulnerabilities)),
        unknown=(*_unsettled(rows, together), *_unknown(pins, known, sources.vulnerabilities)),
    )


def _confirmed(found: Iterable[Break], changes: Changes) -> tuple[Break, ...]:
    """What nobody could tell is certain where the sources of the releases say that it was taken away."""
    ended = {one.symbol for one in changes.found if one.is_break}
    return tuple(replace(one, is_certain=one.is_certain or one.symbol in ended) for one in found)


def _together(requirements: Sequence[str], python: str, sources: Sources) -> tuple[str, ...] | None:
    if not requirements:
        return None
    question = f"the newest {', '.join(requirements)} that go together on Python {python}"
    try:
        found = sources.registry.memory.answer(question, lambda: sources.together(requirements, python))
    except NoAnswer:
        return None
    return tuple(map(str, found)) if found is not None else None


def _held(skill: Skill, pins: tuple[Pin, ...], sources: Sources) -> tuple[ResolvedAt | None, str]:
    try:
        return sources.resolver(skill, pins), ""
    except CannotHold as error:
        return None, str(error)


def _lock(held: ResolvedAt | None) -> tuple[str, ...]:
    return held.lock if held else ()


def _changes(
    used: UsedSymbols, before: ResolvedAt, after: ResolvedAt, moves: Iterable[tuple[Pin, Pin]]
) -> Changes:
    """The changes in the packages of the pins that move: those that are called like them, and their parts."""
    roots = {name.partition(".")[0] for name in used.names}
    moved = {old.distribution for old, _ in moves}
    packages = [root for root in sorted(roots) if _belongs(canonicalize_name(root), moved)]
    return breaking_changes(used, before.sources, after.sources, packages)


def _belongs(root: str, distributions: Iterable[str]) -> bool:
    return any(name == root or name.startswith(f"{root}-") for name in distributions)


def _unsettled(rows: Sequence[Row], together: Sequence[str] | None) -> Iterator[Unknown]:
    newer = tuple(f"{one.pin.distribution}=={one.newest}" for one in rows if one.is_held_back)
    if newer and together is None:
        yield Unknown("whether it goes together with the other pins: uv found no answer", newer)


def _unknown(
    pins: Sequence[Pin], known: Mapping[str, Distribution], vulnerabilities: Vulnerabilities
) -> Iterator[Unknown]:
    """What is open, each question once; it is no fault of the skill."""
    found = list(known.values())
    there = [one for one in found if one.exists]
    questions = {
        "anything: the registry did not answer": [one.name for one in found if one.exists is None],
        "whose project it is: the index has no page about it": [one.name for one in there if not one.page],
        "whether it is archived: the index tells no status": [
            one.name for one in there if not one.listing or not one.listing.status
        ],
        "whether it has a known vulnerability: nobody who knows answered": [
            str(pin) for pin in pins if pin not in vulnerabilities
        ],
    }
    return (Unknown(question, tuple(names)) for question, names in questions.items() if names)


def _concerns(
    skill: Skill,
    known: Mapping[str, Distribution],
    python: str,
    lock: set[str],
    vulnerabilities: Vulnerabilities,
) -> Iterator[Concern]:
    pins = skill.metadata.packages
    for pin in pins:
        yield from pin_concerns(skill, pin, known[pin.distribution], python, lock, vulnerabilities.get(pin))
    seen = {pin.distribution for pin in pins}
    roots = {name.partition(".")[0] for name in used_symbols(skill).names}
    used = {canonicalize_name(name) for name in roots.union(command_names(skill))}
    for asked in install_requirements(skill):
        if asked.distribution not in seen:
            seen.add(asked.distribution)
            yield from requirement_concerns(skill, asked, known[asked.distribution], lock, used)


def _json(value: Any) -> Any:
    """The fields of a record, with paths and places as text."""
    fields = asdict(value)
    if "path" in fields:
        fields["path"] = value.path.as_posix()
    if "places" in fields:
        fields["places"] = [f"{path.as_posix()}:{line}" for path, line in value.places]
    return fields
