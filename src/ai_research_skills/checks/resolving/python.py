"""Level 2 of the evidence ladder: what an example uses exists in the pinned releases.

There are three verdicts. The engine sees a thing, or it denies it, or it cannot see. What it denies or cannot see
is looked up in the text of the packages and asked of the installed ones, where there are any; what nobody can answer
is left open and is never called resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.resolving.installed import Ask, asking
from ai_research_skills.checks.resolving.package_probe import MISSING, UNSEEN
from ai_research_skills.checks.resolving.programs import Program
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.sightings import Question, Sight, Sighting, Use
from ai_research_skills.checks.resolving.source_tree import SourceTree, is_generated
from ai_research_skills.checks.resolving.suggestions import suggestion
from ai_research_skills.checks.resolving.survey import CannotSurvey, Place, survey
from ai_research_skills.checks.resolving.type_engine import TypeEngine
from ai_research_skills.checks.resolving.verdicts import Known, known, verdict

PASSES = 4
"""How often a program is put to the engine again with what the last time has shown."""


@dataclass(frozen=True)
class Releases:
    """What examples are held against.

    Attributes:
        prefix: An installed environment, or a tree of stubs that is laid out like one.
        sources: Folders with packages that it cannot hold.
        ask: Asks installed packages what the text of them does not show; None if nobody can be asked.
    """

    prefix: Path
    sources: tuple[Path, ...] = ()
    ask: Ask | None = None

    @classmethod
    def installed(cls, python: Path, sources: tuple[Path, ...] = ()) -> Releases:
        """The packages of the environment to which the interpreter `python` belongs."""
        return cls(python.parent.parent, sources, asking(lambda: python))


@dataclass
class _Case:
    """One program on its way through the engine, which knows it under the name `file`."""

    file: str
    program: Program
    wanted: Callable[[int], bool]
    types: dict[int, Mapping[str, str]]
    told: dict[int, dict[str, str | None]]
    loosened: frozenset[Place] = frozenset()
    sighting: Sighting | None = None


@dataclass(frozen=True)
class _Found:
    """A use, what is known about it besides what the engine said, and the verdict."""

    case: _Case
    use: Use
    known: Known = field(default_factory=Known)


Types = Mapping[Example, Mapping[str, str]]
"""For an example: names that running the page had given a value before it, and `module:class` of each."""


def resolve(
    programs: Sequence[Program], wanted: Collection[Example], releases: Releases, types: Types
) -> tuple[Remark, ...]:
    """Everything that keeps the `wanted` examples from being resolved; no remark, all is verified.

    Raises:
        NoEngine: The type checker cannot be asked.
    """
    cases = [_case(number, program, wanted, types) for number, program in enumerate(programs)]
    cases = [case for case in cases if any(piece.example in wanted for piece in case.program.subjects)]
    if not cases:
        return ()
    tree = SourceTree.of(releases.prefix, releases.sources)
    with TypeEngine(releases.prefix, releases.sources) as engine:
        unreadable = list(_look(cases, engine))
        found = _known(cases, tree, releases.ask, engine)
        remarks = [*unreadable, *(_remark(one, tree, engine) for one in found)]
    return tuple(dict.fromkeys(remark for remark in remarks if remark.verdict is not Verdict.VERIFIED))


def _known(cases: Sequence[_Case], tree: SourceTree, ask: Ask | None, engine: TypeEngine) -> list[_Found]:
    """All uses that the engine did not simply see, with what the packages' text and the packages themselves say."""
    uses = [(case, use) for case in cases if case.sighting for use in case.sighting.uses]
    found = [
        _Found(case, use, known(use, tree))
        for case, use in uses
        if use.sight is not Sight.SEEN or _is_only_declared(use, tree)
    ]
    if ask is None:
        return found
    found = [replace(one, use=_with_packages(one, tree, engine)) for one in found]
    asked = list(dict.fromkeys(question for one in found if (question := _askable(one))))
    modules = sorted({module for case, _ in uses for module in _modules(case, tree)})
    answers = dict(zip(asked, ask(modules, asked), strict=True))
    return [_Found(one.case, one.use, one.known.answered(_answer(one, answers))) for one in found]


def _with_packages(found: _Found, tree: SourceTree, engine: TypeEngine) -> Use:
    """The use, with the packages from which the value comes of which only the class is known."""
    use = found.use
    if not (use.question and use.question.classes):
        return use
    for origin in use.origins:
        places = engine.definitions(found.case.file, *origin)
        packages = sorted({package for place in places if (package := tree.package_of(place))})
        if packages:
            return replace(use, question=replace(use.question, packages=tuple(packages)))
    return use


def _askable(found: _Found) -> Question | None:
    """What the packages are to be asked about a use; nothing about a class that the page itself defines."""
    question = found.use.question
    assert found.case.sighting is not None
    own = set(found.case.sighting.survey.own)
    is_own = question is not None and bool(question.classes) and own.issuperset(question.classes)
    return question if found.known.is_askable and not is_own else None


