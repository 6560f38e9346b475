"""How every verb speaks: text for people, JSON for machines, findings on the way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ai_research_skills.catalog.problem import Problem

root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The tree to read; any folder with SKILL.md files below it.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")


def say(text: str) -> None:
    """One line for a person."""
    click.echo(text)


def say_json(value: Any) -> None:
    """One document for a machine."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def working(text: str) -> AbstractContextManager[object]:
    """A spinner on the terminal while something takes longer than a moment; silent in a pipe."""
    return Console(stderr=True).status(text)


@contextmanager
def progress(text: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar on the terminal while `total` things are done, and what to call with the name of each; silent in a pipe."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(text, total=total)

        def done(name: str) -> None:
            bar.update(task, advance=1, description=f"{text}: {name} done")

        yield done


def finish(problems: Iterable[Problem], *, as_json: bool, fine: str) -> NoReturn:
    """End with every problem and exit code 1, or with the sentence `fine` and 0."""
    found = sorted(problems)
    if as_json:
        say_json({"problems": [problem.as_json() for problem in found]})
    elif found:
        for problem in found:
            say(str(problem))
        click.echo(f"{len(found)} problem{'s' * (len(found) != 1)}", err=True)
    else:
        say(fine)
    sys.exit(1 if found else 0)
