"""The verbs of `ai-skills`."""

from __future__ import annotations

import click

from ai_research_skills.cli.check import check
from ai_research_skills.cli.export import export
from ai_research_skills.cli.notebooks import notebooks
from ai_research_skills.cli.outdated import outdated
from ai_research_skills.cli.schemas import schemas
from ai_research_skills.cli.shelf import list_, show, validate
from ai_research_skills.cli.urls import urls


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ai-research-skills")
def main() -> None:
    """Write, check and look through a library of AI research skills."""


for command in (validate, list_, show, check, outdated, notebooks, export, urls, schemas):
    main.add_command(command)
