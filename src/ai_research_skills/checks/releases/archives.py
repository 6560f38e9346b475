"""The Python files inside a wheel or a source archive. Archives are other people's: nothing in one is trusted or run."""

from __future__ import annotations

import ast
import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

MEMBER_LIMIT = 64 * 2**20
"""Bytes of one file that is kept. The largest Python file of the pinned releases has 3 MB."""
KEPT_LIMIT = 2**29
"""Bytes of all files of one archive that are kept. The largest of the pinned releases, torch, has 59 MB."""
UNPACKED_LIMIT = 4 * 2**30
"""Bytes of a source archive, unpacked. It has to be read through to its end."""
COUNT_LIMIT = 200_000
"""Files in one archive."""

OPAQUE = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
"""A module that is there, and of which nothing is known: a compiled one."""

Files = Mapping[PurePosixPath, bytes]

_SOURCES = frozenset({".py", ".pyi"})
_RECORDS = frozenset({"METADATA", "entry_points.txt", "top_level.txt"})
_COMPILED = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<tag>\.(cpython-|cp\d|abi3|pypy)[\w.-]*)?\.(so|pyd)")
_ROOTS = ("", "src", "python", "lib")
_NOT_INSTALLED = frozenset(
    {
        "benchmark",
        "benchmarks",
        "build",
        "dist",
        "doc",
        "docs",
        "example",
        "examples",
        "test",
        "tests",
        "tools",
    }
)
_ARCHIVE = re.compile(r"\.(zip|tgz|tar(\.\w+)?)$")
_UNSAFE = re.compile(r"[\x00-\x1f\\]|^[A-Za-z]:|^/")


class RefusedArchive(Exception):
    """The archive is damaged, larger than anything that teaches an API, or tries to leave its folder."""


@dataclass(frozen=True)
class Member:
    """One file that is kept: where it belongs in `site-packages`, and how to read it.

    Attributes:
        size: Bytes, unpacked.
        start: Where it begins in the archive, its header included.
        stored: Bytes that it takes up there, its header aside.
    """

    path: PurePosixPath
    size: int
    start: int
    stored: int
    read: Callable[[], bytes]


def unpack_wheel(archive: zipfile.ZipFile, folder: Path) -> None:
    """Write the Python files and the metadata of a wheel to `folder`, and an opaque stub for each compiled module.

    Raises:
        RefusedArchive: It is not a sound wheel.
    """
    with refusing():
        _write(((member.path, member.read()) for member in wheel_members(archive)), folder)
        _write_stubs(_compiled(_installed(_checked(name)) for name in archive.namelist()), folder)


def wheel_members(archive: zipfile.ZipFile) -> list[Member]:
    """What is kept of a wheel, in the order in which it lies there.

    Raises:
        RefusedArchive: A member has an unsafe name or is no plain file, or there is too much.
    """
    kept = []
    for entry in sorted(_entries(archive), key=lambda entry: entry.header_offset):
        place = _installed(PurePosixPath(entry.filename))
        if _is_kept(place):
            read = partial(archive.read, entry)
            kept.append(Member(place, entry.file_size, entry.header_offset, entry.compress_size, read))
    return _within_limits(kept)


def unpack_source(path: Path, name: str, folder: Path) -> None:
    """Write the packages of a source archive to `folder`, where installing them would place them.

    What a build would compile becomes an opaque stub. What the archive says of its release becomes `METADATA` and
    `requires.txt` in a `dist-info` folder. Nothing is built.

    Args:
        path: The archive.
        name: Its file name, `DISTRIBUTION-VERSION.tar.gz`.
        folder: Where to write.

    Raises:
        RefusedArchive: It is not a sound source archive.
    """
    with refusing():
        entries = _zipped(path) if name.endswith(".zip") else _tarred(path)
        files = {PurePosixPath(*place.parts[1:]): text for place, text in entries if place.parts[1:]}
        stem = _ARCHIVE.sub("", name)
        placed = _placed(files, stem.partition("-")[0])
        placed |= {PurePosixPath(f"{stem}.dist-info", key): text for key, text in _records(files)}
        _write(placed.items(), folder)
        _write_stubs(_to_be_compiled(files.get(PurePosixPath("setup.py"), b"")), folder)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the standard library says of a broken archive into a refusal."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        raise RefusedArchive(f"cannot be unpacked: {error}") from error


