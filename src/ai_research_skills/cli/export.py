"""`export`: the site's Markdown on disk, for any other engine."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from ai_research_skills.catalog.problem import CatalogError
from ai_research_skills.cli.output import root_option, say


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@root_option
def export(folder: Path, root: Path) -> None:
    """Stage every page and file of the site in FOLDER, which must be new or empty."""
    try:
        staging = importlib.import_module("hooks.export")
    except ImportError as error:
        message = "the pages are made by the repository's hooks → run this in a clone, with `uv sync`"
        raise click.ClickException(message) from error
    if folder.exists() and any(folder.iterdir()):
        raise click.UsageError(f"{folder} is not empty → name a new folder")
    try:
        count = staging.export(root, folder)
    except CatalogError as error:
        raise click.ClickException(str(error)) from error
    say(f"{count} files in {folder}")
