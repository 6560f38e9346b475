"""Where the registry has the source archive of a release; its metadata is not asked for, so no build starts."""

from __future__ import annotations

import json
import subprocess
import tempfile
import tomllib
from pathlib import Path

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


class NoSource(Exception):
    """The source archive of a release is not to be had."""


def archive_address(uv: str, pin: Pin) -> tuple[str, str]:
    """Address and hash of the source archive, as uv locks them.

    Raises:
        NoSource: The index does not name an archive.
    """
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
