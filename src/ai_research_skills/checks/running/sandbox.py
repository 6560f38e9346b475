"""Running a script where it can harm nothing: a Linux sandbox of namespaces, a private root and limits.

Inside there are one interpreter with its packages, read only; a scratch folder; a network that consists of the
sandbox itself; and no other user, process, file or variable of the machine. All of it lies in memory and in
namespaces, so it is gone when the last process ends, whatever becomes of this one.

A machine that cannot do this runs nothing: there is no weaker way.
"""

from __future__ import annotations

import json
import os
import platform
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ai_research_skills
from ai_research_skills.checks.running import kernel
from ai_research_skills.checks.running.limits import Limits, size_in_words
from ai_research_skills.checks.running.plan import Plan
from ai_research_skills.checks.running.visible import gpu_devices, shown_paths, system_links
from ai_research_skills.checks.running.watch import excess

TAIL_BYTES = 16_384
"""How much of what a script prints is kept."""

_LOOK_SECONDS = 0.05
_START_SECONDS, _STOP_SECONDS = 30, 10
_CHUNK = 65_536
_SOURCES = Path(ai_research_skills.__file__).parent.parent
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from ai_research_skills.checks.running.launcher import main; main()"
)
_SETTINGS = (
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("user/max_user_namespaces", "0", "10000"),
)
"""Settings by which distributions forbid sandboxes to ordinary users: the value that does, and one that does not."""


class NoSandbox(Exception):
    """This machine cannot isolate a script, so none was run. The message says why and what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        answer: What the script had answered by its end, or None. It is JSON; nothing else about it is certain.
        reason: Which limit ended the script, or how else it ended ill, in one line; empty if it ended well.
        output_tail: The end of what the script and its processes printed.
    """

    answer: Any | None
    reason: str
    output_tail: str


@dataclass
class _Heard:
    """What has come from the sandbox so far: the report of its first process, and what the others printed."""

    report: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)


def run_sandboxed(
    python: Path, script: str, given: Any, limits: Limits, environment: Mapping[str, str]
) -> Outcome:
    """Run `script`, a file, in the interpreter `python` with no variables but `environment`.

    It is started with two files: the first holds `given` as JSON, into the second it writes its answer.

    The answer comes out of the process that runs the examples, and an example can do there what the script can.
    So an example may forge its own outcome, and that of its page, but of nothing else; and the forgery stands in
    its source for every reviewer to read.

    Raises:
        NoSandbox: The machine has no sandbox, or the interpreter cannot be started in it.
    """
    plan = _plan(python, Path(script), given, limits, environment)
    heard = _Heard()
    with _launched(plan) as (process, channel):
        stopped = _follow(process, channel, limits, heard)
    answer, fault = _read_report(bytes(heard.report), limits)
    return Outcome(answer, stopped or fault, heard.output.decode(errors="replace"))


def _plan(python: Path, script: Path, given: Any, limits: Limits, environment: Mapping[str, str]) -> Plan:
    if sys.platform != "linux" or platform.machine() not in kernel.MACHINES:
        raise NoSandbox(
            f"examples run in a sandbox of Linux namespaces, which {platform.system()} on {platform.machine()} "
            "does not have → use the devcontainer, or a Linux machine"
        )
    python = python.absolute()
    return Plan(
        parent=os.getpid(),
        python=str(python),
        environment=dict(environment),
        script=script.read_text(encoding="utf-8"),
        given=json.dumps(given),
        links=system_links(),
        shown=shown_paths(python, gpu=limits.gpu),
        devices=gpu_devices() if limits.gpu else [],
        seconds=limits.seconds,
        disk_bytes=limits.disk_bytes,
        shared_bytes=limits.shared_bytes,
        answer_bytes=limits.answer_bytes,
        processes=limits.processes,
    )


