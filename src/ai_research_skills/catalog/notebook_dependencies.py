"""What else decides a notebook's outputs: the project's own modules that it imports, and their data files.

Libraries are pinned by the lock file and named by the record; here are the files that change with the repository.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ai_research_skills.catalog.notebook_cells import Cell

PACKAGE = "ai_research_skills"
SOURCES = Path("src")

_EXTENSION = re.compile(r"^\s*%load_ext\s+([\w.]+)\s*$", re.MULTILINE)
_MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)


def dependencies(root: Path, cells: Iterable[Cell]) -> tuple[Path, ...]:
    """Every file of the project that the code cells load, relative to `root`, sorted.

    Imports are followed from module to module. A package brings the data files that lie in it, in folders which are
    no packages themselves too: a header, a table.
    """
    waiting = {module for cell in cells if cell.is_code for module in _imported(_plain_python(cell.source))}
    waiting |= {name for cell in cells if cell.is_code for name in _EXTENSION.findall(cell.source)}
    files: set[Path] = set()
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen or module.partition(".")[0] != PACKAGE:
            continue
        seen.add(module)
        path = _file_of(root, module)
        if path is None:
            continue
        files.add(path)
        if path.name == "__init__.py":
            files |= set(_data_files(root / path.parent, root))
        waiting |= _imported((root / path).read_text(encoding="utf-8"))
        waiting.add(module.rpartition(".")[0])
    return tuple(sorted(files))


def digest(root: Path, files: Iterable[Path]) -> str:
    """Hash of the paths and contents of `files`, which are relative to `root`."""
    found = [[path.as_posix(), hashlib.sha256((root / path).read_bytes()).hexdigest()] for path in files]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _plain_python(source: str) -> str:
    """The cell without what only IPython reads; a cell that is one magic as a whole holds no Python."""
    return "" if source.startswith("%%") else _MAGIC.sub(r"\1pass", source)


@functools.lru_cache(maxsize=256)
def _imported(source: str) -> frozenset[str]:
    """Every module that `source` may import: of `from a import b`, both `a` and `a.b`.

    Most notebooks load the same modules, so each of those is parsed once and not for every notebook.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return frozenset(found)


def _file_of(root: Path, module: str) -> Path | None:
    base = SOURCES / Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if (root / path).is_file():
            return path
    return None


def _data_files(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                yield from _data_files(path, root)
        elif path.suffix != ".py":
            yield path.relative_to(root)
