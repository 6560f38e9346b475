"""What one run may use of the machine."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3


@dataclass(frozen=True)
class Limits:
    """What one run may use; whatever goes beyond it is stopped.

    Attributes:
        seconds: Wall-clock time, with starting the interpreter.
        memory_bytes: Memory of all processes together, without what they map from files on disk.
        disk_bytes: Size of the scratch file system. It lies in memory, so the machine's disk stays as it is.
        shared_bytes: Size of `/dev/shm`, by which the workers of a data loader hand over their tensors.
        processes: Processes and threads at one time.
        answer_bytes: Size of the answer.
        gpu: Whether the GPUs of the machine can be seen.
    """

    seconds: float = 600
    memory_bytes: int = 8 * GIB
    disk_bytes: int = 2 * GIB
    shared_bytes: int = GIB
    processes: int = 1024
    answer_bytes: int = 64 * MIB
    gpu: bool = False


def size_in_words(size: int) -> str:
    """A number of bytes as people say it."""
    return f"{size / GIB:g} GiB" if size >= GIB else f"{size / MIB:g} MiB"
