"""The one door to the notebook's output; outside a notebook there is a terminal."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any


def emit(bundle: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
    """Display `bundle` (data by media type), or print its `text/plain` where no kernel is running."""
    try:
        ipython: Any = importlib.import_module("IPython")
    except ImportError:
        ipython = None
    if ipython is None or ipython.get_ipython() is None:
        print(bundle["text/plain"])
        return
    importlib.import_module("IPython.display").display(dict(bundle), metadata=dict(metadata or {}), raw=True)
