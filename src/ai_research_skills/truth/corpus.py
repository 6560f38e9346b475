"""The source of Python's standard library as bytes: real text, on every machine, with a licence.

© Python Software Foundation, https://docs.python.org/3/license.html
"""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

SKIPPED = frozenset(
    {"dist-packages", "encodings", "idle_test", "pydoc_data", "site-packages", "test", "tests"}
)
"""Folders of other people's code, of tests, and of tables that are no text."""

HELD_OUT_EVERY = 10
"""One file in ten is never trained on."""


@dataclass(frozen=True)
class Corpus:
    """Bytes to train on and bytes of other files, both uint8 [bytes]."""

    train: Tensor
    held_out: Tensor

    @property
    def sha256(self) -> str:
        """Of both parts, hexadecimal."""
        parts = (part.cpu().numpy().tobytes() for part in (self.train, self.held_out))
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def to(self, device: str | torch.device) -> Corpus:
        """The same bytes on another device."""
        return Corpus(self.train.to(device), self.held_out.to(device))


def standard_library() -> Corpus:
    """All modules of the running Python's standard library; about 10 MB, which differ from version to version."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found = [path for path in sorted(root.rglob("*.py")) if not SKIPPED & set(path.relative_to(root).parts)]
    held_out = found[::HELD_OUT_EVERY]
    return Corpus(train=_joined(sorted(set(found) - set(held_out))), held_out=_joined(held_out))


def _joined(paths: Iterable[Path]) -> Tensor:
    return torch.frombuffer(bytearray(b"\n".join(path.read_bytes() for path in paths)), dtype=torch.uint8)
