"""Running a few lines of Python in a sandbox, and seeing that nothing of it is left."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_research_skills.checks.running.isolated import outcome_inside
from ai_research_skills.checks.running.limits import MIB, Limits
from ai_research_skills.checks.running.sandbox import NoSandbox, Outcome

SCRIPT = """
import json, sys

if __name__ == "__main__":
    given, found = sys.argv[1:]
    names = {"__name__": "__main__", "found": found}
    exec(json.load(open(given)), names)
    if "answer" in names:
        with open(found, "w") as file:
            json.dump(names["answer"], file)
"""

Run = Callable[..., Outcome]

SMALL = Limits(
    seconds=20,
    memory_bytes=256 * MIB,
    disk_bytes=32 * MIB,
    shared_bytes=16 * MIB,
    processes=64,
    answer_bytes=MIB,
)


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter in an environment of its own, which has one package with data."""
    folder = tmp_path_factory.mktemp("sandboxed")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "almanac").mkdir()
    (packages / "almanac" / "__init__.py").touch()
    (packages / "almanac" / "moon.txt").write_text("full\n", encoding="utf-8")
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A script that executes what it is given and answers with the value of `answer`."""
    path = tmp_path_factory.mktemp("script") / "run_given.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def sandboxed(python: Path, script: str) -> None:
    """Skips tests on a machine that can have no sandbox; on one that can, its absence is a fault."""
    try:
        outcome_inside(python, script, "answer = 1", SMALL)
    except NoSandbox as error:
        if _has_namespaces():
            raise
        pytest.skip(str(error))


def _has_namespaces() -> bool:
    """Whether util-linux can make the namespaces that a sandbox consists of."""
    command = ["unshare", "--map-root-user", "--mount", "--pid", "--net", "--fork", "--mount-proc", "true"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def run(python: Path, script: str, sandboxed: None) -> Run:
    """Runs code in a small sandbox."""

    def run(code: str, limits: Limits = SMALL) -> Outcome:
        return outcome_inside(python, script, code, limits)

    return run


@pytest.fixture
def nothing_is_left(python: Path) -> Iterator[None]:
    """The processes and mounts of the machine are the same after the test as before."""
    mounts, before = Path("/proc/self/mountinfo").read_text(encoding="utf-8"), children()
    yield
    assert not processes_of(python)
    assert children() <= before
    assert Path("/proc/self/mountinfo").read_text(encoding="utf-8") == mounts


def children() -> set[str]:
    """The processes that this one has started and not yet buried."""
    return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


def processes_of(python: Path) -> list[str]:
    """The processes of this machine that run `python`."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(python).encode() in file.read_bytes():
                found.append(file.parent.name)
        except OSError:
            continue
    return found
