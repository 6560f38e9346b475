"""`notebooks`: running them, keeping what they gave, and checking that it still belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ai_research_skills.catalog.notebook import Notebook, load_notebooks
from ai_research_skills.checks.notebook_records import record_problems, unpublishable, wanting_gpu
from ai_research_skills.checks.notebook_run import NotebookFailed, record_notebook, run_notebook
from ai_research_skills.cli.output import finish, json_option, root_option, say, working


@click.group()
def notebooks() -> None:
    """Run, record and verify notebooks."""


@notebooks.command()
@click.argument("addresses", nargs=-1)
@root_option
def run(addresses: tuple[str, ...], root: Path) -> None:
    """Run notebooks and keep nothing; ADDRESSES are like cuda-kernels/know-the-machine, all if none."""
    for notebook in _chosen(root, addresses):
        try:
            with working(f"{notebook.address}: running"):
                done = run_notebook(root, notebook)
        except NotebookFailed as error:
            raise click.ClickException(str(error)) from error
        say(f"{notebook.address}: passed in {done.seconds:.0f} s, {done.cpu_seconds:.0f} CPU seconds")


@notebooks.command()
@click.argument("addresses", nargs=-1)
@click.option("--accept-slower", is_flag=True, help="Compare later records with this one, although it fell.")
@root_option
def record(addresses: tuple[str, ...], accept_slower: bool, root: Path) -> None:
    """Run notebooks on this machine and keep their outputs under docs/evidence/notebooks."""
    for notebook in _chosen(root, addresses):
        try:
            with working(f"{notebook.address}: running"):
                path = record_notebook(root, notebook, accept_slower=accept_slower)
        except NotebookFailed as error:
            raise click.ClickException(f"{error}\nnothing was written") from error
        say(f"{notebook.address}: {path}")


@notebooks.command()
@click.option("--strict", is_flag=True, help="As before publishing: a missing or stale record is a finding.")
@root_option
@json_option
def verify(strict: bool, root: Path, as_json: bool) -> None:
    """Check that every record still belongs to its notebook, and that its figures are possible.

    A stale GPU record is no finding without --strict: the page says so and shows the CPU's outputs.
    """
    found, problems = load_notebooks(root)
    refused = unpublishable(found) if strict else ()
    fine = f"{sum(len(notebook.records) for notebook in found)} records of {len(found)} notebooks are fresh"
    finish([*problems, *record_problems(found), *refused], as_json=as_json, fine=fine)


@notebooks.command()
@root_option
def pending(root: Path) -> None:
    """List the notebooks for a GPU that have no fresh GPU record, one address a line."""
    for address in wanting_gpu(load_notebooks(root)[0]):
        click.echo(address)


def _chosen(root: Path, addresses: Sequence[str]) -> list[Notebook]:
    found, _ = load_notebooks(root)
    by_address = {notebook.address: notebook for notebook in found}
    unknown = sorted(set(addresses) - set(by_address))
    if unknown:
        known = ", ".join(by_address) or "none"
        raise click.UsageError(f"no notebook has the address {', '.join(unknown)} → there are: {known}")
    return [by_address[address] for address in addresses or by_address]
