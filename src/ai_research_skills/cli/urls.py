"""`urls`: the addresses that the site has promised."""

from __future__ import annotations

from pathlib import Path

import click

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.redirects import load_redirects
from ai_research_skills.checks import addresses
from ai_research_skills.cli.output import finish, json_option, root_option, say

site_option = click.option(
    "--site",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("site"),
    help="The built site.",
)


@click.group()
def urls() -> None:
    """Keep docs/urls.txt, the list of every address ever published."""


@urls.command()
@site_option
@root_option
def write(site: Path, root: Path) -> None:
    """Add the addresses of the built site; nothing is taken away."""
    say(f"{addresses.promise(root, addresses.site_addresses(site))} addresses added")


@urls.command()
@site_option
@root_option
@json_option
def check(site: Path, root: Path, as_json: bool) -> None:
    """Check that every promised address answers and every new one is promised."""
    promised, answering = addresses.published(root), addresses.site_addresses(site)
    mend = "run `ai-skills urls write` and commit the file"
    new = [
        Problem(addresses.URLS_FILE, 0, f"{address} is not listed", mend)
        for address in addresses.new_addresses(promised, answering)
    ]
    moved, _ = load_redirects(root)
    problems = [*addresses.broken_promises(promised, answering, moved), *new]
    finish(problems, as_json=as_json, fine=f"all {len(promised)} promised addresses answer")
