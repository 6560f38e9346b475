"""The Python files of a release that has no wheel for this machine, read from its source archive; nothing is built."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
import tarfile
import tempfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

from ai_research_skills.catalog.skill import Pin

_PROJECT = """\
[project]
name = "asks-for-an-archive"
version = "0"
requires-python = ">=3.11"
dependencies = [{pin}]

[[tool.uv.dependency-metadata]]
name = {name}
version = {version}
requires-dist = []
"""

_OPAQUE = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
"""A module that is there, and of which nothing is known: what a build would compile."""


class NoSource(Exception):
    """The source archive of a release is not to be had."""


def released_source(uv: str, cache: Path, pin: Pin) -> Path:
    """A folder with the `.py` and `.pyi` files of `pin`, and an opaque stub for each module that it would compile.

    The address and the hash come from the index that uv is set up with.

    Raises:
        NoSource: The index does not name an archive, or it is not the one that the index names.
    """
    folder = cache / f"{pin.distribution}-{pin.version}"
    if not folder.is_dir():
        url, sha256 = archive_address(uv, pin)
        content = _fetched(url)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise NoSource(f"the archive of {pin} is not the one that the index names")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as draft:
            _unpack(url, content, Path(draft, "source"))
            Path(draft, "source").rename(folder)
    return folder


def archive_address(uv: str, pin: Pin) -> tuple[str, str]:
    """Address and hash of the source archive, as uv locks them; no metadata is asked for, so no build starts."""
    with tempfile.TemporaryDirectory() as folder:
        words = {"pin": json.dumps(str(pin)), "name": json.dumps(pin.distribution)}
        project = _PROJECT.format(**words, version=json.dumps(pin.version))
        Path(folder, "pyproject.toml").write_text(project, encoding="utf-8")
        command = [uv, "lock", "--quiet", "--directory", folder]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise NoSource(result.stderr.strip())
        lock = tomllib.loads(Path(folder, "uv.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        sdist = package.get("sdist", {})
        if package["name"] == pin.distribution and "url" in sdist:
            return sdist["url"], sdist["hash"].removeprefix("sha256:")
    raise NoSource(f"the index has no source archive of {pin}")


def _fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            content: bytes = answer.read()
    except OSError as error:
        raise NoSource(str(error)) from error
    return content


def _unpack(name: str, content: bytes, folder: Path) -> None:
    """Write the Python files of an archive so that its packages lie at the top of `folder`."""
    folder.mkdir()
    files = {PurePosixPath(*path.parts[1:]): text for path, text in _members(name, content) if path.parts[1:]}
    root = (
        PurePosixPath("src")
        if PurePosixPath("src") in {top for path in files for top in path.parents}
        else None
    )
    for path, text in files.items():
        place = path.relative_to(root) if root and path.is_relative_to(root) else path
        if ".." not in place.parts and place.suffix in {".py", ".pyi"}:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(text)
    for module in _compiled(files.get(PurePosixPath("setup.py"), b"")):
        stub = folder.joinpath(*module.split(".")).with_suffix(".pyi")
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(_OPAQUE, encoding="utf-8")


def _members(name: str, content: bytes) -> Iterator[tuple[PurePosixPath, bytes]]:
    if name.endswith(".zip"):
        with zipfile.ZipFile(BytesIO(content)) as archive:
            for entry in archive.namelist():
                if entry.endswith((".py", ".pyi")):
                    yield PurePosixPath(entry), archive.read(entry)
        return
    with tarfile.open(fileobj=BytesIO(content)) as tar:
        for member in tar:
            file = (
                tar.extractfile(member) if member.isfile() and member.name.endswith((".py", ".pyi")) else None
            )
            if file:
                yield PurePosixPath(member.name), file.read()


def _compiled(setup: bytes) -> Iterator[str]:
    """The modules that a build script names in calls such as `CUDAExtension(name="flash_attn_2_cuda")`."""
    try:
        tree = ast.parse(setup)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Extension"):
            names = [keyword.value for keyword in node.keywords if keyword.arg == "name"] + node.args[:1]
            for name in names:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    yield name.value
