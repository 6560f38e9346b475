"""Running a notebook and keeping the executed copy as its record.

The source is never written to: a failing run leaves everything as it was.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import resource
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.notebook import Notebook
from ai_research_skills.catalog.notebook_record import Clocks, Device, Provenance, RecordedFigure, record_path
from ai_research_skills.checks.figure_history import with_baselines
from ai_research_skills.checks.whole_file import write_whole
from ai_research_skills.lab.clocks import Clocks as ReadClocks
from ai_research_skills.lab.clocks import read_clocks
from ai_research_skills.lab.device import discover
from ai_research_skills.lab.figures import FIGURE_MIME

CELL_TIMEOUT = 300
"""Seconds for one cell."""

STARTUP_TIMEOUT = 180
"""Seconds in which the kernel has to answer for the first time; importing takes long on a busy machine."""

NOTEBOOK_TIMEOUT = 900
"""Seconds for a whole notebook: fifteen times what a run may take, for a machine that is busy."""


class NotebookFailed(Exception):
    """A cell raised or took too long, the kernel died, or it said what a clean run does not say."""


@dataclass(frozen=True)
class Run:
    """An executed notebook: its document, and what it took.

    Attributes:
        seconds: Wall time.
        cpu_seconds: CPU time of the kernel and of the programs that it started.
    """

    document: Mapping[str, Any]
    seconds: float
    cpu_seconds: float


def run_notebook(root: Path, notebook: Notebook) -> Run:
    """Run `notebook` in its own folder and keep nothing.

    Raises:
        NotebookFailed: A cell failed, a magic was unknown, or a time limit passed.
    """
    started, used = time.monotonic(), _child_seconds()
    document = _execute(root / notebook.path)
    return Run(document, round(time.monotonic() - started, 1), round(_child_seconds() - used, 1))


def record_notebook(root: Path, notebook: Notebook, *, accept_slower: bool = False) -> Path:
    """Run `notebook` on this machine and write its record; returns the path relative to `root`.

    `accept_slower` makes this run's figures the new baselines although they may have fallen.

    Raises:
        NotebookFailed: As for `run_notebook`. Nothing is written then.
    """
    device = discover()
    kind = Device.GPU if device.kind == "cuda" else Device.CPU
    before = read_clocks()
    run = run_notebook(root, notebook)
    found = tuple(recorded_figures(run.document))
    previous = _previous(notebook, kind)
    if not accept_slower and previous and previous.device == device.name:
        found = with_baselines(found, previous.figures)
    provenance = Provenance(
        kind=kind,
        device=device.name,
        units=device.units,
        memory_bytes=device.memory_bytes,
        driver=device.driver or "",
        cuda=device.cuda or "",
        clocks_before=_plain_clocks(before),
        clocks_after=_plain_clocks(read_clocks()),
        libraries={"python": device.python, **device.libraries},
        commit=_git(root, "rev-parse", "HEAD") or "unknown",
        dirty=_is_dirty(root, (notebook.path, *notebook.dependencies)),
        recorded=dt.datetime.now(dt.UTC).replace(microsecond=0),
        seconds=run.seconds,
        cpu_seconds=run.cpu_seconds,
        code_sha256=notebook.code_sha256,
        dependencies_sha256=notebook.dependencies_sha256,
        figures=found,
    )
    executed = json.loads(json.dumps(run.document))
    executed["metadata"]["record"] = provenance.model_dump(mode="json")
    path = record_path(notebook.address, kind)
    write_whole(root / path, json.dumps(executed, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return path


def recorded_figures(document: Mapping[str, Any]) -> Iterator[RecordedFigure]:
    """The figures among the outputs of an executed notebook, the last one of each name."""
    found: dict[str, RecordedFigure] = {}
    for cell in document["cells"]:
        for output in cell.get("outputs", ()):
            plain = output.get("data", {}).get(FIGURE_MIME)
            if plain:
                found[plain["name"]] = RecordedFigure.model_validate(plain)
    yield from found.values()


def _previous(notebook: Notebook, kind: Device) -> Provenance | None:
    records = (*notebook.records, *notebook.stale)
    return next((each.provenance for each in records if each.provenance.kind is kind), None)


def _plain_clocks(found: ReadClocks | None) -> Clocks | None:
    return None if found is None else Clocks.model_validate(found.as_json())


def _execute(path: Path) -> dict[str, Any]:
    nbformat = importlib.import_module("nbformat")
    nbclient = importlib.import_module("nbclient")
    book = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        book,
        timeout_func=_remaining(time.monotonic() + NOTEBOOK_TIMEOUT),
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.record_timing = False
    client.startup_timeout = STARTUP_TIMEOUT
    try:
        client.execute()
    except (nbclient.exceptions.CellExecutionError, TimeoutError, RuntimeError) as error:
        raise NotebookFailed(f"{path.name}: {error}") from error
    for number, cell in enumerate(book.cells, start=1):
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr" and "UsageError" in output.get("text", ""):
                raise NotebookFailed(f"{path.name}: cell {number}: {output['text'].strip()}")
    return _plain(book)


def _remaining(deadline: float) -> Callable[[object], int]:
    """Seconds that a cell may take: its own limit, or what is left of the notebook's."""
    return lambda _cell: max(1, min(CELL_TIMEOUT, int(deadline - time.monotonic())))


def _plain(book: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(book))
    plain["metadata"].pop("language_info", None)
    return plain


def _child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _is_dirty(root: Path, files: Iterable[Path]) -> bool:
    return bool(_git(root, "status", "--porcelain", "--", *(path.as_posix() for path in files)))


def _git(root: Path, *words: str) -> str:
    result = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    return result.stdout.strip()
