"""Writing a record so that nobody ever sees half of it."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put `text` at `path` in one step, its folder included; a failure leaves what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".partial")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
