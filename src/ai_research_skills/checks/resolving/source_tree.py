"""What the files of packages say about the names of a module, read and never run.

A module may make names when they are asked for: by a `__getattr__` of its own (PEP 562), through a lazy loader, or by
writing into its own namespace. A type checker then takes any name, or none. What such a module is ready to make is
mostly spelt out in it, and so is what it refuses with a word of explanation.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from ai_research_skills.checks.resolving.lazy_names import LAZY_MARKS, LazyNames, lazy_names

_REWIRES = re.compile(r"sys\.meta_path|sys\.modules\[(?!__name__\])")
_HEAD = 2000
"""Letters of a file in which its generator names itself."""


class Reading(Enum):
    """What the text of a module says about one name."""

    BOUND = auto()
    """A statement of the module binds it, or it is a submodule."""
    MADE = auto()
    """The module makes it when it is asked for, and says so."""
    REFUSED = auto()
    """The module makes names, and this is none of them."""
    ABSENT = auto()
    """Nothing in the module binds or makes it."""
    OPEN = auto()
    """The module makes or binds names in a way that cannot be read."""


class Presence(Enum):
    """Whether a tree has a module."""

    THERE = auto()
    MISSING = auto()
    """Its package is there, and it is not in it."""
    UNPINNED = auto()
    """No distribution of the tree has it: nothing can be said about it."""


@dataclass(frozen=True)
class _Names:
    """The names of one module.

    Attributes:
        bound: Names that statements of the module bind when it runs.
        checked: Names that only a type checker sees it bind.
        is_open: Whether it also writes names that its text does not spell out.
    """

    bound: frozenset[str]
    checked: frozenset[str]
    lazy: LazyNames
    is_open: bool


@dataclass(frozen=True)
class SourceTree:
    """Folders in which packages lie, the first that has a module wins."""

    roots: tuple[Path, ...]
    _known: dict[Path, _Names] = field(default_factory=dict, compare=False, repr=False)
    _files: dict[str, Path | None] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, prefix: Path, sources: Sequence[Path] = ()) -> SourceTree:
        """The packages of a virtual environment, or of a tree laid out like one, and further folders."""
        folders = sorted(prefix.glob("lib/python*/site-packages")) + sorted(prefix.glob("Lib/site-packages"))
        return cls((*folders, *sources))

    def presence(self, module: str) -> Presence:
        """Whether the tree, or the standard library, has `module`."""
        top, *rest = module.split(".")
        if top in sys.stdlib_module_names or self.file(module) or self._is_folder(module):
            return Presence.THERE
        parent = ".".join([top, *rest[:-1]])
        if not rest or not self._has(parent):
            return Presence.UNPINNED if not rest else self.presence(parent)
        return Presence.UNPINNED if self._is_shared(parent) else Presence.MISSING

    def file(self, module: str) -> Path | None:
        """The file of `module`: its source before a stub of it, and either before a compiled one."""
        if module not in self._files:
            bases = [root.joinpath(*module.split(".")) for root in self.roots]
            self._files[module] = next((path for base in bases for path in _files_of(base)), None)
        return self._files[module]

    def has_stub(self, module: str) -> bool:
        """Whether the package itself brings a stub of `module`, beside its source or a compiled one."""
        bases = [root.joinpath(*module.split(".")) for root in self.roots]
        return any(path.suffix == ".pyi" for base in bases for path in _files_of(base))

    def package_of(self, file: Path) -> str:
        """The top-level module to which a file of the tree belongs; empty if it is none of the tree."""
        root = next((root for root in self.roots if file.is_relative_to(root)), None)
        return file.relative_to(root).parts[0].partition(".")[0] if root else ""

    def reads(self, module: str, name: str) -> Reading:
        """What the text of `module` says about `name`."""
        file = self.file(module)
        if file is None or file.suffix == ".so":
            return Reading.OPEN
        names = self._names(module, file, frozenset())
        if name in names.bound or self.file(f"{module}.{name}") or self._is_folder(f"{module}.{name}"):
            return Reading.BOUND
        if name in names.lazy.refused:
            return Reading.REFUSED
        if name in names.lazy.made or (names.lazy.is_lazy and name in names.checked):
            return Reading.MADE
        is_unlisted = names.lazy.is_replaced and not (names.checked or names.lazy.made)
        if names.is_open or names.lazy.is_open or is_unlisted:
            return Reading.OPEN
        return Reading.REFUSED if names.lazy.is_lazy else Reading.ABSENT

    def is_rewired(self, module: str) -> bool:
        """Whether a package above `module` redirects imports: then a file that is not there proves nothing."""
        parts = module.split(".")
        above = [".".join(parts[: count + 1]) for count in range(len(parts))]
        files = [file for one in above if (file := self.file(one)) and file.suffix != ".so"]
        return any(_REWIRES.search(file.read_text(encoding="utf-8", errors="replace")) for file in files)

    def members(self, module: str) -> frozenset[str]:
        """Every name that the text of `module` binds or makes, and its submodules."""
        file = self.file(module)
        if file is None or file.suffix == ".so":
            return frozenset()
        names = self._names(module, file, frozenset())
        beside = file.parent.iterdir() if file.stem == "__init__" else ()
        submodules = {
            path.stem for path in beside if path.suffix in {".py", ".pyi"} or (path / "__init__.py").is_file()
        }
        return names.bound | names.checked | names.lazy.made | (submodules - {"__init__"})

    def homes(self, package: str, name: str) -> tuple[str, ...]:
        """The modules of `package` that define a class or function `name`, the shallowest first."""
        found = {
            module
            for root in self.roots
            for path in _python_files(root / package)
            if _defines(path, name)
            for module in [self._shortest(path.relative_to(root), name)]
        }
        public = [module for module in found if not any(part.startswith("_") for part in module.split("."))]
        return tuple(sorted(public, key=lambda module: (module.count("."), module)))

    def _shortest(self, path: Path, name: str) -> str:
        """The outermost package that hands on what the file at `path` defines."""
        parts = path.with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        module = ".".join(parts)
        for count in range(len(parts) - 1, 0, -1):
            outer = ".".join(parts[:count])
            if self.reads(outer, name) not in {Reading.BOUND, Reading.MADE}:
                break
            module = outer
        return module

    def _has(self, module: str) -> bool:
        return self.file(module) is not None or self._is_folder(module)

    def _is_folder(self, module: str) -> bool:
        folders = (root.joinpath(*module.split(".")) for root in self.roots)
        return any(_holds_code(folder) for folder in folders if folder.is_dir())

    def _is_shared(self, module: str) -> bool:
        """Whether several distributions may put modules into this package."""
        file = self.file(module)
        return file is None or (
            file.suffix != ".so" and _mentions(file, ("extend_path", "declare_namespace"))
        )

    def _names(self, module: str, file: Path, above: frozenset[Path]) -> _Names:
        if file not in self._known:
            self._known[file] = self._read(module, file, above | {file})
        return self._known[file]

    def _read(self, module: str, file: Path, above: frozenset[Path]) -> _Names:
        text = file.read_text(encoding="utf-8", errors="replace")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except (SyntaxError, ValueError):
            return _Names(frozenset(), frozenset(), LazyNames(), is_open=True)
        statements = _Statements(tree)
        bound, is_open = set(statements.bound), _writes_own_names(text, tree)
        package = module if file.stem == "__init__" else module.rpartition(".")[0]
        for star in statements.stars:
            source = _absolute(star, package)
            other = self.file(source) if source else None
            if other is None or other.suffix == ".so":
                is_open = is_open or self.presence(source) is not Presence.MISSING
            elif other not in above:
                found = self._names(source, other, above)
                bound |= found.bound
                is_open = is_open or found.is_open
        lazy = lazy_names(tree) if any(mark in text for mark in LAZY_MARKS) else LazyNames()
        return _Names(frozenset(bound), frozenset(statements.checked), lazy, is_open)


def is_generated(file: Path) -> bool:
    """Whether a generator of bindings wrote the file, or the one that a hand-written stub beside it describes."""
    if _begins_with(file, ("generated by SWIG", "Generated by the protocol buffer compiler")):
        return True
    beside = file.parent.glob("*.py") if file.suffix == ".pyi" else ()
    return any(_begins_with(other, ("generated by SWIG",)) for other in beside)


def _begins_with(file: Path, marks: Sequence[str]) -> bool:
    """Whether the first lines of a file say one of `marks`."""
    with file.open(encoding="utf-8", errors="replace") as text:
        head = text.read(_HEAD)
    return any(mark in head for mark in marks)


def _files_of(base: Path) -> Iterator[Path]:
    """The files that may be the module whose path without an ending is `base`, those that say most first."""
    for path in (base / "__init__", base):
        yield from (
            file for ending in (".py", ".pyi") if (file := path.with_name(path.name + ending)).is_file()
        )
    if base.parent.is_dir():
        yield from (
            file
            for file in base.parent.iterdir()
            if file.suffix == ".so" and file.name.startswith(f"{base.name}.")
        )


class _Statements:
    """The statements that run when a module is imported."""

    def __init__(self, tree: ast.Module) -> None:
        self.bound: set[str] = set()
        self.checked: set[str] = set()
        self.stars: list[ast.ImportFrom] = []
        for statement in tree.body:
            self._take(statement, is_checked=False)

    def _take(self, node: ast.stmt, *, is_checked: bool) -> None:
        names = self.checked if is_checked else self.bound
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names if alias.name != "*")
            if not is_checked:  # what only a checker follows, the engine has followed
                self.stars += [node for alias in node.names if alias.name == "*"]
        else:
            names.update(_stored(node))
            for_checkers = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
            for block, statements in ast.iter_fields(node):
                for part in statements if isinstance(statements, list) else ():
                    inner = part.body if isinstance(part, ast.ExceptHandler | ast.match_case) else [part]
                    for statement in inner:
                        if isinstance(statement, ast.stmt):
                            self._take(statement, is_checked=is_checked or (for_checkers and block == "body"))


def _stored(node: ast.stmt) -> Iterator[str]:
    """The names that the head of a statement binds; what stands in its blocks is taken statement by statement."""
    heads = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]
    for head in heads:
        for part in ast.walk(head):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id
    if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name):
        yield node.target.id


def _writes_own_names(text: str, tree: ast.Module) -> bool:
    """Whether a module writes into its own namespace, or into that of another."""
    marks = ("globals(", "vars(", "locals(", "sys.modules", "setattr(", "__dict__")
    if not any(mark in text for mark in marks):
        return False
    nodes = list(ast.walk(tree))
    looked_up = {
        node.value for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
    }
    looked_up |= {node.value for node in nodes if isinstance(node, ast.Attribute) and node.attr == "get"}
    return any(_writes_names(node) for node in nodes if node not in looked_up)


def _writes_names(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        is_module = ast.unparse(node.value) == "sys.modules" and ast.unparse(node.slice) != "__name__"
        return is_module or ast.unparse(node.value) in {"vars()", "locals()"}
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        target = ast.unparse(node.args[0]) if node.args else ""
        return called in {"globals", "vars().update", "locals().update"} or (
            called == "setattr"
            and ("sys.modules" in target or "__name__" in target or "module" in target.lower())
        )
    return (
        isinstance(node, ast.Attribute) and node.attr == "__dict__" and isinstance(node.value, ast.Subscript)
    )


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _holds_code(folder: Path) -> bool:
    return any(
        Path(name).suffix in {".py", ".pyi", ".so"}
        for _, _, names in os.walk(folder, followlinks=True)
        for name in names
    )


def _python_files(folder: Path) -> list[Path]:
    """The Python files below `folder`, in whose place there may be a link."""
    found = os.walk(folder, followlinks=True)
    return sorted(Path(base, name) for base, _, names in found for name in names if name.endswith(".py"))


def _mentions(file: Path, words: Sequence[str]) -> bool:
    text = file.read_text(encoding="utf-8", errors="replace")
    return any(word in text for word in words)


def _defines(path: Path, name: str) -> bool:
    text = "\n" + path.read_text(encoding="utf-8", errors="replace")
    return f"\nclass {name}(" in text or f"\nclass {name}:" in text or f"\ndef {name}(" in text
