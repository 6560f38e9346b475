"""Measuring what the processes of a sandbox use together."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ai_research_skills.checks.running.limits import MIB, Limits, size_in_words

_THREADS, _RESIDENT = 17, 21
"""Fields of `/proc/PID/stat`, counted from the one after the name, proc(5)."""
_OWN = (b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")
_SPARE_BYTES = 512 * MIB
"""What must remain of the machine: not every kind of memory is some process's, such as files without a name."""


def excess(processes: int, limits: Limits) -> str:
    """Which limit the processes exceed that the folder `processes` lists, an open `/proc`; empty for none.

    Its first process is not theirs.
    """
    uses = [text.rpartition(b")")[2].split() for text in _texts(processes, "stat")]
    if sum(int(use[_THREADS]) for use in uses) > limits.processes:
        return f"started more than {limits.processes} processes and threads"
    resident = sum(int(use[_RESIDENT]) for use in uses) * mmap.PAGESIZE
    # What is resident counts a shared page once for every process. To be exact takes a visit to each page.
    if resident > limits.memory_bytes and _held(processes) > limits.memory_bytes:
        return f"used more than {size_in_words(limits.memory_bytes)} of memory"
    return "used up the memory of this machine" if _available() < _SPARE_BYTES else ""


def _held(processes: int) -> int:
    """Bytes of memory held, shared pages counted once, and those of files on disk not at all."""
    lines = (line for text in _texts(processes, "smaps_rollup") for line in text.splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith(_OWN)) * 1024


def _available() -> int:
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    (line,) = (line for line in text.splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def _texts(processes: int, name: str) -> Iterator[bytes]:
    for pid in os.listdir(processes):
        if pid.isdigit() and pid != "1":
            with suppress(OSError):
                file = os.open(f"{pid}/{name}", os.O_RDONLY, dir_fd=processes)
                with os.fdopen(file, "rb") as opened:
                    yield opened.read()
