"""`Resolver` that reads the sources of releases and installs nothing: what the type checker denies is a problem.

What it cannot see without asking the installed packages is left open; shell lines are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Pin, Skill
from ai_research_skills.checks.drift.held_examples import CannotHold, ResolvedAt
from ai_research_skills.checks.releases.artifacts import NoArtifact
from ai_research_skills.checks.releases.closure import NoClosure, closure
from ai_research_skills.checks.releases.static_tree import static_tree
from ai_research_skills.checks.resolving.programs import Piece, pages_programs, python_pieces
from ai_research_skills.checks.resolving.python import Releases, resolve
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.type_engine import NoEngine


def resolved_statically(skill: Skill, pins: Sequence[Pin], python: str) -> ResolvedAt:
    """Hold the Python of all examples of `skill` against the sources of `pins` and all that they bring with them.

    Raises:
        CannotHold: The pins do not go together, or their sources are not to be had.
    """
    pages = [list(python_pieces(page_examples(page))) for page in skill.pages]
    pieces = [piece for page in pages for piece in page]
    examples = {piece.example for piece in pieces}
    programs = pages_programs(pages)
    try:
        members = closure(pins, python)
        tree = static_tree(members)
        remarks = resolve(programs, examples, Releases(tree.prefix), {})
    except (NoClosure, NoArtifact, NoEngine) as error:
        raise CannotHold(str(error)) from error
    return ResolvedAt(
        problems=_problems(remarks, Verdict.DRIFT),
        level_counts=_counts(pieces, {one.example for one in remarks}),
        lock=members.lock,
        sources=(tree.sources,),
        open=_problems(remarks, Verdict.UNVERIFIED),
    )


def _problems(remarks: Sequence[Remark], verdict: Verdict) -> tuple[Problem, ...]:
    return tuple(
        Problem(one.example.path, one.line, one.text, _mend(one)) for one in remarks if one.verdict is verdict
    )


def _mend(remark: Remark) -> str:
    return f"write {remark.suggestion}" if remark.suggestion else "write it as the newer release has it"


def _counts(pieces: Sequence[Piece], remarked: set[Example]) -> dict[str, int]:
    examples = {piece.example for piece in pieces}
    return dict(Counter("open" if one in remarked else "resolved" for one in examples))