def _answer(found: _Found, answers: Mapping[Question, str]) -> str:
    question = _askable(found)
    return answers.get(question, UNSEEN) if question else UNSEEN


def _remark(found: _Found, tree: SourceTree, engine: TypeEngine) -> Remark:
    use, case = found.use, found.case
    piece = case.program.piece_at(use.line)
    assert piece is not None
    reached = verdict(use, found.known, piece)
    if reached is Verdict.DRIFT and found.known.answer != MISSING and _is_generated(use, engine, case.file):
        says = (
            f"`{use.symbol}`: its module is generated, and what it has is known only to the installed package"
        )
        return Remark(piece.example, use.line, Verdict.UNVERIFIED, says)
    is_unpinned = reached is Verdict.DRIFT and found.known.is_unpinned
    instead = suggestion(use, is_unpinned, tree, engine, case.file) if reached is Verdict.DRIFT else ""
    text = f"`{use.symbol}`: {found.known.reason or use.says or 'nobody can see it'}"
    package = _package(use, tree, engine, case.file) if reached is Verdict.DRIFT else ""
    return Remark(piece.example, use.line, reached, text, instead, is_unpinned, package)


def _package(use: Use, tree: SourceTree, engine: TypeEngine, file: str) -> str:
    """The top-level module in which something is missing: that of the import, or of the type that is denied it."""
    if use.question and use.question.module:
        return use.question.module.partition(".")[0]
    places = engine.definitions(file, *use.spot.of) if use.spot else ()
    return next((package for place in places if (package := tree.package_of(place))), "")


def _is_generated(use: Use, engine: TypeEngine, file: str) -> bool:
    """Whether the engine read that which denies the use in a file made by a generator of bindings.

    Such files show a library of C++ or a protocol as it was before the package dressed it up for Python.
    """
    if use.spot is None:
        return False
    return any(is_generated(path) for path in engine.definitions(file, *use.spot.of))


def _is_only_declared(use: Use, tree: SourceTree) -> bool:
    """Whether what the engine saw is a name in a package's own stub, which may declare more than a build has."""
    question = use.question
    is_name = question is not None and len(question.path) == 1 and not question.keywords
    return question is not None and is_name and tree.has_stub(question.module)


def _modules(case: _Case, tree: SourceTree) -> Iterator[str]:
    """The modules that a program imports, and those of the values that it was given."""
    assert case.sighting is not None
    for path in case.sighting.survey.bindings.values():
        yield path[0]
        if len(path) > 1 and tree.file(".".join(path)):
            yield ".".join(path)
    for names in case.told.values():
        yield from (address.partition(":")[0] for address in names.values() if address)


def _case(number: int, program: Program, wanted: Collection[Example], types: Types) -> _Case:
    given = {
        piece.line: types.get(piece.example, {}) for piece in program.subjects if piece.example in wanted
    }
    told: dict[int, dict[str, str | None]] = {line: dict.fromkeys(names) for line, names in given.items()}
    return _Case(f"program_{number}.py", program, lambda line: _is_wanted(program, line, wanted), given, told)


def _is_wanted(program: Program, line: int, wanted: Collection[Example]) -> bool:
    piece = program.piece_at(line)
    return piece in program.subjects and piece is not None and piece.example in wanted


def _look(cases: Sequence[_Case], engine: TypeEngine) -> Iterator[Remark]:
    """Let the engine look at every program, and again where types of arguments or of values stood in its way."""
    waiting = list(cases)
    for _ in range(PASSES):
        surveys = {}
        for case in waiting:
            try:
                surveys[case.file] = survey(case.program.source, case.wanted, case.loosened, case.told)
            except CannotSurvey as error:
                yield from _unreadable(case, str(error))
        waiting = [case for case in waiting if case.file in surveys]
        said = engine.diagnose({file: one.text for file, one in surveys.items()})
        for case in waiting:
            own = [diagnostic for diagnostic in said if diagnostic.file == case.file]
            case.sighting = Sighting(surveys[case.file], own, case.wanted)
        waiting = [case for case in waiting if _has_more_to_tell(case)]
        if not waiting:
            return


def _unreadable(case: _Case, reason: str) -> Iterator[Remark]:
    for piece in case.program.subjects:
        if case.wanted(piece.line):
            yield Remark(piece.example, piece.line, Verdict.UNVERIFIED, reason)


def _has_more_to_tell(case: _Case) -> bool:
    assert case.sighting is not None
    rejected = case.sighting.rejected_calls - case.loosened
    unknown = [(line, name) for line, name in case.sighting.unknown_names if case.told[line][name] is None]
    case.loosened |= rejected
    for line, name in unknown:
        case.told[line][name] = case.types[line][name]
    return bool(rejected or unknown)
