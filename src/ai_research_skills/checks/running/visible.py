"""What a script in the sandbox sees of the machine: an interpreter, its packages and the system's libraries."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Where Linux keeps programs and libraries. On most machines all but the first are links into it."""

SETTINGS = (
    "alternatives",
    "ca-certificates",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "pki/tls/certs",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)
"""What libraries look up below `/etc`. The rest of it is nobody's business."""

PARTS = ("bin", "lib", "lib64", "include", "share", "etc", "pyvenv.cfg")
"""What belongs to an interpreter in the folder that it was installed to. That folder may be somebody's home."""

TOPOLOGY = "/sys/devices/system"
"""How many processors there are and how they are joined: libraries of threads ask."""

GPUS = ("nvidia*", "dri", "kfd")
"""The device files of GPUs, below `/dev`."""


def system_links() -> list[tuple[str, str]]:
    """The links among `SYSTEM`, and where they lead."""
    return [(path, str(Path(path).readlink())) for path in SYSTEM if Path(path).is_symlink()]


def shown_paths(python: Path, *, gpu: bool) -> list[tuple[str, str]]:
    """Files and folders of the machine, and where they are seen: nearly always in the same place.

    Sorted, so that a folder comes before what lies in it.
    """
    system = [Path(path) for path in SYSTEM if Path(path).is_dir() and not Path(path).is_symlink()]
    settings = [Path("/etc", name) for name in SETTINGS]
    wanted = [*system, *settings, Path("/sys" if gpu else TOPOLOGY), *_interpreter(python)]
    return [(os.path.realpath(path), str(path)) for path in _outermost(wanted)]


def gpu_devices() -> list[str]:
    """The device files of the GPUs of this machine."""
    return sorted(str(path) for pattern in GPUS for path in Path("/dev").glob(pattern))


def _interpreter(python: Path) -> Iterator[Path]:
    """Every place that starting `python` and importing its packages leads to."""
    yield from _parts(python.parent.parent)
    yield from _hops(python)
    yield from _parts(Path(os.path.realpath(python)).parent.parent)
    home = _base_folder(python.parent.parent)
    if home:
        yield from _parts(home.parent)
    yield from _linked_packages(python.parent.parent)


def _parts(prefix: Path) -> Iterator[Path]:
    return (prefix / part for part in PARTS)


def _hops(path: Path) -> Iterator[Path]:
    """`path`, and what it links to, as long as that is a link itself."""
    while path.is_symlink():
        yield path
        path = Path(os.path.normpath(path.parent / path.readlink()))
    yield path


def _base_folder(prefix: Path) -> Path | None:
    """The folder of the interpreter that a virtual environment was made from."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    settings = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return Path(settings["home"]) if "home" in settings else None


def _linked_packages(prefix: Path) -> Iterator[Path]:
    """Folders of uv's cache, where packages are links to it instead of copies."""
    for metadata in prefix.glob("lib/python*/site-packages/*.dist-info/METADATA"):
        if metadata.is_symlink():
            yield Path(os.path.realpath(metadata)).parent.parent


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Those that exist and are not already seen as part of another one, or by a link of the system."""
    links = [Path(link) for link, _ in system_links()]
    found: list[Path] = []
    for path in sorted(set(paths)):
        if path.exists() and not any(path.is_relative_to(seen) for seen in links + found):
            found.append(path)
    return found
