"""Figures that other notebooks have recorded, for a notebook that compares them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ai_research_skills.lab.figures import Figure

RECORDS = Path("docs/evidence/notebooks")
"""Where records lie in a checkout of the repository."""


class NoRecord(FileNotFoundError):
    """The notebook was not recorded on that kind of device, or there is no checkout."""


@dataclass(frozen=True)
class Published:
    """What one run of a notebook measured.

    Attributes:
        address: `family/slug`.
        device: Name of the device that it ran on.
        figures: Under their names.
    """

    address: str
    device: str
    figures: Mapping[str, Figure]


def published(address: str, *, kind: Literal["cpu", "gpu"] = "cpu", start: Path | None = None) -> Published:
    """Read the record of a notebook in the checkout around `start`, the current folder if not given.

    A notebook that calls this names `address` under `reads` in its metadata.

    Raises:
        NoRecord: There is no such record.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        path = folder / RECORDS / f"{address}.{kind}.ipynb"
        if path.is_file():
            record = json.loads(path.read_text(encoding="utf-8"))["metadata"]["record"]
            figures = {plain["name"]: _figure(plain) for plain in record["figures"]}
            return Published(address, record["device"], figures)
    raise NoRecord(
        f"no {kind.upper()} record of {address} in a checkout around {here} → clone the repository and run there, or "
        f"`ai-skills notebooks record {address}`"
    )


def _figure(plain: Mapping[str, object]) -> Figure:
    """Without what only the record knows, the baseline."""
    fields = Figure.__dataclass_fields__
    return Figure(**{name: value for name, value in plain.items() if name in fields})  # type: ignore[arg-type]
