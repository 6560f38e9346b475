"""The command: draw a sample, ask oracle and checker, print the table. See the package's own words."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from tests.oracle.measure import judged_uses, measured
from tests.oracle.pages import foreign_blocks
from tests.oracle.table import print_study


def _packages(path: Path) -> frozenset[str]:
    """The top modules named in the comments `# import: a b` of a list of requirements."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(
        name for line in lines if "# import:" in line for name in line.partition("# import:")[2].split()
    )


@click.command()
@click.option("--root", "roots", multiple=True, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--env", "python", required=True, type=click.Path(path_type=Path, exists=True), help="Interpreter."
)
@click.option("--packages", required=True, type=click.Path(path_type=Path, exists=True), help="Requirements.")
@click.option("--sample", default=1500, help="Uses to draw, spread over packages; 0 takes all.")
@click.option("--seed", default=1)
@click.option("--half", type=click.Choice(["A", "B", "AB"]), default="AB", help="Which half of the pages.")
@click.option("--static", "is_static", is_flag=True, help="Without asking the installed packages.")
@click.option("--json", "out", type=click.Path(path_type=Path))
@click.option(
    "--oracle", "memory", type=click.Path(path_type=Path), help="Keep the oracle's answers in this file."
)
def main(
    roots: tuple[Path, ...],
    python: Path,
    packages: Path,
    sample: int,
    seed: int,
    half: str,
    is_static: bool,
    out: Path | None,
    memory: Path | None,
) -> None:
    """Precision and recall of level 2 over the blocks of the pages below ROOT."""
    named = _packages(packages)
    blocks = [block for block in foreign_blocks(roots) if block.packages & named]
    judged = judged_uses(blocks, python, named, memory)
    study = measured(
        blocks, judged, python.absolute(), sample=sample, seed=seed, half=half, is_static=is_static
    )
    print_study(study, Console(width=None if sys.stdout.isatty() else 180))
    if out:
        out.write_text(json.dumps(study.as_json(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
