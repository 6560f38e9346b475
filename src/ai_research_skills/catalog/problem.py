"""What is wrong with a file, said so that the reader can mend it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of one file.

    Attributes:
        path: The file, relative to the root that was read.
        line: One-based line, or 0 where the fault is the file as a whole.
        message: What is wrong.
        mend: What to do about it.
    """

    path: Path
    line: int
    message: str
    mend: str

    def __str__(self) -> str:
        place = f"{self.path.as_posix()}:{self.line}" if self.line else self.path.as_posix()
        return f"{place}: {self.message} → {self.mend}"

    def as_json(self) -> dict[str, str | int]:
        return {
            "path": self.path.as_posix(),
            "line": self.line,
            "message": self.message,
            "mend": self.mend,
        }


class CatalogError(Exception):
    """A tree could not be read as it stands; `problems` holds every fault found, in order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))