def _entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The files of a zip archive, each found safe; folders aside."""
    entries = archive.infolist()
    if len(entries) > COUNT_LIMIT:
        raise RefusedArchive(f"has more than {COUNT_LIMIT} files")
    for entry in entries:
        _checked(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise RefusedArchive(f"has {entry.filename!r}, which is a link or a device")
        if not entry.is_dir():
            yield entry


def _checked(name: str) -> PurePosixPath:
    """The path that `name` spells, if it cannot lead out of a folder on any system."""
    path = PurePosixPath(name)
    if not name or _UNSAFE.search(name) or ".." in path.parts:
        raise RefusedArchive(f"has the unsafe path {name!r}")
    return path


def _installed(path: PurePosixPath) -> PurePosixPath:
    """Where a member of a wheel goes: what lies in `NAME.data/purelib` belongs beside the packages."""
    parts = path.parts
    if len(parts) > 2 and parts[0].endswith(".data") and parts[1] in {"purelib", "platlib"}:
        return PurePosixPath(*parts[2:])
    return path


def _is_kept(place: PurePosixPath) -> bool:
    top = place.parts[0]
    if top.endswith(".data"):
        return False
    if top.endswith(".dist-info"):
        return len(place.parts) == 2 and place.name in _RECORDS
    return place.suffix in _SOURCES or place.name == "py.typed"


def _within_limits(members: list[Member]) -> list[Member]:
    for member in members:
        if member.size > MEMBER_LIMIT:
            raise RefusedArchive(
                f"has {str(member.path)!r} of {member.size} bytes; {MEMBER_LIMIT} is the limit"
            )
    total = sum(member.size for member in members)
    if total > KEPT_LIMIT:
        raise RefusedArchive(f"has {total} bytes of Python; {KEPT_LIMIT} is the limit")
    return members


def _write(files: Iterable[tuple[PurePosixPath, bytes]], folder: Path) -> None:
    for path, content in files:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def _write_stubs(modules: Iterable[PurePosixPath], folder: Path) -> None:
    """An opaque stub for each module that nothing else describes."""
    for module in modules:
        stub = folder / module.with_suffix(".pyi")
        if not stub.exists() and not stub.with_suffix(".py").exists():
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.write_text(OPAQUE, encoding="utf-8")


def _compiled(paths: Iterable[PurePosixPath]) -> Iterator[PurePosixPath]:
    """The compiled modules among the files of a wheel; a shared library (`libNAME.so`) is none."""
    for path in paths:
        match = _COMPILED.fullmatch(path.name)
        if match and (match["tag"] or not path.name.startswith("lib")):
            yield path.with_name(match["name"])


def _zipped(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    with zipfile.ZipFile(path) as archive:
        read = 0
        for entry in _entries(archive):
            if _is_wanted(place := PurePosixPath(entry.filename)):
                read = _counted(read, place, entry.file_size)
                yield place, archive.read(entry)


def _tarred(path: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The wanted files of a tar archive, read as a stream. Links are left out; one that leads out is refused."""
    read = 0
    with _decompressed(path) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        for count, member in enumerate(tar):
            if count >= COUNT_LIMIT:
                raise RefusedArchive(f"has more than {COUNT_LIMIT} files")
            place = _checked(member.name)
            if member.issym() or member.islnk():
                _hold_inside(member, place)
            elif not (member.isfile() or member.isdir()):
                raise RefusedArchive(f"has {member.name!r}, which is a device")
            elif member.isfile() and _is_wanted(place):
                read = _counted(read, place, member.size)
                yield place, cast("IO[bytes]", tar.extractfile(member)).read()


