"""Examples that mean harm: each is stopped, the reason is told in one line, and nothing is left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ai_research_skills.checks.running import watch
from ai_research_skills.checks.running.limits import MIB
from tests.checks.running.conftest import SMALL, Run, processes_of

pytestmark = pytest.mark.usefixtures("nothing_is_left")

READS = """
from pathlib import Path
answer = []
for name in {paths}:
    try:
        entry = Path(name)
        answer.append(sorted(map(str, entry.iterdir())) if entry.is_dir() else entry.read_text())
    except OSError as error:
        answer.append(type(error).__name__)
"""

WRITES = """
import os
answer = []
for name in {paths}:
    try:
        open(name, "a").close()
        answer.append(name)
    except OSError:
        pass
"""

CONNECTS = """
import socket
answer = []
for family, kind, address in {addresses}:
    try:
        with socket.socket(family, kind) as sock:
            sock.settimeout(2)
            sock.connect(tuple(address) if isinstance(address, list) else address)
            sock.send(b"secret")
        answer.append(address)
    except OSError as error:
        print(address, error)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a secret, of somebody whose variables hold another one."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text("secret", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_TOKEN", "secret")
    return home


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """Another process of the same user, on the same machine."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def test_no_variable_holds_a_secret(run: Run, home: Path) -> None:
    outcome = run("import os; answer = dict(os.environ)")
    assert "secret" not in str(outcome.answer)
    assert str(home) not in str(outcome.answer)


def test_variables_of_the_processes_that_started_it_are_out_of_reach(run: Run, home: Path) -> None:
    code = READS.format(
        paths=["/proc/1/environ", "/proc/1/mem", "/proc/1/fd", f"/proc/{os.getpid()}/environ"]
    )
    assert run(code).answer == ["PermissionError"] * 3 + ["FileNotFoundError"]


def test_homes_and_checkouts_are_not_there(run: Run, home: Path, repository: Path) -> None:
    paths = [
        home / ".ssh" / "id_ed25519",
        repository / ".git" / "HEAD",
        "/root/.ssh",
        "/run/docker.sock",
        "/var/run",
    ]
    outcome = run(READS.format(paths=[str(path) for path in paths]))
    assert outcome.answer == ["FileNotFoundError"] * len(paths)


def test_passwords_of_the_machine_are_not_there(run: Run) -> None:
    outcome = run(READS.format(paths=["/etc/shadow", "/etc/passwd"]))
    assert isinstance(outcome.answer, list)
    assert outcome.answer[0] == "FileNotFoundError"
    assert "reader" in outcome.answer[1]


def test_nothing_can_be_written_but_scratch(run: Run, python: Path) -> None:
    paths = ["/new", "/usr/new", "/etc/new", "/etc/passwd", "/dev/new", str(python.parent / "new")]
    paths += [
        str(python.parent.parent / "pyvenv.cfg"),
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
    ]
    assert run(WRITES.format(paths=paths)).answer == []


def test_what_is_written_to_temporary_files_stays_inside(run: Run) -> None:
    names = [f"/{folder}/ai-research-skills-marker" for folder in ("tmp", "var/tmp", "dev/shm")]
    assert run(WRITES.format(paths=names)).answer == names
    assert not [name for name in names if Path(name).exists()]


def test_the_network_is_out_of_reach(run: Run, tmp_path: Path) -> None:
    named, abstract = str(tmp_path / "service"), "\0ai-research-skills-test"
    with (
        socket.create_server(("127.0.0.1", 0)) as local,
        socket.socket(socket.AF_UNIX) as by_name,
        socket.socket(socket.AF_UNIX) as by_abstract_name,
    ):
        by_name.bind(named)
        by_abstract_name.bind(abstract)
        by_name.listen()
        by_abstract_name.listen()
        stream, datagram, vsock = int(socket.SOCK_STREAM), int(socket.SOCK_DGRAM), 40
        addresses: list[tuple[int, int, object]] = [
            (int(socket.AF_INET), stream, list(local.getsockname())),
            (int(socket.AF_INET), stream, ["192.0.2.1", 80]),
            (int(socket.AF_INET), datagram, ["192.0.2.1", 53]),
            (int(socket.AF_INET6), stream, ["2001:db8::1", 80]),
            (int(socket.AF_UNIX), stream, named),
            (int(socket.AF_UNIX), stream, abstract),
            (vsock, stream, [2, 1024]),
        ]
        outcome = run(CONNECTS.format(addresses=addresses))
    assert outcome.answer == [], outcome.output_tail
    assert "Address family not supported" in outcome.output_tail.splitlines()[-1]


def test_names_of_the_network_are_not_looked_up(run: Run) -> None:
    code = "import urllib.request\ntry:\n urllib.request.urlopen('http://example.org', timeout=5)\n"
    assert "refused" in str(run(code + "except OSError as error:\n answer = str(error)").answer)


def test_forking_without_end_is_stopped(run: Run, python: Path) -> None:
    code = "import os\nwhile True:\n try:\n  os.fork()\n except OSError:\n  pass"
    outcome = run(code)
    assert outcome.answer is None
    assert outcome.reason == "started more than 64 processes and threads"


def test_threads_without_end_are_stopped(run: Run) -> None:
    code = "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()"
    assert run(code).reason == "started more than 64 processes and threads"


def test_daemons_end_with_the_run(run: Run, python: Path) -> None:
    code = """
import os, signal, time
if not os.fork():
    os.setsid()
    if not os.fork():
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        while True:
            time.sleep(1)
    os._exit(0)
