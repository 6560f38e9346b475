"""What changed between two releases in what a skill uses, said in sentences.

This explains; it does not decide. Whether an example breaks is found by holding it against the newer release.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import griffe

from ai_research_skills.checks.drift.release_sources import PackageSources
from ai_research_skills.checks.drift.used_symbols import Place, UsedSymbols, first_places

BUDGET = 60.0
"""Seconds for one skill; what is not compared by then is left out, and said to be."""

_Kind = griffe.BreakageKind


@dataclass(frozen=True)
class Change:
    """One change to something that the examples use, and the first places that do.

    Attributes:
        is_break: Whether it ends what worked; a new default only changes it.
    """

    symbol: str
    sentence: str
    places: tuple[Place, ...]
    is_break: bool = True


@dataclass(frozen=True)
class Changes:
    """What was found.

    Attributes:
        unseen: Names whose definition is not in the files.
        late: Names that were left out since time was up.
    """

    found: tuple[Change, ...] = ()
    unseen: tuple[str, ...] = ()
    late: tuple[str, ...] = ()


def breaking_changes(
    used: UsedSymbols,
    before: Sequence[Path],
    after: Sequence[Path],
    packages: Sequence[str],
    budget: float = BUDGET,
) -> Changes:
    """Compare everything used of `packages`, import names, between two sets of sources within `budget` seconds."""
    end = time.monotonic() + budget
    found: dict[tuple[str, str], Change] = {}
    unseen: list[str] = []
    late: list[str] = []
    for package in packages:
        old, new = PackageSources(before, package), PackageSources(after, package)
        names = [name for name in sorted(used.names) if name.partition(".")[0] == package and name != package]
        for name in names if old.exists and new.exists else ():
            if time.monotonic() > end:
                late.append(name)
                continue
            compared = _compare(name, used, old, new)
            if compared is None:
                unseen.append(name)
            for change in compared or ():
                found.setdefault((change.symbol, change.sentence), change)
    return Changes(tuple(found.values()), tuple(unseen), tuple(late))


def _compare(name: str, used: UsedSymbols, old: PackageSources, new: PackageSources) -> list[Change] | None:
    """The changes to one name, or None if they cannot be seen."""
    was, now = old.find(name), new.find(name)
    if was is None:
        return None
    places = used.names[name]
    if now is None:
        removed = Change(name, f"`{name}` was removed", first_places(places))
        return [removed] if new.lacks(name) else None
    keywords = {keyword: where for (called, keyword), where in used.keywords.items() if called == name}
    return [
        Change(name, sentence, first_places(keywords.get(parameter, places)), is_break)
        for parameter, sentence, is_break in _sentences(name, was, now, set(keywords))
    ]


def _held(name: str, found: griffe.Object) -> griffe.Module:
    """The thing by itself, under its public name, with the `__init__` that a dataclass is given."""
    owner, _, last = name.rpartition(".")
    module = griffe.Module(owner)
    module.members[last] = found
    found.parent = module
    if isinstance(found, griffe.Class):
        griffe.DataclassesExtension().on_package(pkg=module)
        initialiser = found.members.get("__init__")
        found.members = {"__init__": initialiser} if initialiser else {}
    return module


def _takes_anything(found: griffe.Module) -> bool:
    """Whether it says nothing of its arguments: `*args, **kwargs` are passed on to somebody else."""
    members = [one for held in found.members.values() for one in (held, *held.members.values())]
    return any(
        parameter.kind is griffe.ParameterKind.var_keyword
        for one in members
        if isinstance(one, griffe.Function)
        for parameter in one.parameters
    )


def _sentences(
    name: str, was: griffe.Object, now: griffe.Object, keywords: set[str]
) -> Iterator[tuple[str, str, bool]]:
    """Each change that a user of `name` with these keywords meets: the parameter, a sentence, whether it breaks."""
    before, after = _held(name, was), _held(name, now)
    is_open = _takes_anything(before)
    for breakage in griffe.find_breaking_changes(before, after):
        kind, old, new = breakage.kind, breakage.old_value, breakage.new_value
        if kind is _Kind.OBJECT_CHANGED_KIND:
            yield "", f"`{name}` was a {_word(old)} and is a {_word(new)}", True
        elif kind is _Kind.PARAMETER_ADDED_REQUIRED and not is_open and new.name not in keywords:
            yield new.name, f"`{name}`: parameter `{new.name}` is new and must be given", True
        elif kind is _Kind.PARAMETER_CHANGED_DEFAULT and old.name not in keywords:
            yield (
                old.name,
                f"`{name}`: the default of `{old.name}` was `{_short(old.default)}` and is `{_short(new.default)}`",
                False,
            )
        elif kind is _Kind.PARAMETER_REMOVED and old.name in keywords:
            yield old.name, f"`{name}`: parameter `{old.name}` was removed", True
        elif kind is _Kind.PARAMETER_CHANGED_REQUIRED and old.name not in keywords:
            yield old.name, f"`{name}`: parameter `{old.name}` must be given now", True
        elif kind is _Kind.PARAMETER_CHANGED_KIND and old.name in keywords:
            yield old.name, f"`{name}`: parameter `{old.name}` is {_word(new.kind)} now", True


def _word(kind: object) -> str:
    return str(getattr(kind, "value", kind))


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
