"""Asking git about the repository that a site is built from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git_output(root: Path, *arguments: str, stdin: bytes | None = None) -> bytes | None:
    """What git says about the repository at `root`; None where there is no git or no repository.

    It is kept from fetching what a partial clone lacks: a build needs no network.
    """
    try:
        result = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**os.environ, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"},
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return result.stdout if result.returncode == 0 else None