def _is_wanted(path: PurePosixPath) -> bool:
    return path.suffix in _SOURCES or path.name in {
        "py.typed",
        "PKG-INFO",
        "requires.txt",
        "entry_points.txt",
        "top_level.txt",
        "pyproject.toml",
    }


def _counted(read: int, path: PurePosixPath, size: int) -> int:
    if size > MEMBER_LIMIT or read + size > KEPT_LIMIT:
        raise RefusedArchive(f"has too much Python: {size} bytes in {str(path)!r}, {read} before it")
    return read + size


def _hold_inside(link: tarfile.TarInfo, place: PurePosixPath) -> None:
    depth = len(place.parent.parts) if link.issym() else 0
    for part in PurePosixPath(link.linkname).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            raise RefusedArchive(f"has the link {link.name!r} to {link.linkname!r}, outside of it")


@contextmanager
def _decompressed(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a compressed archive, up to a limit."""
    openers: Mapping[bytes, Callable[..., Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZ": bz2.open,
        b"\xfd7": lzma.open,
    }
    with path.open("rb") as file:
        opened = openers.get(file.read(2), open)
    with opened(path, "rb") as stream:
        yield cast("BinaryIO", _Bounded(cast("BinaryIO", stream)))


class _Bounded:
    """A stream that refuses to give more than an archive may hold."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = UNPACKED_LIMIT

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise RefusedArchive(f"unpacks to more than {UNPACKED_LIMIT} bytes")
        return content


def _placed(files: Files, distribution: str) -> dict[PurePosixPath, bytes]:
    """The files of the packages, as they lie below the folder that a build would install from."""
    names = _top_level(files) or {distribution.lower().replace("-", "_").replace(".", "_")}
    root = next((root for root in _ROOTS if names & _tops(files, root)), None)
    if root is None:
        names, root = set(), "src" if _tops(files, "src") else ""
    placed = {}
    for path, text in files.items():
        if path.is_relative_to(root) and (path.suffix in _SOURCES or path.name == "py.typed"):
            place = path.relative_to(root)
            top = place.parts[0].removesuffix(place.suffix) if len(place.parts) == 1 else place.parts[0]
            if top in names or (not names and top not in _NOT_INSTALLED | {"setup", "conftest"}):
                placed[place] = text
    return placed


def _top_level(files: Files) -> set[str]:
    """The import names that setuptools wrote into the archive, if it did."""
    for path, text in files.items():
        if path.name == "top_level.txt" and path.parent.suffix == ".egg-info":
            return {name.partition("/")[0] for name in text.decode(errors="replace").split()}
    return set()


def _tops(files: Collection[PurePosixPath], root: str) -> set[str]:
    """The names of the modules and packages right below `root`."""
    below = (
        path.relative_to(root) for path in files if path.is_relative_to(root) and path.suffix in _SOURCES
    )
    return {path.stem if len(path.parts) == 1 else path.parts[0] for path in below}


def _records(files: Files) -> Iterator[tuple[str, bytes]]:
    """What the archive says of its release, under the names that a wheel uses."""
    if PurePosixPath("PKG-INFO") in files:
        yield "METADATA", files[PurePosixPath("PKG-INFO")]
    if PurePosixPath("pyproject.toml") in files:
        yield "pyproject.toml", files[PurePosixPath("pyproject.toml")]
    for path, text in files.items():
        if path.parent.suffix == ".egg-info" and path.name in {
            "entry_points.txt",
            "requires.txt",
            "top_level.txt",
        }:
            yield path.name, text


def _to_be_compiled(setup: bytes) -> Iterator[PurePosixPath]:
    """The modules that a build script names in calls such as `CUDAExtension(name="flash_attn_2_cuda")`."""
    try:
        tree = ast.parse(setup)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Extension"):
            names = [keyword.value for keyword in node.keywords if keyword.arg == "name"] + node.args[:1]
            for name in names:
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    parts = name.value.split(".")
                    if all(part.isidentifier() for part in parts):
                        yield PurePosixPath(*parts)
