"""What an honest example may do in the sandbox, who can start one, and that without one nothing runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import ai_research_skills
from ai_research_skills.checks.running import sandbox
from ai_research_skills.checks.running.limits import Limits
from ai_research_skills.checks.running.sandbox import NoSandbox, run_sandboxed, way_to_a_sandbox
from tests.checks.running.conftest import Run

HONEST = {
    "the folder is empty, and files in it can be written": """
import os
from pathlib import Path
assert os.listdir() == []
Path("a/b").mkdir(parents=True)
Path("a/b/c.txt").write_text("one")
answer = Path("a/b/c.txt").read_text() == "one"
""",
    "temporary files and the home": """
import getpass, os, tempfile
from pathlib import Path
with tempfile.NamedTemporaryFile("w") as file:
    file.write("two")
(Path.home() / ".cache").mkdir()
os.listdir("/var/tmp")
answer = getpass.getuser() == "reader"
""",
    "data of an installed package": """
import importlib.resources
answer = importlib.resources.read_text("almanac", "moon.txt") == "full\\n"
""",
    "processes, forked and spawned": """
import multiprocessing
for method in ("fork", "spawn", "forkserver"):
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
answer = True
""",
    "this interpreter once more, and a shell": """
import subprocess, sys
said = subprocess.run([sys.executable, "-c", "import almanac; print(6 * 7)"], capture_output=True, text=True)
answer = said.stdout == "42\\n" and subprocess.check_output("echo $((6 * 7))", shell=True, text=True) == "42\\n"
""",
    "threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(16) as pool:
    answer = sum(pool.map(abs, range(-100, 0))) == 5050
""",
    "a server and its client, by name and by address": """
import http.server, socket, threading, urllib.request
server = http.server.ThreadingHTTPServer(("localhost", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for host in ("localhost", "127.0.0.1", socket.gethostname()):
    assert urllib.request.urlopen(f"http://{host}:{server.server_port}/").status == 200
server.shutdown()
answer = True
""",
    "shared memory": """
from multiprocessing import shared_memory
block = shared_memory.SharedMemory(create=True, size=8 << 20)
block.buf[:3] = b"abc"
again = shared_memory.SharedMemory(block.name)
answer = bytes(again.buf[:3]) == b"abc"
block.unlink()
""",
    "memory that children share with their parent counts once": """
import os, time
held = bytearray(os.urandom(1 << 20)) * 120
children = []
for _ in range(4):
    child = os.fork()
    if not child:
        time.sleep(0.4)
        os._exit(0)
    children.append(child)
answer = not any(os.waitpid(child, 0)[1] for child in children)
""",
    "address space that is reserved and not used": """
import mmap
never_backed = 0x4000
reserved = mmap.mmap(-1, 64 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | never_backed)
answer = True
""",
}

AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from ai_research_skills.checks.running.isolated import run_inside
code = "import os, socket; socket.create_server(('127.0.0.1', 0)); answer = [os.getuid(), os.path.exists('/home')]"
print(run_inside(Path(sys.executable), sys.argv[1], code, 30))
"""


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize("code", HONEST.values(), ids=HONEST)
def test_an_honest_example_can_use(run: Run, code: str) -> None:
    outcome = run(code)
    assert outcome.answer is True, f"{outcome.reason}\n{outcome.output_tail}"


@pytest.mark.usefixtures("nothing_is_left")
def test_two_runs_know_nothing_of_each_other(run: Run) -> None:
    write = "import os; open('/tmp/here', 'x'); open('/dev/shm/here', 'x'); answer = os.getpid()"
    assert run(write).answer == run(write).answer == 2


@pytest.fixture
def copied_sources() -> Iterator[Path]:
    """The sources and a script where every user of the machine can read them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        package = Path(ai_research_skills.__file__).parent
        for part in ("__init__.py", "checks/__init__.py"):
            (folder / "ai_research_skills" / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(package / part, folder / "ai_research_skills" / part)
        shutil.copytree(package / "checks" / "running", folder / "ai_research_skills" / "checks" / "running")
        folder.chmod(0o755)
        yield folder


@pytest.mark.usefixtures("sandboxed")
@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs root to become somebody else")
def test_an_ordinary_user_has_a_sandbox_too(copied_sources: Path, script: str) -> None:
    interpreter = next(filter(_serves_another_user, (sys.executable, "/usr/bin/python3")), None)
    if interpreter is None:
        pytest.skip("no Python 3.11 that everybody can start")
    copied_script = shutil.copy(script, copied_sources)
    result = subprocess.run(
        [interpreter, "-c", AS_ANOTHER_USER, copied_script],
        env={"PYTHONPATH": str(copied_sources)},
        cwd="/",
        capture_output=True,
        check=False,
        text=True,
        user=4711,
        group=4711,
        extra_groups=[],
    )
    assert result.stdout == "[1000, False]\n", result.stderr


def _serves_another_user(interpreter: str) -> bool:
    command = [interpreter, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return (
            subprocess.run(command, user=4711, group=4711, extra_groups=[], cwd="/", check=False).returncode
            == 0
        )
    except OSError:
        return False


@pytest.mark.usefixtures("sandboxed")
@pytest.mark.skipif(not shutil.which("unshare"), reason="needs util-linux")
def test_where_namespaces_are_forbidden_nothing_runs(python: Path, script: str, tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from ai_research_skills.checks.running.isolated import run_inside; "
    code += f"run_inside(Path({str(python)!r}), {script!r}, \"open({str(tmp_path / 'ran')!r}, 'x')\", 30)"
    forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    result = subprocess.run(
        ["unshare", "--map-root-user", "sh", "-c", forbid, "sh", sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(ai_research_skills.__file__).parent.parent)},
        capture_output=True,
        check=False,
        text=True,
    )
    assert "NoSandbox: no sandbox can be made here ([Errno 28] unshare" in result.stderr
    assert "→ in a container, start it with `--privileged`" in result.stderr
    assert not (tmp_path / "ran").exists()


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch, python: Path, script: str) -> None:
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with pytest.raises(NoSandbox, match="use the devcontainer, or a Linux machine"):
        run_sandboxed(python, script, "", Limits(), {})


def test_the_setting_that_forbids_sandboxes_is_named(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns").write_text("1\n", encoding="ascii")
    said = way_to_a_sandbox(tmp_path, root=False)
    assert "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in said
    assert "sysctl" not in way_to_a_sandbox(tmp_path, root=True)


@pytest.mark.usefixtures("sandboxed")
def test_an_interpreter_that_does_not_start_is_named(script: str, tmp_path: Path) -> None:
    missing = tmp_path / "environment" / "bin" / "python"
    with pytest.raises(NoSandbox, match="the interpreter does not start"):
        run_sandboxed(missing, script, "", Limits(), {})


def test_a_launcher_that_does_not_start_is_not_taken_for_an_example(
    monkeypatch: pytest.MonkeyPatch, python: Path, script: str
) -> None:
    monkeypatch.setattr(sandbox.sys, "executable", shutil.which("false"))
    with pytest.raises(NoSandbox, match="the sandbox did not start"):
        run_sandboxed(python, script, "x" * 1_000_000, Limits(), {})