time.sleep(0.2)
answer = "left a daemon"
"""
    started = time.monotonic()
    assert run(code).answer == "left a daemon"
    assert time.monotonic() - started < 10
    assert not processes_of(python)


@pytest.mark.parametrize("place", [".", "/tmp", "/var/tmp", "/dev/shm"])
def test_a_disk_that_is_filled_is_a_small_one(run: Run, place: str) -> None:
    code = f"with open({place!r} + '/large', 'wb') as file:\n while True: file.write(bytes(1 << 20))"
    outcome = run(code)
    assert outcome.answer is None
    assert "No space left on device" in outcome.output_tail
    if place != "/dev/shm":
        assert outcome.reason == "filled its 32 MiB of disk"


def test_files_without_content_are_counted_too(run: Run) -> None:
    code = "import itertools\nfor number in itertools.count(): open(f'/tmp/{number}', 'x').close()"
    assert run(code).reason == "filled its 32 MiB of disk"


def test_a_full_disk_leaves_room_for_the_answer(run: Run) -> None:
    code = "try:\n open('large', 'wb').write(bytes(64 << 20))\nexcept OSError as error:\n answer = error.strerror"
    assert run(code).answer == "No space left on device"


def test_taking_all_memory_is_stopped(run: Run) -> None:
    outcome = run("held = []\nwhile True: held.append(bytearray(b'x' * (8 << 20)))")
    assert outcome.reason == "used more than 256 MiB of memory"


def test_memory_of_all_processes_counts(run: Run) -> None:
    code = (
        "import os, time\nfor _ in range(3): os.fork()\nheld = bytearray(b'x' * (64 << 20)); time.sleep(60)"
    )
    assert run(code).reason == "used more than 256 MiB of memory"


def test_shared_memory_without_a_file_counts(run: Run) -> None:
    code = "import mmap\nheld = mmap.mmap(-1, 1 << 30)\nwhile True: held.write(bytes(1 << 20))"
    assert run(code).reason == "used more than 256 MiB of memory"


def test_memory_that_no_process_shows_ends_with_that_of_the_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_available", lambda: 100 * MIB)
    assert run("import time; time.sleep(60)").reason == "used up the memory of this machine"


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import signal\nfor n in (1, 2, 3, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); answer = 1",
        "import os\nwhile True: os.write(1, bytes(1 << 16))",
    ],
)
def test_running_on_is_stopped(run: Run, code: str) -> None:
    started = time.monotonic()
    outcome = run(code, replace(SMALL, seconds=0.6))
    assert outcome.reason == "ran longer than 0.6 s"
    assert time.monotonic() - started < 10


def test_other_processes_cannot_be_signalled(run: Run, victim: subprocess.Popen[bytes]) -> None:
    code = f"""
import os
answer = []
for pid in ({victim.pid}, {os.getpid()}, -{victim.pid}, 1):
    try:
        os.kill(pid, 9)
        answer.append(pid)
    except OSError:
        pass
try:
    os.kill(-1, 15)
except OSError:
    pass
"""
    # In a sandbox of an ordinary user process 1 may be signalled, and the kernel keeps that from it.
    assert run(code).answer in ([], [1])
    assert victim.poll() is None


@pytest.mark.usefixtures("sandboxed")
def test_a_sandbox_that_is_left_by_its_maker_ends(python: Path, script: str) -> None:
    code = "from pathlib import Path; from ai_research_skills.checks.running.isolated import run_inside; "
    code += f"run_inside(Path({str(python)!r}), {script!r}, 'import time; time.sleep(60)', 60)"
    with subprocess.Popen([sys.executable, "-c", code]) as maker:
        assert _within(10, lambda: len(processes_of(python)) > 1)
        maker.kill()
    assert _within(10, lambda: not processes_of(python))


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("libc.unshare(0x10000000)", "a namespace of its own, to be root in"),
        ("libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)", "a mount, which no limit holds"),
        ("libc.syscall({'x86_64': 250, 'aarch64': 219}[os.uname().machine], 0, -3, 0)", "a key ring"),
        ("libc.syscall(425, 8, b'0' * 120)", "a ring of calls that no filter sees"),
        ("libc.sethostname(b'other', 5)", "the name of the machine"),
        ("libc.chroot(b'/tmp')", "another root"),
        ("libc.ptrace(16, 1, None, None)", "the process that holds the answer"),
    ],
)
def test_privileges_are_refused(run: Run, call: str, why: str) -> None:
    outcome = run(f"import ctypes, os\nlibc = ctypes.CDLL(None)\nanswer = {call}")
    assert outcome.answer == -1, why


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.symlink('/etc/passwd', found)", "its answer is not a file"),
        ("import os; os.mkfifo(found)", "its answer is not a file"),
        ("import os; os.mkdir(found)", "its answer is not a file"),
        ("import os; os.symlink('/dev/zero', found)", "its answer is not a file"),
        ("open(found, 'w').write('[' * 100_000)", "its answer is not JSON"),
        ("open(found, 'wb').write(bytes([255, 254]))", "its answer is not JSON"),
        (r"open(found, 'w').write('\"\\ud800\"')", "its answer is not JSON"),
        ("open(found, 'wb').truncate(1 << 30)", "its answer is too large"),
    ],
)
def test_an_answer_is_read_with_care(run: Run, code: str, reason: str) -> None:
    limits = replace(SMALL, disk_bytes=2048 * MIB)
    outcome = run(code, limits)
    assert outcome.answer is None
    assert outcome.reason == reason
