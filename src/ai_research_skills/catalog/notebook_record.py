"""A notebook's record: the executed copy, with the machine, the versions and the commit that made its outputs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ai_research_skills.catalog.notebook_cells import Cell, code_sha256, read_cells, read_document
from ai_research_skills.catalog.problem import Problem

RECORDS = Path("docs/evidence/notebooks")
RENEW = "ai-skills notebooks record {address}"


class Device(StrEnum):
    """The kind of machine that a record was made on."""

    CPU = "cpu"
    GPU = "gpu"


class Clocks(BaseModel):
    """What `nvidia-smi` said of a GPU's clocks, power and heat at one moment; MHz, watts, degrees Celsius."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sm_mhz: float
    memory_mhz: float
    sm_max_mhz: float
    power_watts: float
    power_limit_watts: float
    temperature_celsius: float


class RecordedFigure(BaseModel):
    """A measured number and what it cannot pass.

    Attributes:
        baseline: The fraction that it is compared with: the one in the record before, or an older one if that had
            fallen too far already. None for a figure without a limit, and in a first record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: float
    unit: str
    limit: float | None
    limit_name: str
    fraction: float | None
    spread: float | None
    samples: int
    baseline: float | None = None


class Provenance(BaseModel):
    """Where the outputs of a record come from, under `metadata.record`.

    Attributes:
        units: Multiprocessors of a GPU, CPUs that a host's process may use.
        cuda: The CUDA version that torch was built for; empty on a host.
        seconds: Wall time of the run.
        cpu_seconds: CPU time of the run, its child processes included.
        dirty: Whether the notebook or a file it depends on had changes that the commit does not hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Device
    device: str
    units: int
    memory_bytes: int
    driver: str = ""
    cuda: str = ""
    clocks_before: Clocks | None = None
    clocks_after: Clocks | None = None
    libraries: dict[str, str]
    commit: str
    dirty: bool
    recorded: dt.datetime
    seconds: float
    cpu_seconds: float
    code_sha256: str
    dependencies_sha256: str
    figures: tuple[RecordedFigure, ...]


@dataclass(frozen=True)
class Record:
    """An executed copy of a notebook.

    Attributes:
        faults: Why its outputs no longer belong to the notebook; empty if they do.
    """

    path: Path
    provenance: Provenance
    cells: tuple[Cell, ...]
    faults: tuple[str, ...] = ()


def record_path(address: str, kind: Device) -> Path:
    """Where the record of the notebook at `address`, `family/slug`, lies, relative to the root."""
    return RECORDS / f"{address}.{kind}.ipynb"


def load_record(
    root: Path, address: str, kind: Device, *, code: str, dependencies: str
) -> tuple[Record | None, list[Problem]]:
    """The record of a notebook whose code and dependencies have these hashes; None if there is none to read."""
    path = record_path(address, kind)
    if not (root / path).is_file():
        return None, []
    document, problems = read_document(root, root / path)
    if document is None:
        return None, problems
    try:
        provenance = Provenance.model_validate(document.get("metadata", {}).get("record"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "metadata.record"
        mend = f"run `{RENEW.format(address=address)}`"
        message = f"is no record: {place}: {first['msg']}"
        return None, [*problems, Problem(path, 0, message, mend)]
    cells = read_cells(document)
    return Record(path, provenance, cells, record_faults(provenance, cells, code, dependencies)), problems


def record_faults(
    provenance: Provenance, cells: tuple[Cell, ...], code: str, dependencies: str
) -> tuple[str, ...]:
    """Why a record does not belong to a notebook whose code and dependencies have these hashes."""
    faults = []
    if provenance.code_sha256 != code:
        faults.append("the code cells changed since it was made")
    if code_sha256(cells) != provenance.code_sha256:
        faults.append("its own code cells are not those that it says it ran")
    if provenance.dependencies_sha256 != dependencies:
        faults.append("a module that it imports or a record that it reads changed since it was made")
    for number, cell in enumerate(cells, start=1):
        if cell.is_code and cell.source.strip() and cell.execution_count is None:
            faults.append(f"cell {number} was not executed")
        if any(_is_error(output) for output in cell.outputs):
            faults.append(f"cell {number} ended in an error")
    return tuple(faults)


def _is_error(output: Mapping[str, Any]) -> bool:
    return output.get("output_type") == "error"
