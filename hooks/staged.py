"""One file of the site before MkDocs sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Staged:
    """A page or asset.

    Attributes:
        path: Place below the docs folder, with forward slashes; a page ends in `.md`.
        content: Text of a page, or the bytes of an asset.
        source: File of the repository that a reader edits to change the page.
    """

    path: str
    content: str | bytes
    source: Path | None = None


def page(path: str, meta: Mapping[str, Any], body: str, source: Path | None = None) -> Staged:
    """Stage a Markdown page with front matter."""
    front = yaml.safe_dump(dict(meta), allow_unicode=True, sort_keys=False, width=10_000)
    return Staged(path, f"---\n{front}---\n\n{body.strip()}\n", source)
