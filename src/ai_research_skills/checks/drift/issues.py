"""What was found about each skill, as one issue for a tracker. Text that others wrote stands in code spans only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ai_research_skills.checks.drift.breaking_changes import Change
from ai_research_skills.checks.drift.held_examples import Break
from ai_research_skills.checks.drift.hygiene import Concern
from ai_research_skills.checks.drift.newer_releases import Row
from ai_research_skills.checks.drift.skill_drift import SkillDrift

Item = TypeVar("Item")

MOST = 40
"""Lines of one list; a tracker takes 65,536 characters."""


def issue(drift: SkillDrift, word: str) -> dict[str, Any]:
    """The issue of one skill, open as long as there is something to do; `word` says how old the answers are."""
    return {
        "title": f"{plain(drift.skill.name, 80)}: newer releases",
        "open": drift.is_outdated,
        "body": "\n".join(_body(drift, word)).strip() + "\n",
    }


def plain(text: object, most: int = 300) -> str:
    """The text on one line, without what steers a terminal or hides from a reader."""
    spaced = re.sub(r"\s+", " ", str(text)).strip()
    seen = "".join(letter for letter in spaced if not unicodedata.category(letter).startswith("C"))
    return seen if len(seen) <= most else f"{seen[: most - 3]}..."


def code(text: object) -> str:
    """The text as a code span, in which Markdown, HTML and mentions mean nothing; it fits into a table."""
    inside = plain(text).replace("|", "¦")
    if not inside:
        return "–"
    longest = max((len(run) for run in re.findall(r"`+", inside)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or inside.startswith(" ") else ""
    return f"{fence}{pad}{inside}{pad}{fence}"


def counted(count: int, noun: str) -> str:
    """`1 use`, `2 uses`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def _body(drift: SkillDrift, word: str) -> Iterator[str]:
    yield _verdict(drift)
    if word:
        yield f"\nOf how old the answers are: {code(word)}."
    yield from _table(
        "Pins", ("pin", "newest", "released", "days behind", "step", "could be"), drift.rows, _row_cells
    )
    yield from _table(
        "Examples that would break", ("where", "what", "sure", "release"), drift.breaks, _break_cells
    )
    yield from _list("Changes in what the examples use", drift.changes.found, _change_line)
    for title, is_doubt in (("Mend", False), ("Look at", True)):
        yield from _list(title, [one for one in drift.concerns if one.is_doubt is is_doubt], _concern_line)
    yield from _list("Unknown", drift.unknown, lambda one: f"{one.question}: {code(', '.join(one.names))}")
    yield "\nThis text is written anew by `ai-skills outdated`; the issue closes when nothing is left."


def _row_cells(one: Row) -> tuple[str, ...]:
    return (
        code(one.pin),
        code(one.newest or "unknown"),
        str(one.released or "–"),
        str(one.behind) if one.behind is not None else "–",
        one.step.value or "–",
        code(one.together) if one.is_outdated else ("held back" if one.is_held_back else "–"),
    )


def _break_cells(one: Break) -> tuple[str, ...]:
    sure = "yes" if one.is_certain else "perhaps"
    return code(f"{one.path.as_posix()}:{one.line}"), code(one.message), sure, code(", ".join(one.moves))


def _change_line(one: Change) -> str:
    return f"{code(one.sentence)}, used at {', '.join(code(f'{path.as_posix()}:{line}') for path, line in one.places)}"


def _concern_line(one: Concern) -> str:
    place = code(f"{one.path.as_posix()}:{one.line}")
    return f"{place} {code(one.distribution)}: {code(one.text)} → {code(one.mend)}"


def _verdict(drift: SkillDrift) -> str:
    if not drift.moves:
        return "The pins are as new as they can be together."
    pins = ", ".join(code(new) for _, new in drift.moves)
    if drift.is_repinnable:
        return f"No example breaks with {pins}: the skill can be pinned to them as it stands."
    if drift.count_broken:
        return f"With {pins}, {counted(drift.count_broken, 'use')} in the examples would break."
    if drift.count_doubtful:
        return f"With {pins}, {counted(drift.count_doubtful, 'thing')} that the examples use may break."
    return f"Newer: {pins}. The examples were not held against them: {code(drift.unheld)}."


def _table(
    title: str, head: Sequence[str], items: Sequence[Item], cells: Callable[[Item], Sequence[str]]
) -> Iterator[str]:
    if items:
        yield f"\n## {title}\n"
        yield f"| {' | '.join(head)} |"
        yield f"|{' --- |' * len(head)}"
        yield from (f"| {' | '.join(cells(one))} |" for one in items[:MOST])
        yield from _rest(len(items))


def _list(title: str, items: Sequence[Item], line: Callable[[Item], str]) -> Iterator[str]:
    if items:
        yield f"\n## {title}\n"
        yield from (f"- {line(one)}" for one in items[:MOST])
        yield from _rest(len(items))


def _rest(count: int) -> Iterator[str]:
    if count > MOST:
        yield f"\nand {count - MOST} more: run `ai-skills outdated`"
