"""The study as tables for a reader."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.oracle.measure import Compared, Score, Study

_COLUMNS = (
    "kind",
    "uses",
    "missing",
    "found",
    "false alarms",
    "precision",
    "recall",
    "unverified",
    "distinct",
)


def print_study(study: Study, console: Console) -> None:
    """The figures, then every miss and every false alarm."""
    for part in ("AB", "A", "B"):
        print_scores(study.scores(part), part, console)
    console.print("left out as undecidable:", study.undecided)
    console.print("drift about what it could not decide:", len(study.doubtful))
    strays = Table(
        title=f"drift about what the oracle did not judge, to be looked at by eye: {len(study.strays)}"
    )
    for name in ("place", "use", "the checker"):
        strays.add_column(name, overflow="fold")
    for stray in study.strays:
        strays.add_row(stray.place, stray.symbol, stray.words)
    console.print(strays)
    _print_list(console, "misses", study.misses)
    _print_list(console, "false alarms", study.false_alarms)


def print_scores(scores: Sequence[Score], part: str, console: Console) -> None:
    """One table of figures; `distinct` counts symbols, and in brackets those found among those missing."""
    table = Table(title=f"half {part}" if part != "AB" else "all pages")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "kind" else "right")
    for one in scores:
        if one.uses:
            table.add_row(
                one.kind,
                str(one.uses),
                str(one.missing),
                str(one.found),
                str(one.false_alarms),
                f"{one.precision:.4f}",
                f"{one.recall:.4f}",
                f"{one.unverified} ({one.unverified / one.uses:.1%})",
                f"{one.distinct} ({one.distinct_found}/{one.distinct_missing})",
            )
    console.print(table)


def _print_list(console: Console, title: str, entries: Sequence[Compared]) -> None:
    table = Table(title=f"{title}: {len(entries)}")
    for name in ("place", "use", "the truth", "the checker"):
        table.add_column(name, overflow="fold")
    for one in sorted(entries, key=lambda entry: (entry.use.package, entry.use.symbol, entry.place)):
        table.add_row(one.place, f"{one.use.kind} {one.use.symbol}", one.use.how, f"{one.said} {one.words}")
    console.print(table)
