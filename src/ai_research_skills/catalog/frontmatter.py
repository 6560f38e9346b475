"""Splitting a SKILL.md into its YAML block and its Markdown body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.problem import Problem

FENCE = "---"


@dataclass(frozen=True)
class Frontmatter:
    """The YAML between the two fences, the body after them, and the line on which each begins."""

    yaml: str
    body: str
    body_line: int
    problems: tuple[Problem, ...] = ()

    YAML_LINE = 2


def split_frontmatter(path: Path, text: str) -> Frontmatter:
    """Split `text` of `path`; without a readable block the whole text is body."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        mend = f"begin the file with a line `{FENCE}`, the fields, and another line `{FENCE}`"
        return Frontmatter("", text, 1, (Problem(path, 1, "has no frontmatter", mend),))
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() == FENCE:
            return Frontmatter("\n".join(lines[1:index]), "\n".join(lines[index + 1 :]), index + 2)
    problem = Problem(path, 1, "has frontmatter that never ends", f"close it with a line `{FENCE}`")
    return Frontmatter("", text, 1, (problem,))
