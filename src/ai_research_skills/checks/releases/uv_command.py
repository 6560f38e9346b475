"""Where uv is on this machine."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def find_uv() -> str | None:
    """The uv of this machine, or the one beside this interpreter."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
