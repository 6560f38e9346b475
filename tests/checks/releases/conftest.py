"""A registry on this machine and an empty cache: nothing of these tests leaves either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checks.releases.made_up_index import Index, served


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uv remembers, such as where this machine has its Pythons: finding them takes longer than a test."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture
def index(tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """The registry that uv asks, with nothing in it yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    with served(Index()) as made:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{made.address}/simple")
        yield made


@pytest.fixture
def cache(index: Index, tmp_path: Path) -> Path:
    """Where everything is kept."""
    return tmp_path / "cache" / "ai-research-skills"
