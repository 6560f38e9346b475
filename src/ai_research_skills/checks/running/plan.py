"""What the launcher of a sandbox is told, and where things are inside. Standard library only."""

from __future__ import annotations

from typing import TypedDict

UID = 1000
"""The user inside. Outside it is whoever started the check, or `NOBODY` if that was root."""
USER = "reader"
NOBODY = 65534

HOST = "sandbox"

SCRATCH = "/scratch"
"""What a script writes is here: in the folder that it starts in, in its home and in its temporary files."""
WORK, HOME = f"{SCRATCH}/work", f"{SCRATCH}/home"
TEMPORARY = "/tmp"

EXCHANGE = "/exchange"
"""The script, what it is given and what it answers have a place of their own, so that a full disk does no harm."""
SCRIPT, GIVEN, FOUND = (f"{EXCHANGE}/{name}" for name in ("script.py", "given.json", "found.json"))


class Plan(TypedDict):
    """What the launcher has to know; `sandbox` writes it as JSON.

    Attributes:
        parent: The process that started the launcher.
        python: The interpreter, and `environment` its variables.
        script: The text of the script, and `given` that of its first file.
        links: Symbolic links of the root, and where each leads.
        shown: Files and folders of the machine, and where each can be read.
        devices: Device files beyond those that every program needs.
    """

    parent: int
    python: str
    environment: dict[str, str]
    script: str
    given: str
    links: list[tuple[str, str]]
    shown: list[tuple[str, str]]
    devices: list[str]
    seconds: float
    disk_bytes: int
    shared_bytes: int
    answer_bytes: int
    processes: int
