"""How every verb speaks: text for people, JSON for machines, findings on the way out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.checks.releases.artifacts import Progress as Fetching
from ai_research_skills.checks.releases.progress import described

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


class Bar:
    """A bar on the terminal for things that are done one by one."""

    def __init__(self, bar: Progress, text: str, total: int) -> None:
        self._bar, self._text = bar, text
        self._task = bar.add_task(text, total=total)

    def done(self, name: str) -> None:
        """The thing of this name is done."""
        self._bar.update(self._task, advance=1, description=f"{self._text}: {name} done")

    def fetching(self, progress: Fetching) -> None:
        """So much of what it needs was fetched."""
        self._bar.update(self._task, description=described(progress))


@contextmanager
def progress(text: str, total: int) -> Iterator[Bar]:
    """A bar on the terminal while `total` things are done; silent in a pipe."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        yield Bar(bar, text, total)


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
