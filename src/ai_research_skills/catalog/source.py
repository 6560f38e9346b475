"""Reading one text file from a tree that somebody else wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.problem import Problem

LARGEST_SOURCE = 1_000_000
"""Bytes; the longest hand-written reference is a fortieth of this, so more is a dump or a mistake."""


@dataclass(frozen=True)
class Source:
    """A text file with its faults: `text` is LF-only and without a byte-order mark."""

    path: Path
    text: str
    problems: tuple[Problem, ...] = ()


def read_source(root: Path, path: Path) -> Source:
    """Read `path` below `root`; never raises, an unreadable file has empty text and a problem."""
    relative = path.relative_to(root)

    def unreadable(message: str, mend: str) -> Source:
        return Source(relative, "", (Problem(relative, 0, message, mend),))

    if not path.resolve().is_relative_to(root.resolve()):
        return unreadable("is a link out of the tree", "replace the link by the file itself")
    try:
        size = path.stat().st_size
        if size > LARGEST_SOURCE:
            return unreadable(
                f"has {size:,} bytes, more than {LARGEST_SOURCE:,}",
                "split it, or link to the upstream document instead of copying it",
            )
        raw = path.read_bytes()
    except OSError as error:
        return unreadable(f"cannot be read: {error.strerror}", "restore the file or its permissions")
    return _decode(relative, raw)


def _decode(path: Path, raw: bytes) -> Source:
    problems = []
    if raw.startswith(b"\xef\xbb\xbf"):
        problems.append(Problem(path, 1, "starts with a byte-order mark", "save it as UTF-8 without a BOM"))
        raw = raw[3:]
    if b"\r" in raw:
        line = raw[: raw.index(b"\r")].count(b"\n") + 1
        problems.append(Problem(path, line, "has CR line ends", "convert the line ends to LF"))
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        byte = raw[error.start]
        problem = Problem(path, line, f"is not UTF-8 (byte 0x{byte:02x})", "save the file as UTF-8")
        return Source(path, "", (*problems, problem))
    return Source(path, text, tuple(problems))
