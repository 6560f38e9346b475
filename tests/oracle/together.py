"""`python -m tests.oracle.together OUT.json …`: the figures of several environments as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import click
from rich.console import Console

from tests.oracle.measure import Score
from tests.oracle.table import print_scores


def together(studies: Sequence[dict[str, list[dict[str, object]]]], part: str) -> list[Score]:
    """The scores of one half, added up kind by kind; a package that stands in two environments counts twice."""
    counts = [field.name for field in fields(Score) if field.name != "kind"]
    added: dict[str, dict[str, int]] = {}
    for study in studies:
        for entry in study[part]:
            sums = added.setdefault(str(entry["kind"]), dict.fromkeys(counts, 0))
            for name in counts:
                sums[name] += int(str(entry[name]))
    return [Score(kind, **sums) for kind, sums in added.items()]


@click.command()
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(outputs: tuple[Path, ...]) -> None:
    """Add up what `python -m tests.oracle --json` wrote."""
    studies = [json.loads(path.read_text(encoding="utf-8"))["scores"] for path in outputs]
    for part in ("AB", "A", "B"):
        print_scores(together(studies, part), part, Console())


if __name__ == "__main__":
    main()
