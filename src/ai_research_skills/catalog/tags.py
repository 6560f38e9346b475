"""The closed list of tags, `docs/tags.yml`: tag and what it covers."""

from __future__ import annotations

from pathlib import Path

from pydantic import RootModel

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.source import read_source
from ai_research_skills.catalog.yaml_document import parse_yaml, validate

TAGS_FILE = Path("docs/tags.yml")


class Tags(RootModel[dict[str, str]]):
    """Tag to the sentence that says what it covers."""


def load_tags(root: Path) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Read the closed list; a tree without one has no tags to hold a skill against."""
    path = root / TAGS_FILE
    if not path.is_file():
        return {}, ()
    source = read_source(root, path)
    tags, problems = validate(source.path, parse_yaml(source.path, source.text), Tags)
    return (tags.root if tags else {}), (*source.problems, *problems)
