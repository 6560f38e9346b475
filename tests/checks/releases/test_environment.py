"""An environment has exactly the releases of its closure, and is made once."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases import environment as module
from ai_research_skills.checks.releases.closure import closure
from ai_research_skills.checks.releases.environment import (
    Environment,
    NoEnvironment,
    command_memory,
    environment_of,
    pinned_environment,
)
from ai_research_skills.checks.releases.interpreter import THIS_PYTHON
from tests.checks.releases.made_up_index import Index, sdist, wheel

TOOLBOX = Pin(distribution="toolbox", version="1.0")


def installed(environment: Environment) -> list[str]:
    code = "from importlib.metadata import distributions as d\nfor x in d(): print(x.name, x.version)"
    command = [str(environment.python), "-c", code]
    return sorted(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


@pytest.fixture
def toolbox(index: Index) -> Index:
    index.add(*wheel("toolbox", {"toolbox.py": ""}, requires=["parts"]))
    index.add(*wheel("parts", {"parts.py": ""}))
    return index


def test_exactly_the_releases_of_the_lock_are_installed(toolbox: Index) -> None:
    found = closure([TOOLBOX], THIS_PYTHON)
    toolbox.add(*wheel("parts", {"parts.py": ""}, version="2.0"))
    environment = environment_of(found)
    assert installed(environment) == ["parts 1.0", "toolbox 1.0"]
    assert command_memory(environment) == environment.python.parent.parent / "commands"


def test_another_version_of_python_is_another_environment(toolbox: Index) -> None:
    found = closure([TOOLBOX], THIS_PYTHON)
    with pytest.raises(
        NoEnvironment,
        match=r"Python 3\.99 is not on this machine → install it so that `python3\.99` starts it",
    ):
        environment_of(replace(found, python="3.99"))


def test_it_is_made_once_by_however_many(toolbox: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    make = module._make
    monkeypatch.setattr(module, "_make", lambda folder, *rest: (made.append(folder), make(folder, *rest)))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: pinned_environment([TOOLBOX]), range(2))
    assert first == second
    assert len(made) == 1


def test_what_has_no_wheel_is_absent_and_its_source_is_at_hand(toolbox: Index, tmp_path: Path) -> None:
    built = tmp_path / "built"
    toolbox.add(*sdist("kernels", {"setup.py": f"open({str(built)!r}, 'w')\n", "kernels.py": "x = 1\n"}))
    kernels = Pin(distribution="kernels", version="1.0")
    environment = pinned_environment([TOOLBOX, kernels])
    assert installed(environment) == ["parts 1.0", "toolbox 1.0"]
    assert environment.absent == (kernels,)
    assert (environment.sources[0] / "kernels.py").is_file()
    assert not built.exists()


def test_pins_that_do_not_resolve_have_no_environment(toolbox: Index) -> None:
    with pytest.raises(NoEnvironment, match=r"toolbox==9.9: Because there is no version of toolbox==9.9"):
        pinned_environment([Pin(distribution="toolbox", version="9.9")])


def test_a_failed_installation_leaves_nothing(toolbox: Index, cache: Path) -> None:
    found = closure([TOOLBOX], THIS_PYTHON)
    toolbox.files.clear()
    with pytest.raises(NoEnvironment, match="`pip install` failed"):
        environment_of(found)
    assert not [path for path in (cache / "environments").iterdir() if path.is_dir()]


def test_a_build_of_torch_for_cpus_has_no_libraries_of_cuda(
    toolbox: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    toolbox.add(*wheel("nvidia_cublas", {}))
    pins = [TOOLBOX, Pin(distribution="nvidia-cublas", version="1.0")]
    assert "nvidia_cublas 1.0" in installed(pinned_environment(pins))
    monkeypatch.setenv("UV_TORCH_BACKEND", "cpu")
    assert installed(pinned_environment(pins)) == ["parts 1.0", "toolbox 1.0"]
