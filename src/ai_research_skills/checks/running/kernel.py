"""The calls to the Linux kernel that Python 3.11 has no function for. Standard library only."""

from __future__ import annotations

import ctypes
import os
import struct
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

MOUNT_ATTR_RDONLY = 1
MOUNT_ATTR_NOSUID = 2
MOUNT_ATTR_NODEV = 4
MOUNT_ATTR_NOEXEC = 8

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_CAPABILITY_VERSION_3 = 0x20080522
_EPERM = 1
_EAFNOSUPPORT = 97

_NUMBERS = {
    "x86_64": {
        "audit": 0xC000003E,
        "pivot_root": 155,
        "mount_setattr": 442,
        "socket": 41,
        "refused": {
            "add_key": 248,
            "request_key": 249,
            "keyctl": 250,
            "perf_event_open": 298,
            "bpf": 321,
            "userfaultfd": 323,
            "io_uring_setup": 425,
        },
    },
    "aarch64": {
        "audit": 0xC00000B7,
        "pivot_root": 41,
        "mount_setattr": 442,
        "socket": 198,
        "refused": {
            "add_key": 217,
            "request_key": 218,
            "keyctl": 219,
            "perf_event_open": 241,
            "bpf": 280,
            "userfaultfd": 282,
            "io_uring_setup": 425,
        },
    },
}
"""System calls by machine. Key rings outlive a process and hold the secrets of whoever started it; a ring of
io_uring opens sockets that no filter sees; the others are there for tracing, and are a way into the kernel."""

_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK belong to a network namespace. AF_VSOCK reaches the host from any."""

MACHINES = frozenset(_NUMBERS)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc(), name)(*arguments) == -1:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _number(name: str) -> Any:
    return _NUMBERS[os.uname().machine][name]


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` names for new ones."""
    _call("unshare", flags)


def mount(kind: str, target: str, *, source: str = "none", flags: int = 0, options: str = "") -> None:
    """Mount a file system of `kind` on `target`, or with MS_BIND the file or folder `source`."""
    try:
        _call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror} ({source if flags & MS_BIND else kind})") from None


def set_mount_attributes(target: str, attributes: int, *, deep: bool) -> None:
    """Add `attributes` to the mount at `target`, and if `deep` to those below."""
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    flags = _AT_RECURSIVE if deep else 0
    arguments = (ctypes.c_long(_AT_FDCWD), target.encode(), ctypes.c_ulong(flags), wanted)
    try:
        _call("syscall", ctypes.c_long(_number("mount_setattr")), *arguments, ctypes.c_ulong(len(wanted)))
    except OSError as error:
        raise OSError(error.errno, f"mount_setattr, of Linux 5.12: {os.strerror(error.errno or 0)}") from None


def pivot_root(new: str, old: str) -> None:
    """Make the mount `new` the root, and move what was the root to the folder `old` below it."""
    _call("syscall", ctypes.c_long(_number("pivot_root")), new.encode(), old.encode())


def unmount(target: str) -> None:
    """Take the mount at `target` out of sight, with all below."""
    _call("umount2", target.encode(), MNT_DETACH)


def _prctl(option: int, value: int, program: bytes | None = None) -> None:
    _call("prctl", option, ctypes.c_ulong(value), program, None, None)


def die_with_parent(signal: int) -> None:
    """Have the kernel send this process `signal` when the one that started it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal)


def hide_memory() -> None:
    """Forbid other processes of the same user to look into this one, or to trace it."""
    _prctl(_PR_SET_DUMPABLE, 0)


def give_up_privileges() -> None:
    """Give up every capability, and with them the way to gain any by starting a program."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _call("capset", struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


def refuse_system_calls() -> None:
    """Refuse the system calls that namespaces do not contain; needs `give_up_privileges` before."""
    program = b"".join(_filter())
    text = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(text))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described)


def _filter() -> list[bytes]:
    """A program for the kernel's packet filter over (number, machine, instruction pointer, arguments)."""
    load, equal, at_least, end = 0x20, 0x15, 0x35, 0x06
    kill, error, allow = 0x80000000, 0x00050000, 0x7FFF0000

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, otherwise, value)

    refused = sorted(_number("refused").values())
    return [
        step(load, 4),
        step(equal, _number("audit"), then=1),
        step(end, kill),
        step(load, 0),
        # The numbers above belong to a second table of x86_64, which would be a way round this one.
        step(at_least, 0x40000000, otherwise=1),
        step(end, error | _EPERM),
        *(
            part
            for number in refused
            for part in (step(equal, number, otherwise=1), step(end, error | _EPERM))
        ),
        step(equal, _number("socket"), then=1),
        step(end, allow),
        step(load, 16),
        *(part for family in _FAMILIES for part in (step(equal, family, otherwise=1), step(end, allow))),
        step(end, error | _EAFNOSUPPORT),
    ]
