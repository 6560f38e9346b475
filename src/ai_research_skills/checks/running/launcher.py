"""Builds the sandbox from inside and runs one script in it. Started by `sandbox`. Standard library only.

Three processes: the launcher, which enters new namespaces and waits; the first process of the sandbox, which makes
its file system, waits for the script, ends whatever the script left running and hands its answer out; and the
interpreter with the script. Only the last one runs code that is not ours. It has no capabilities, cannot see the
other two's memory, and when the first process ends the kernel ends all others of the sandbox.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import socket
import stat
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from ai_research_skills.checks.running import kernel
from ai_research_skills.checks.running.plan import (
    EXCHANGE,
    FOUND,
    GIVEN,
    HOME,
    HOST,
    NOBODY,
    SCRATCH,
    SCRIPT,
    TEMPORARY,
    UID,
    USER,
    WORK,
    Plan,
)

_OLD = "/.old"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_FILES = {
    "/etc/passwd": f"root:x:0:0::/:/bin/sh\n{USER}:x:{UID}:{UID}::{HOME}:/bin/sh\n",
    "/etc/group": f"root:x:0:\n{USER}:x:{UID}:\n",
    "/etc/hosts": f"127.0.0.1 localhost {HOST}\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_MOST_FILES, _BYTES_A_FILE = 200_000, 4096
_OPEN_FILES = 4096
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1


class _CannotStart(Exception):
    """The interpreter itself could not be started."""


def main() -> None:
    """Read the plan from standard input, and report to the socket whose number is the first argument.

    SIGTERM ends the sandbox. SIGUSR1 ends the script, and what it has answered by then is still handed out.
    """
    plan: Plan = json.loads(sys.stdin.buffer.read())
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.umask(0o022)
    try:
        _enter_namespaces()
        kernel.die_with_parent(signal.SIGKILL)
        if os.getppid() != plan["parent"]:
            return
    except OSError as error:
        _tell(channel, {"refused": str(error)})
        return
    # Held back until there is somebody to hand them on to, in this process and in the next.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    first = os.fork()
    if not first:
        _be_first(plan, channel)
    channel.close()
    signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
    signal.signal(signal.SIGUSR1, lambda *_: os.kill(first, signal.SIGUSR1))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGUSR1})
    os.waitpid(first, 0)


def _tell(channel: socket.socket, header: dict[str, Any], answer: bytes = b"") -> None:
    channel.sendall(json.dumps(header).encode() + b"\n" + answer)


def _enter_namespaces() -> None:
    """Enter new namespaces. Who is who in them has to be written by a process that stayed outside."""
    ready, go = os.pipe()
    writer = os.fork()
    if not writer:
        os.close(go)
        os._exit(0 if os.read(ready, 1) and _map_users(os.getppid()) else 1)
    try:
        kernel.unshare(
            kernel.CLONE_NEWUSER
            | kernel.CLONE_NEWNS
            | kernel.CLONE_NEWPID
            | kernel.CLONE_NEWNET
            | kernel.CLONE_NEWIPC
            | kernel.CLONE_NEWUTS
            | kernel.CLONE_NEWCGROUP
        )
        os.write(go, b"g")
    finally:
        os.close(go)
        os.close(ready)
        failed = os.waitpid(writer, 0)[1]
    if failed:
        raise OSError(1, "the user map of a new namespace was refused")


def _map_users(pid: int) -> bool:
    """Write who is who in the user namespace of `pid`: of root's two users the second one runs the script."""
    user, group = os.geteuid(), os.getegid()
    try:
        if _has_nobody():
            users = groups = f"0 0 1\n{UID} {NOBODY} 1\n"
        else:
            users, groups = f"{UID} {user} 1\n", f"{UID} {group} 1\n"
            Path(f"/proc/{pid}/setgroups").write_text("deny", encoding="utf-8")
        Path(f"/proc/{pid}/uid_map").write_text(users, encoding="utf-8")
        Path(f"/proc/{pid}/gid_map").write_text(groups, encoding="utf-8")
    except OSError:
        return False
    return True


