"""Finding what a dotted name stands for in the Python files of a release, opening only the files on the way.

Loading a whole package takes half a minute where it is large, and the examples of a skill use a handful of names.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import griffe

HOPS = 20
"""How many imports are followed from a public name to its definition."""

_DEFINITION = re.compile(r"^(?:class|def|async def)\s+(\w+)|^(\w+)\s*[:=]", flags=re.MULTILINE)


class PackageSources:
    """The files of one package of one release.

    Args:
        folders: Where to look for it, packages at the top; the first that has it wins.
        package: Its import name.
    """

    def __init__(self, folders: Sequence[Path], package: str) -> None:
        self._package = package
        self._modules: dict[str, griffe.Module | None] = {}
        self._top = next((folder for folder in folders if _file(folder, package)), None)

    @property
    def exists(self) -> bool:
        return self._top is not None

    def find(self, name: str) -> griffe.Object | None:
        """The class, function, attribute or module of that name, or None if it is not seen."""
        found = self._find(name, set())
        return _flat(list(self._lineage(found))) if isinstance(found, griffe.Class) else found

    def lacks(self, name: str) -> bool:
        """Whether it is sure that there is no such name: everything that could bring it is in the files."""
        owner, _, last = name.rpartition(".")
        found = self._find(owner, set())
        if not isinstance(found, griffe.Class):
            return last not in self._definitions
        lineage = list(self._lineage(found))
        known = {one.path for one in lineage}
        bases = {_path(base) for one in lineage for base in one.bases}
        paths = {base: self._find(base, set()) for base in bases if not _is_plain(base)}
        is_closed = all(base is not None and base.path in known for base in paths.values())
        return is_closed and not any({last, "__getattr__"} & set(one.members) for one in lineage)

    def _find(self, name: str, seen: set[str]) -> griffe.Object | None:
        if name in seen or len(seen) > HOPS or name.partition(".")[0] != self._package:
            return None
        seen.add(name)
        whole = self._module(name)
        if whole:
            return whole
        parts = name.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self._module(".".join(parts[:cut]))
            if module:
                found = self._member(module, parts[cut], seen)
                for part in parts[cut + 1 :]:
                    found = self._below(found, part, seen) if found else None
                return found
        return None

    def _below(self, owner: griffe.Object, part: str, seen: set[str]) -> griffe.Object | None:
        if isinstance(owner, griffe.Module):
            return self._member(owner, part, seen)
        owners = self._lineage(owner) if isinstance(owner, griffe.Class) else [owner]
        members = [member for one in owners if isinstance(member := one.members.get(part), griffe.Object)]
        return members[0] if members else None

    def _lineage(self, owner: griffe.Class, seen: frozenset[str] = frozenset()) -> Iterator[griffe.Class]:
        """The class, and below it the bases that are in the files."""
        yield owner
        for base in owner.bases:
            found = self._find(_path(base), set())
            if isinstance(found, griffe.Class) and found.path not in seen | {owner.path}:
                yield from self._lineage(found, seen | {owner.path})

    def _member(self, module: griffe.Module, name: str, seen: set[str]) -> griffe.Object | None:
        member = module.members.get(name)
        if isinstance(member, griffe.Alias):
            return self._find(member.target_path, seen) or self._somewhere(module, name)
        if member is not None:
            return member
        return (
            self._module(f"{module.path}.{name}")
            or self._somewhere(module, name)
            or self._through_wildcards(module, name, seen)
        )

    def _through_wildcards(self, module: griffe.Module, name: str, seen: set[str]) -> griffe.Object | None:
        """What `from … import *` brings; of the modules that it names only those that hold the name are opened."""
        homes = self._definitions.get(name, ())
        for one in list(module.members.values()):
            wildcard = one.wildcard if isinstance(one, griffe.Alias) else None
            key = f"{wildcard}.{name}"
            if wildcard and key not in seen and any(f"{home}.".startswith(f"{wildcard}.") for home in homes):
                seen.add(key)
                there = self._module(wildcard)
                if there and (found := self._member(there, name, seen)):
                    return found
        return None

    def _somewhere(self, module: griffe.Module, name: str) -> griffe.Object | None:
        """The one definition of a name that a package passes on when it is asked for it, if there is only one."""
        homes = [home for home in self._definitions.get(name, ()) if home.startswith(f"{module.path}.")]
        there = self._module(homes[0]) if len(homes) == 1 else None
        member = there.members.get(name) if there else None
        return member if isinstance(member, griffe.Object) else None

    def _module(self, name: str) -> griffe.Module | None:
        if name not in self._modules:
            self._modules[name] = self._visited(name)
        return self._modules[name]

    def _visited(self, name: str) -> griffe.Module | None:
        file = _file(self._top, name) if self._top else None
        if file is None or self._top is None:
            return None
        parent: griffe.Module | None = None
        *above, last = name.split(".")
        for depth, part in enumerate(above, start=1):
            init = _file(self._top, ".".join(above[:depth]))
            parent = griffe.Module(part, filepath=init, parent=parent)
        try:
            return griffe.visit(last, file, file.read_text(encoding="utf-8", errors="replace"), parent=parent)
        except (SyntaxError, ValueError, RecursionError):
            return None

    @cached_property
    def _definitions(self) -> dict[str, list[str]]:
        """For each name that is defined at the top of a file, the modules that do."""
        found: dict[str, list[str]] = defaultdict(list)
        if self._top is None:
            return found
        for path in sorted((self._top / self._package).rglob("*.py*")):
            if path.suffix in {".py", ".pyi"}:
                text = path.read_text(encoding="utf-8", errors="replace")
                for name in {match[1] or match[2] for match in _DEFINITION.finditer(text)}:
                    found[name].append(_dotted(path, self._top))
        return found


def _flat(lineage: Sequence[griffe.Class]) -> griffe.Class:
    """A class with what it inherits within the package, so that a member moved to a base is not called removed."""
    owner = lineage[0]
    flat = griffe.Class(owner.name, decorators=owner.decorators)
    is_dataclass = any("dataclass" in str(decorator.value) for decorator in owner.decorators)
    for one in reversed(lineage):
        for name, member in one.members.items():
            is_made_anew = name == "__init__" and is_dataclass and one is not owner
            if isinstance(member, griffe.Object) and not is_made_anew:
                flat.members[name] = member
    return flat


def _path(base: str | griffe.Expr) -> str:
    return base if isinstance(base, str) else base.canonical_path


def _is_plain(base: str) -> bool:
    """Whether a base class brings no names of its own that an example would use."""
    return base == "object" or base.partition(".")[0] in {"abc", "typing", "typing_extensions"}


def _file(folder: Path, name: str) -> Path | None:
    """The file of a module; a stub says more than the code that it stands beside."""
    place = folder.joinpath(*name.split("."))
    candidates = (
        place / "__init__.pyi",
        place / "__init__.py",
        place.with_name(f"{place.name}.pyi"),
        place.with_name(f"{place.name}.py"),
    )
    return next((path for path in candidates if path.is_file()), None)


def _dotted(path: Path, top: Path) -> str:
    parts = path.relative_to(top).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
