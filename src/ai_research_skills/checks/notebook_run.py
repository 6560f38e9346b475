"""Running a notebook and keeping the executed copy as its record.

The source is never written to: a failing run leaves everything as it was.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.notebook import Device, Notebook, record_path
from ai_research_skills.checks.whole_file import write_whole
from ai_research_skills.lab.device import discover

CELL_TIMEOUT = 300
"""Seconds for one cell."""


class NotebookFailed(Exception):
    """A cell raised or took too long, the kernel died, or it said what a clean run does not say."""


def run_notebook(root: Path, notebook: Notebook) -> float:
    """Run `notebook` and keep nothing; returns the seconds it took.

    Raises:
        NotebookFailed: A cell failed, or a magic was unknown.
    """
    started = time.monotonic()
    _execute(root / notebook.path)
    return time.monotonic() - started


def record_notebook(root: Path, notebook: Notebook) -> Path:
    """Run `notebook` on this machine and write its record; returns the path relative to `root`.

    Raises:
        NotebookFailed: A cell failed, or a magic was unknown. Nothing is written then.
    """
    device = discover()
    kind = Device.GPU if device.kind == "cuda" else Device.CPU
    started = time.monotonic()
    executed = _execute(root / notebook.path)
    seconds = round(time.monotonic() - started, 1)
    executed["metadata"]["record"] = {
        "kind": kind.value,
        "device": device.name,
        "driver": device.driver or "",
        "libraries": {"python": device.python, **device.libraries},
        "commit": _git(root, "rev-parse", "HEAD") or "unknown",
        "dirty": bool(_git(root, "status", "--porcelain", "--", "notebooks", "src")),
        "recorded": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "seconds": seconds,
        "code_sha256": notebook.code_sha256,
    }
    path = record_path(notebook, kind)
    write_whole(root / path, json.dumps(executed, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return path


def _execute(path: Path) -> dict[str, Any]:
    nbformat = importlib.import_module("nbformat")
    nbclient = importlib.import_module("nbclient")
    book = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        book, timeout=CELL_TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.record_timing = False
    try:
        client.execute()
    except (nbclient.exceptions.CellExecutionError, TimeoutError, RuntimeError) as error:
        raise NotebookFailed(f"{path.name}: {error}") from error
    for number, cell in enumerate(book.cells, start=1):
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr" and "UsageError" in output.get("text", ""):
                raise NotebookFailed(f"{path.name}: cell {number}: {output['text'].strip()}")
    return _plain(book)


def _plain(book: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(book))
    plain["metadata"].pop("language_info", None)
    return plain


def _git(root: Path, *words: str) -> str:
    result = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    return result.stdout.strip()
