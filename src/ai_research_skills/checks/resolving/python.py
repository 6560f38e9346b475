"""Level 2 of the evidence ladder: what an example uses exists in the pinned releases.

There are three verdicts. The engine sees a thing, or it denies it, or it cannot see. What it denies or cannot see
is asked of the installed packages; what nobody can answer is left open and is never called resolved.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.resolving.installed import ask_packages
from ai_research_skills.checks.resolving.package_probe import EXISTS, MISSING
from ai_research_skills.checks.resolving.programs import Program
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.sightings import Question, Sight, Sighting, Use
from ai_research_skills.checks.resolving.survey import Place, survey
from ai_research_skills.checks.resolving.type_engine import diagnose

PASSES = 4
"""How often a program is put to the engine again with what the last time has shown."""


@dataclass(frozen=True)
class Releases:
    """What examples are held against: an interpreter with packages, and sources of those it cannot hold."""

    python: Path
    sources: tuple[Path, ...] = ()


@dataclass
class _Case:
    """One program on its way through the engine."""

    program: Program
    wanted: Callable[[int], bool]
    types: dict[int, Mapping[str, str]]
    told: dict[int, dict[str, str | None]]
    loosened: frozenset[Place] = frozenset()
    sighting: Sighting | None = None


Types = Mapping[Example, Mapping[str, str]]
"""For an example: names that running the page had given a value before it, and `module:class` of each."""


def resolve(
    programs: Sequence[Program], wanted: Collection[Example], releases: Releases, types: Types
) -> tuple[Remark, ...]:
    """Everything that keeps the `wanted` examples from being resolved; no remark, all is verified."""
    cases = [_case(program, wanted, types) for program in programs]
    cases = [case for case in cases if any(piece.example in wanted for piece in case.program.subjects)]
    _look(cases, releases)
    uses = [(case, use) for case in cases if case.sighting for use in case.sighting.uses]
    asked = list(
        dict.fromkeys(use.question for _, use in uses if use.sight is not Sight.SEEN and use.question)
    )
    modules = sorted({module for case in cases for module in _modules(case)})
    answers = dict(zip(asked, ask_packages(releases.python, modules, asked), strict=True))
    return tuple(dict.fromkeys(_remarks(uses, answers)))


def verdict(use: Use, answer: str, *, fragment: bool) -> Verdict:
    """The verdict on one use, with what the installed packages answered.

    A fragment may speak of the reader's own values, and of releases other than the pins: there a denial counts
    only for what is reached from an import, and only if the installed package confirms it.
    """
    if use.sight is Sight.SEEN or answer == EXISTS or (fragment and use.is_value):
        return Verdict.VERIFIED
    if fragment:
        is_confirmed = answer == MISSING and use.question is not None and bool(use.question.module)
        return Verdict.DRIFT if is_confirmed else Verdict.UNVERIFIED
    return Verdict.DRIFT if answer == MISSING or use.sight is Sight.DENIED else Verdict.UNVERIFIED


def _remarks(uses: Sequence[tuple[_Case, Use]], answers: Mapping[Question, str]) -> Iterator[Remark]:
    for case, use in uses:
        piece = case.program.piece_at(use.line)
        assert piece is not None
        answer = answers.get(use.question, "") if use.question else ""
        found = verdict(use, answer, fragment=piece.is_fragment)
        if found is not Verdict.VERIFIED:
            is_gone = answer == MISSING and not use.rule
            said = "the installed package does not have it" if is_gone else use.says or "nobody can see it"
            yield Remark(piece.example, use.line, found, f"`{use.symbol}`: {said}")


def _modules(case: _Case) -> Iterator[str]:
    """The modules that a program imports, and those of the values that it was given."""
    assert case.sighting is not None
    yield from (path[0] for path in case.sighting.survey.bindings.values())
    for names in case.told.values():
        yield from (address.partition(":")[0] for address in names.values() if address)


def _case(program: Program, wanted: Collection[Example], known: Types) -> _Case:
    types = {
        piece.line: known.get(piece.example, {}) for piece in program.subjects if piece.example in wanted
    }
    told: dict[int, dict[str, str | None]] = {line: dict.fromkeys(names) for line, names in types.items()}
    return _Case(program, lambda line: _is_wanted(program, line, wanted), types, told)


def _is_wanted(program: Program, line: int, wanted: Collection[Example]) -> bool:
    piece = program.piece_at(line)
    return piece in program.subjects and piece is not None and piece.example in wanted


def _look(cases: Sequence[_Case], releases: Releases) -> None:
    """Let the engine look at every program, and again where types of arguments or of values stood in its way."""
    waiting = list(cases)
    for _ in range(PASSES):
        if not waiting:
            return
        for case, sighting in zip(waiting, _sightings(waiting, releases), strict=True):
            case.sighting = sighting
        waiting = [case for case in waiting if _has_more_to_tell(case)]


def _sightings(cases: Sequence[_Case], releases: Releases) -> Iterator[Sighting]:
    with tempfile.TemporaryDirectory() as folder:
        surveys = [survey(case.program.source, case.wanted, case.loosened, case.told) for case in cases]
        for number, one in enumerate(surveys):
            Path(folder, f"program_{number}.py").write_text(one.text, encoding="utf-8")
        said = diagnose(Path(folder), releases.python, releases.sources)
    for number, (case, one) in enumerate(zip(cases, surveys, strict=True)):
        own = [diagnostic for diagnostic in said if diagnostic.file == f"program_{number}.py"]
        yield Sighting(one, own, case.wanted)


def _has_more_to_tell(case: _Case) -> bool:
    assert case.sighting is not None
    rejected = case.sighting.rejected_calls - case.loosened
    unknown = [(line, name) for line, name in case.sighting.unknown_names if case.told[line][name] is None]
    case.loosened |= rejected
    for line, name in unknown:
        case.told[line][name] = case.types[line][name]
    return bool(rejected or unknown)