@contextmanager
def _launched(plan: Plan) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    """The launcher, and the socket on which it reports. Nothing is left of the sandbox when this is left."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-c", _START, str(_SOURCES), str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
            )
        try:
            assert process.stdin and process.stdout
            with suppress(BrokenPipeError), process.stdin:
                process.stdin.write(json.dumps(plan).encode())
            yield process, ours
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the launcher; it waits until the kernel has ended all other processes of the sandbox."""
    assert process.stdout
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_START_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _follow(process: subprocess.Popen[bytes], channel: socket.socket, limits: Limits, heard: _Heard) -> str:
    """Listen until the sandbox has ended; returns which limit ended it, if one did."""
    assert process.stdout
    deadline, next_look, stopped = time.monotonic() + limits.seconds, 0.0, ""
    with _process_folder(channel, heard) as processes, selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ, heard.report)
        selector.register(process.stdout, selectors.EVENT_READ, heard.output)
        while selector.get_map():
            _listen(selector)
            del heard.output[:-TAIL_BYTES]
            now = time.monotonic()
            if stopped and now >= deadline:
                break
            if stopped or now < next_look:
                continue
            next_look = now + _LOOK_SECONDS
            late = f"ran longer than {limits.seconds:g} s" if now >= deadline else ""
            stopped = late or (excess(processes, limits) if processes is not None else "")
            if stopped:
                process.send_signal(signal.SIGUSR1)
                deadline = now + _STOP_SECONDS
    return stopped


def _listen(selector: selectors.BaseSelector) -> None:
    """Add what comes to the data of each file, and let go of those that have ended."""
    for key, _ in selector.select(_LOOK_SECONDS):
        chunk = os.read(key.fd, _CHUNK)
        key.data.extend(chunk)
        if not chunk:
            selector.unregister(key.fileobj)


@contextmanager
def _process_folder(channel: socket.socket, heard: _Heard) -> Iterator[int | None]:
    """The `/proc` of the sandbox, which comes first; None if its place is taken by the report of a failure."""
    channel.settimeout(_START_SECONDS)
    try:
        first, folders, *_ = socket.recv_fds(channel, 1, 1)
    except TimeoutError:
        raise NoSandbox(f"the sandbox did not start within {_START_SECONDS} s → try again") from None
    channel.settimeout(None)
    if not first:
        raise NoSandbox(
            f"the sandbox did not start: {sys.executable} ended before → start it by hand to see why"
        )
    if not folders:
        heard.report.extend(first)
        yield None
        return
    try:
        yield folders[0]
    finally:
        os.close(folders[0])


def _read_report(report: bytes, limits: Limits) -> tuple[Any | None, str]:
    """The answer, and what is wrong with it or with the way in which the script ended."""
    head, _, answer = report.partition(b"\n")
    if not head:
        return None, "was ended by this machine, perhaps for want of memory"
    header = json.loads(head)
    if "refused" in header:
        way = way_to_a_sandbox(Path("/proc/sys"), root=not os.geteuid())
        raise NoSandbox(f"no sandbox can be made here ({header['refused']}) → {way}")
    if "unstarted" in header:
        raise NoSandbox(f"the interpreter does not start in the sandbox: {header['unstarted']}")
    ending = _ending(header["status"])
    if header["full"] and (ending or not header["answered"]):
        ending = f"filled its {size_in_words(limits.disk_bytes)} of disk"
    if not header["answered"]:
        return None, header["fault"] or ending or "ended without an answer"
    try:
        found = json.loads(answer)
        # A string of half a character is JSON, and breaks whoever writes it anywhere.
        json.dumps(found, ensure_ascii=False).encode()
        return found, ending
    except (ValueError, RecursionError):
        return None, "its answer is not JSON"


def _ending(status: int) -> str:
    """How a process ended whose exit code is `status`, or less than 0 for a signal; empty if it ended well."""
    if status >= 0:
        return f"ended with exit status {status}" if status else ""
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def way_to_a_sandbox(settings: Path, *, root: bool) -> str:
    """What to do on a machine with the kernel's `settings` to have sandboxes, as `root` or not."""
    for setting, forbidding, allowing in _SETTINGS:
        file = settings / setting
        if not root and file.is_file() and file.read_text(encoding="ascii").strip() == forbidding:
            return f"run `sudo sysctl -w {setting.replace('/', '.')}={allowing}`, or start this as root"
    return "in a container, start it with `--privileged`; elsewhere, use Linux 5.12 or later with user namespaces"
