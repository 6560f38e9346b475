"""What a second type checker sees in the Python of a skill and the first does not, or the other way round."""

from __future__ import annotations

from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.bench import ReleasesBench
from ai_research_skills.checks.resolving.programs import pages_programs, python_pieces
from ai_research_skills.checks.resolving.python import Releases, resolve
from ai_research_skills.checks.resolving.second_opinion import Disagreement, disagreements


def second_look(skill: Skill, bench: ReleasesBench) -> tuple[Disagreement, ...]:
    """Where the two checkers disagree about `skill`; a person reads it, and no level hangs on it.

    Raises:
        NoEngine: One of the checkers cannot be asked.
    """
    pages = [list(python_pieces(page_examples(page))) for page in skill.pages]
    programs = pages_programs(pages)
    examples = {piece.example for page in pages for piece in page}
    remarks = resolve(programs, examples, Releases(bench.prefix), {})
    return disagreements(programs, remarks, bench.texts)
