"""`schemas`: the JSON Schemas of the roadmap files."""

from __future__ import annotations

from pathlib import Path

import click

from ai_research_skills.catalog import schemas as roadmap_schemas
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.cli.output import finish, json_option, root_option, say


@click.group()
def schemas() -> None:
    """Write or check the schemas that are generated from the models."""


@schemas.command()
@root_option
def write(root: Path) -> None:
    """Write them again."""
    for path in roadmap_schemas.SCHEMAS:
        say(str(path))
    roadmap_schemas.write(root)


@schemas.command()
@root_option
@json_option
def check(root: Path, as_json: bool) -> None:
    """Compare them with the models."""
    stale = roadmap_schemas.stale(root)
    problems = [
        Problem(path, 0, "is not what the models give", "run `ai-skills schemas write`") for path in stale
    ]
    finish(problems, as_json=as_json, fine="the schemas are those of the models")
