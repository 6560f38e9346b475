"""Whether a notebook may be published: its records are fresh, clean and within their limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ai_research_skills.catalog.notebook import Notebook
from ai_research_skills.catalog.notebook_record import RENEW, Device, Record
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.checks.figure_history import figure_faults

LONGEST_CPU = 60.0
"""CPU seconds of a notebook without a GPU: all of them must fit into one job on two cores."""

LONGEST_GPU = 45.0
"""Wall seconds of a notebook on a GPU."""


def record_problems(notebooks: Iterable[Notebook]) -> Iterator[Problem]:
    """Faults of the records that anybody can mend, a stale CPU record among them, or that their makers have to."""
    for notebook in notebooks:
        yield from _stale(notebook, Device.CPU)
        for record in notebook.records:
            yield from _unclean(notebook, record)
            yield from _too_slow(record)
            for fault in figure_faults(record.provenance.figures):
                yield Problem(record.path, 0, fault.message, fault.mend)


def unpublishable(notebooks: Iterable[Notebook]) -> Iterator[Problem]:
    """What keeps the site from being published besides: no CPU record at all, or a stale one of a GPU."""
    for notebook in notebooks:
        if not any(each.provenance.kind is Device.CPU for each in (*notebook.records, *notebook.stale)):
            renew = f"run `{RENEW.format(address=notebook.address)}`"
            yield Problem(notebook.path, 0, "has no record of a CPU run", renew)
        yield from _stale(notebook, Device.GPU)


def wanting_gpu(notebooks: Iterable[Notebook]) -> tuple[str, ...]:
    """Addresses of the notebooks for a GPU that no fresh GPU record stands behind."""
    return tuple(book.address for book in notebooks if book.wants_gpu and not book.record(Device.GPU))


def _stale(notebook: Notebook, kind: Device) -> Iterator[Problem]:
    renew = f"run `{RENEW.format(address=notebook.address)}`"
    if kind is Device.GPU:
        renew += " on a GPU, or delete the record: the page then says that no GPU ran it"
    for record in notebook.stale:
        if record.provenance.kind is kind:
            yield Problem(record.path, 0, f"is stale: {'; '.join(record.faults)}", renew)


def _unclean(notebook: Notebook, record: Record) -> Iterator[Problem]:
    if record.provenance.dirty:
        renew = RENEW.format(address=notebook.address)
        message = "was made from a notebook or module with uncommitted changes"
        yield Problem(record.path, 0, message, f"commit, then run `{renew}`")


def _too_slow(record: Record) -> Iterator[Problem]:
    made = record.provenance
    if made.kind is Device.CPU and made.cpu_seconds > LONGEST_CPU:
        message = f"took {made.cpu_seconds:.0f} CPU seconds, more than {LONGEST_CPU:.0f}"
        yield Problem(record.path, 0, message, "shrink what `device.choose(cpu=…)` picks")
    if made.kind is Device.GPU and made.seconds > LONGEST_GPU:
        message = f"took {made.seconds:.0f} s, more than {LONGEST_GPU:.0f}"
        yield Problem(record.path, 0, message, "shrink what `device.choose(cuda=…)` picks")