def _has_nobody() -> bool:
    """Whether this is a root that may lend the script another user."""
    if os.geteuid():
        return False
    lines = Path("/proc/self/uid_map").read_text(encoding="utf-8").splitlines()
    extents = [tuple(map(int, line.split())) for line in lines]
    return any(first <= NOBODY < first + count for first, _, count in extents)


def _be_first(plan: Plan, channel: socket.socket) -> NoReturn:
    """Be the first process of the sandbox, on which all others depend."""
    kernel.die_with_parent(signal.SIGKILL)
    # `sandbox` keeps the time. Should it be stopped itself, this still ends.
    signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
    signal.alarm(int(plan["seconds"]) + 15)
    try:
        _run(plan, channel)
    except _CannotStart as error:
        _tell(channel, {"unstarted": str(error)})
    except Exception as error:
        _tell(channel, {"refused": str(error)})
    finally:
        os._exit(0)


def _run(plan: Plan, channel: socket.socket) -> None:
    _build_root(plan)
    _bring_up_loopback()
    Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="utf-8")
    # If the machine runs out of memory all the same, this is what has to go.
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="utf-8")
    kernel.hide_memory()
    processes = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    target = _start(plan)
    signal.signal(signal.SIGUSR1, lambda *_: _kill_all())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    socket.send_fds(channel, [b"+"], [processes])
    os.close(processes)
    status = _await(target)
    _end_the_rest()
    answer, fault = _read_answer(plan["answer_bytes"])
    free = os.statvfs(SCRATCH)
    full = not free.f_bavail or not free.f_favail
    header = {"status": status, "full": full, "fault": fault, "answered": answer is not None}
    _tell(channel, header, answer or b"")


def _build_root(plan: Plan) -> None:
    """Make a root that holds what the interpreter needs to read, and one place to write.

    The modules of the interpreter that runs this are out of reach from here on: whatever is used was imported.
    """
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", "/tmp", flags=kernel.MS_NOSUID | kernel.MS_NODEV, options="size=1m,mode=755")
    Path(f"/tmp{_OLD}").mkdir()
    kernel.pivot_root("/tmp", f"/tmp{_OLD}")
    os.chdir("/")
    _make_scratch(plan)
    for link, goal in plan["links"]:
        Path(link).symlink_to(goal)
    for source, target in plan["shown"]:
        _show(source, target)
    _make_devices(plan)
    for path, text in _FILES.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    Path("/proc").mkdir()
    kernel.mount("proc", "/proc", flags=kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    socket.sethostname(HOST)
    kernel.unmount(_OLD)
    Path(_OLD).rmdir()
    kernel.set_mount_attributes("/", kernel.MOUNT_ATTR_RDONLY, deep=False)


def _make_scratch(plan: Plan) -> None:
    """One file system to write on, seen as the working folder, the home and `/tmp`; another for the answer."""
    _mount_memory(SCRATCH, plan["disk_bytes"], "755")
    for folder in (WORK, HOME, f"{SCRATCH}/tmp"):
        Path(folder).mkdir()
        os.chown(folder, UID, UID)
    Path(TEMPORARY).mkdir()
    kernel.mount("", TEMPORARY, source=f"{SCRATCH}/tmp", flags=kernel.MS_BIND)
    Path("/var").mkdir()
    Path("/var/tmp").symlink_to(TEMPORARY)
    _mount_memory(EXCHANGE, plan["answer_bytes"] + len(plan["given"]) * 4 + len(plan["script"]) * 4, "755")
    os.chown(EXCHANGE, UID, UID)
    Path(SCRIPT).write_text(plan["script"], encoding="utf-8")
    Path(GIVEN).write_text(plan["given"], encoding="utf-8")


def _mount_memory(folder: str, size: int, mode: str) -> None:
    Path(folder).mkdir()
    files = min(_MOST_FILES, size // _BYTES_A_FILE)
    options = f"size={size},nr_inodes={files},mode={mode}"
    kernel.mount("tmpfs", folder, flags=kernel.MS_NOSUID | kernel.MS_NODEV, options=options)


def _show(source: str, target: str) -> None:
    """Let a file or folder of the machine be read at `target`."""
    old = _OLD + source
    _make_place(old, target)
    kernel.mount("", target, source=old, flags=kernel.MS_BIND | kernel.MS_REC)
    wanted = kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_NODEV
    kernel.set_mount_attributes(target, wanted, deep=True)


def _make_place(source: str, target: str) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
        return
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))


