"""`notebooks`: running them, keeping what they gave, and checking that it still belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ai_research_skills.catalog.notebook import RENEW, Device, Notebook, load_notebooks
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.checks.notebook_run import NotebookFailed, record_notebook, run_notebook
from ai_research_skills.cli.output import finish, json_option, root_option, say, working


@click.group()
def notebooks() -> None:
    """Run, record and verify notebooks."""


@notebooks.command()
@click.argument("addresses", nargs=-1)
@root_option
def run(addresses: tuple[str, ...], root: Path) -> None:
    """Run notebooks and keep nothing; ADDRESSES are like cuda-kernels/fused-softmax, all if none."""
    for notebook in _chosen(root, addresses):
        try:
            with working(f"{notebook.address}: running"):
                seconds = run_notebook(root, notebook)
        except NotebookFailed as error:
            raise click.ClickException(str(error)) from error
        say(f"{notebook.address}: passed in {seconds:.0f} s")


@notebooks.command()
@click.argument("addresses", nargs=-1)
@root_option
def record(addresses: tuple[str, ...], root: Path) -> None:
    """Run notebooks on this machine and keep their outputs under docs/evidence/notebooks."""
    for notebook in _chosen(root, addresses):
        try:
            with working(f"{notebook.address}: running"):
                path = record_notebook(root, notebook)
        except NotebookFailed as error:
            raise click.ClickException(f"{error}\nnothing was written") from error
        say(f"{notebook.address}: {path}")


@notebooks.command()
@click.option("--strict", is_flag=True, help="A missing or dirty record is a finding too.")
@root_option
@json_option
def verify(strict: bool, root: Path, as_json: bool) -> None:
    """Check that every record still belongs to its notebook."""
    found, problems = load_notebooks(root)
    missing = [problem for notebook in found for problem in _unproven(notebook)] if strict else []
    fine = f"{sum(len(notebook.records) for notebook in found)} records of {len(found)} notebooks are fresh"
    finish([*problems, *missing], as_json=as_json, fine=fine)


def _chosen(root: Path, addresses: Sequence[str]) -> list[Notebook]:
    found, _ = load_notebooks(root)
    by_address = {notebook.address: notebook for notebook in found}
    unknown = sorted(set(addresses) - set(by_address))
    if unknown:
        known = ", ".join(by_address) or "none"
        raise click.UsageError(f"no notebook has the address {', '.join(unknown)} → there are: {known}")
    return [by_address[address] for address in addresses or by_address]


def _unproven(notebook: Notebook) -> list[Problem]:
    renew = f"run `{RENEW.format(address=notebook.address)}`"
    kinds = {found.provenance.kind for found in notebook.records}
    if Device.CPU not in kinds:
        return [Problem(notebook.path, 0, "has no record of a CPU run", renew)]
    return [
        Problem(found.path, 0, "was made from a tree with uncommitted changes", f"commit, then {renew}")
        for found in notebook.records
        if found.provenance.dirty
    ]
