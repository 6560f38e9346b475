"""The Python of a release without a wheel comes from its archive, checked, unpacked and never built."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases import released_source as module
from ai_research_skills.checks.releases.released_source import NoSource, released_source

PIN = Pin(distribution="kernels", version="1.0")
FILES = {
    "kernels-1.0/kernels/__init__.py": "x = 1\n",
    "kernels-1.0/kernels/big.cu": "no python",
    "kernels-1.0/setup.py": "raise SystemExit('built')\nCUDAExtension(name='kernels_cuda', sources=[])\n",
}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts an archive where the index would name one; the given hash is the one that it names."""
    path = tmp_path / "kernels-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, BytesIO(text.encode()))

    def name(sha256: str = "") -> None:
        found = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
        monkeypatch.setattr(module, "archive_address", lambda uv, pin: (path.as_uri(), found))

    return name


def test_python_files_and_opaque_stubs_are_all_that_is_kept(
    tmp_path: Path, archive: Callable[..., None]
) -> None:
    archive()
    folder = released_source("uv", tmp_path / "cache", PIN)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"kernels/__init__.py", "setup.py", "kernels_cuda.pyi"}
    assert "-> Any" in (folder / "kernels_cuda.pyi").read_text()


def test_another_archive_than_the_index_names_is_refused(
    tmp_path: Path, archive: Callable[..., None]
) -> None:
    archive("0" * 64)
    with pytest.raises(NoSource, match="is not the one"):
        released_source("uv", tmp_path / "cache", PIN)
    assert not (tmp_path / "cache").exists()
