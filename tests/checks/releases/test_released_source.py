"""The source archive of a release is found without building it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.released_source import NoSource, archive_address
from ai_research_skills.checks.releases.uv_command import find_uv
from tests.checks.releases.made_up_index import Index, sdist, wheel

PIN = Pin(distribution="kernels", version="1.0")


def test_the_index_names_the_archive_and_its_hash(index: Index, tmp_path: Path) -> None:
    built = tmp_path / "built"
    name, content = sdist("kernels", {"setup.py": f"open({str(built)!r}, 'w')\n"})
    address = index.add(name, content)
    assert archive_address(find_uv() or "uv", PIN) == (address, hashlib.sha256(content).hexdigest())
    assert not built.exists()


def test_a_release_of_wheels_has_none(index: Index) -> None:
    index.add(*wheel("kernels", {}))
    with pytest.raises(NoSource, match=r"no source archive of kernels==1\.0"):
        archive_address(find_uv() or "uv", PIN)