def _make_devices(plan: Plan) -> None:
    Path("/dev").mkdir()
    for device in [f"/dev/{name}" for name in _DEVICES] + plan["devices"]:
        _make_place(_OLD + device, device)
        kernel.mount("", device, source=_OLD + device, flags=kernel.MS_BIND | kernel.MS_REC)
        kernel.set_mount_attributes(device, kernel.MOUNT_ATTR_NOSUID | kernel.MOUNT_ATTR_NOEXEC, deep=True)
    for name, goal in {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}.items():
        Path(f"/dev/{name}").symlink_to(f"/proc/self/fd{goal}")
    _mount_memory("/dev/shm", plan["shared_bytes"], "1777")


def _bring_up_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


def _start(plan: Plan) -> int:
    """Start the interpreter; returns its process."""
    heard, say = os.pipe()
    target = os.fork()
    if not target:
        _become_target(plan, say)
    os.close(say)
    with os.fdopen(heard, "rb") as file:
        fault = file.read().decode()
    if fault:
        raise _CannotStart(fault)
    return target


def _become_target(plan: Plan, say: int) -> NoReturn:
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.chdir(WORK)
        for signal_number in (signal.SIGPIPE, signal.SIGALRM, signal.SIGINT):
            signal.signal(signal_number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _set_limits(plan)
        if not os.getuid():
            os.setgroups([])
            os.setresgid(UID, UID, UID)
            os.setresuid(UID, UID, UID)
        kernel.give_up_privileges()
        kernel.refuse_system_calls()
        os.execve(plan["python"], [plan["python"], SCRIPT, GIVEN, FOUND], plan["environment"])
    except BaseException as error:
        os.write(say, str(error).encode())
    os._exit(1)


def _set_limits(plan: Plan) -> None:
    limits = {
        # `watch` ends the run at `processes`; this holds what is faster than its next look.
        resource.RLIMIT_NPROC: plan["processes"] + 64,
        # More than there is room for, so that a full disk is reported as one; a file in memory ends here.
        resource.RLIMIT_FSIZE: plan["disk_bytes"] + plan["shared_bytes"],
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for limit, wanted in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(limit, (value, value))


def _await(target: int) -> int:
    """The exit code of `target`, or less than 0 for the signal that ended it; buries whatever else ends meanwhile."""
    while True:
        pid, status = os.wait()
        if pid == target:
            return os.waitstatus_to_exitcode(status)


def _end_the_rest() -> None:
    """End what the script left running, so that no one can still write."""
    _kill_all()
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _kill_all() -> None:
    """Kill every process of the sandbox but this, the first one."""
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _read_answer(limit: int) -> tuple[bytes | None, str]:
    """What the script answered, or what is wrong with its answer. It may have put anything there."""
    try:
        answer = os.open(FOUND, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None, ""
    except OSError:
        return None, "its answer is not a file"
    found = os.fstat(answer)
    if not stat.S_ISREG(found.st_mode):
        return None, "its answer is not a file"
    if found.st_size > limit:
        return None, "its answer is too large"
    with os.fdopen(answer, "rb") as file:
        return file.read(), ""
