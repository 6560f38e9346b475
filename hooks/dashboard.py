"""The parts of a dashboard: a chart with the table that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from hooks.charts import Bar, bar_chart


@dataclass(frozen=True)
class Number:
    """A count and the address of the list that it counts."""

    text: str
    address: str = ""


@dataclass(frozen=True)
class Dashboard:
    """A chart with the table behind it."""

    id: str
    title: str
    intro: str
    chart: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[Number, ...], ...]


def list_board(id_: str, title: str, intro: str, found: Mapping[str, tuple[int, str]]) -> Dashboard:
    """A bar for each label of `found`, which has its count and the address of what is counted."""
    bars = [Bar(label, count, count, str(count)) for label, (count, _) in found.items()]
    column = title.removeprefix("By ").capitalize()
    rows = tuple(
        (Number(label), Number(str(count), link if count else "")) for label, (count, link) in found.items()
    )
    return Dashboard(id_, title, intro, bar_chart(title, bars), (column, "Count"), rows)
