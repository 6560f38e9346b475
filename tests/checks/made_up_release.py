"""A made-up release in a real environment: what checkers see of it, what only importing shows, what neither does."""

from __future__ import annotations

import os
import venv
from pathlib import Path

FILES = {
    "toolbox/__init__.py": """
from toolbox.core import Machine, Result, connect


def untyped(x):
    return x


def passes(size: int = 1, **options):
    return Machine(**options)


globals()["Hidden"] = type("Hidden", (), {})


def __getattr__(name):
    if name == "Lazy":
        return Machine
    raise AttributeError(name)
""",
    "toolbox/core.py": """
from typing import Any, Literal, overload


class Result:
    total: int = 0


class Bag(Result):
    extra: int = 1


class Machine:
    def __init__(self, *, speed: int = 1) -> None:
        self.speed = speed

    def run(self, steps: int) -> Result:
        return Bag()


@overload
def connect(kind: Literal["a"], *, retries: int = 0) -> Machine: ...
@overload
def connect(kind: Literal["b"], *, timeout: int = 0) -> Machine: ...
def connect(kind: str, **options: Any) -> Machine:
    return Machine()
""",
    "toolbox/compiled.py": """
def build(size: int) -> int:
    return size


def __getattr__(name):
    if name != "late":
        raise AttributeError(name)
    import sys
    if "toolbox.switch" in sys.modules:
        return build
    raise AttributeError(name)
""",
    "toolbox/compiled.pyi": """
def build(size: int) -> int: ...
def only_declared(size: int) -> int: ...
def late(size: int) -> int: ...
""",
    "toolbox/switch.py": "",
    "toolbox/gpu.py": """
import no_such_driver


def kernel(x: int, *, causal: bool = False) -> int:
    return x
""",
    "toolbox/cli.py": """
import argparse
import json
import sys


def main() -> None:
    parser = argparse.ArgumentParser("toolbox")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve")
    serve.add_argument("model")
    serve.add_argument("--port", type=int)
    serve.add_argument("--config")
    words = sys.argv[1:]
    if "--config" in words:
        position = words.index("--config") + 1
        given = json.load(open(words[position]))
        words += [word for key, value in given.items() for word in (f"--{key}", str(value))]
    parser.parse_args(words)
    raise SystemExit("the server started")
""",
    "toolbox-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toolbox\nVersion: 1.0\n",
    "toolbox-1.0.dist-info/entry_points.txt": "[console_scripts]\ntoolbox = toolbox.cli:main\n",
}


def make_environment(folder: Path) -> Path:
    """An environment with the made-up release; returns its interpreter."""
    venv.create(folder, symlinks=os.name != "nt")
    (packages,) = folder.glob("lib/python*/site-packages")
    for name, text in FILES.items():
        (packages / name).parent.mkdir(exist_ok=True)
        (packages / name).write_text(text, encoding="utf-8")
    (folder / "bin" / "toolbox").touch()
    return folder / "bin" / "python"
