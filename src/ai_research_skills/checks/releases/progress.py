"""How far the fetching of releases is, for a person at a terminal; silent in a pipe, and for what takes a moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ai_research_skills.checks.releases.artifacts import Progress, Report

PATIENCE = 2.0
"""Seconds without a word that a person takes for a moment."""


@contextmanager
def shown_progress() -> Iterator[Report]:
    """A report to hand to what fetches: after two seconds it shows on stderr what is done and how much came."""
    console = Console(stderr=True)
    begun = time.monotonic()
    status = console.status("")

    def report(progress: Progress) -> None:
        status.update(described(progress))
        if console.is_terminal and time.monotonic() - begun > PATIENCE:
            status.start()

    try:
        yield report
    finally:
        status.stop()


def described(progress: Progress) -> str:
    """One line: `fetching releases: 12 of 53, 34.1 MB`."""
    size = f", {progress.received / 1e6:.1f} MB" if progress.received else ""
    return f"{progress.step} releases: {progress.done} of {progress.of}{size}"
