"""The releases that pins bring with them: asked of the registry, never built, the same a month later."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.artifacts import Kind
from ai_research_skills.checks.releases.closure import NoClosure, closure, closure_of_newest
from tests.checks.releases.made_up_index import Index, sdist, wheel

TOOLBOX = Pin(distribution="toolbox", version="1.0")
KERNELS = Pin(distribution="kernels", version="1.0")


def publish(index: Index, *files: tuple[str, bytes]) -> None:
    for name, content in files:
        index.add(name, content)


def test_a_closure_has_the_dependencies_and_the_file_of_each(index: Index) -> None:
    name, content = wheel("parts", {"parts.py": ""}, version="2.0")
    publish(index, wheel("toolbox", {"toolbox.py": ""}, requires=["parts"]), (name, content))
    found = closure([TOOLBOX])
    assert found.lock == ("parts==2.0", "toolbox==1.0")
    parts = found.artifacts[0]
    assert (parts.url, parts.size, parts.kind) == (
        f"{index.address}/files/{name}",
        len(content),
        Kind.WHEEL,
    )
    assert parts.sha256 == hashlib.sha256(content).hexdigest()
    assert parts.uploaded == dt.datetime(2026, 11, 1, 10, tzinfo=dt.UTC)


def test_a_lock_brings_the_same_releases_when_newer_ones_are_out(index: Index) -> None:
    publish(index, wheel("toolbox", {}, requires=["parts"]), wheel("parts", {}))
    before = closure([TOOLBOX])
    publish(index, wheel("parts", {}, version="2.0"))
    assert closure([TOOLBOX]).lock == ("parts==2.0", "toolbox==1.0")
    assert closure([TOOLBOX], lock=before.lock) == before


def test_a_lock_without_a_pin_is_refused(index: Index) -> None:
    with pytest.raises(NoClosure, match=r"the lock lacks toolbox==1.0"):
        closure([TOOLBOX], lock=["parts==1.0"])


def test_the_wheel_made_for_that_python_is_taken(index: Index) -> None:
    tags = ["py3-none-any", "cp310-abi3-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_28_x86_64"]
    tags += ["cp312-cp312-manylinux_2_28_x86_64", "cp311-cp311-macosx_11_0_arm64", "cp311-cp311-win_amd64"]
    publish(index, *(wheel("toolbox", {}, tag=tag) for tag in tags))
    assert closure([TOOLBOX], "3.11").artifacts[0].file_name == f"toolbox-1.0-{tags[2]}.whl"
    assert closure([TOOLBOX], "3.12").artifacts[0].file_name == f"toolbox-1.0-{tags[3]}.whl"
    assert closure([TOOLBOX], "3.13").artifacts[0].file_name == f"toolbox-1.0-{tags[1]}.whl"


@pytest.mark.parametrize(
    ("pins", "reason"),
    [
        ((Pin(distribution="toolbox", version="9.9"),), "toolbox==9.9: .*no version of toolbox==9.9"),
        ((Pin(distribution="nothing", version="1.0"),), "nothing==1.0: .*not found in the package registry"),
        ((TOOLBOX, Pin(distribution="parts", version="1.0")), "parts==1.0, toolbox==1.0: .*parts>=2"),
    ],
)
def test_what_does_not_resolve_is_named_with_the_reason(
    index: Index, pins: tuple[Pin, ...], reason: str
) -> None:
    publish(index, wheel("toolbox", {}, requires=["parts>=2"]), wheel("parts", {}))
    publish(index, wheel("parts", {}, version="2.0"))
    with pytest.raises(NoClosure, match=reason):
        closure(pins)


def test_a_withdrawn_release_is_refused_with_its_reason(index: Index) -> None:
    name, content = wheel("toolbox", {})
    publish(index, (name, content))
    index.yanked[name] = "it eats disks"
    with pytest.raises(NoClosure, match=r"toolbox==1.0 was withdrawn from the registry: it eats disks"):
        closure([TOOLBOX])


@pytest.mark.parametrize(
    "said",
    [
        {"PKG-INFO": "Metadata-Version: 2.1\nName: kernels\nVersion: 1.0\nRequires-Dist: parts\n"},
        {"kernels.egg-info/requires.txt": 'parts\n\n[:python_version < "3"]\nold\n\n[dev]\nnothing\n'},
        {"pyproject.toml": '[project]\nname = "kernels"\nversion = "1.0"\ndependencies = ["parts"]\n'},
    ],
)
def test_a_source_archive_says_itself_what_it_needs_and_is_never_built(
    index: Index, tmp_path: Path, said: dict[str, str]
) -> None:
    built = tmp_path / "built"
    setup = f"from pathlib import Path\nPath({str(built)!r}).touch()\n"
    publish(index, sdist("kernels", {"setup.py": setup, "kernels/__init__.py": "", **said}))
    publish(index, wheel("parts", {}))
    found = closure([KERNELS])
    assert found.lock == ("kernels==1.0", "parts==1.0")
    assert found.absent == (KERNELS,)
    assert closure([KERNELS], lock=found.lock) == found
    assert not built.exists()


def test_a_source_archive_may_be_what_another_release_needs(index: Index) -> None:
    publish(index, wheel("toolbox", {}, requires=["kernels<2"]), sdist("kernels", {"kernels.py": ""}))
    found = closure([TOOLBOX])
    assert found.lock == ("kernels==1.0", "toolbox==1.0")
    assert found.absent == (KERNELS,)


def test_without_the_registry_the_last_answer_counts(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(index, wheel("toolbox", {}), wheel("parts", {}))
    before = closure([TOOLBOX])
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert closure([TOOLBOX]) == before
    with pytest.raises(NoClosure, match=r"cannot be asked for parts==1.0, and the cache has no answer"):
        closure([Pin(distribution="parts", version="1.0")])


def test_the_newest_that_go_together(index: Index) -> None:
    publish(index, wheel("toolbox", {}, requires=["parts<2"]), wheel("toolbox", {}, version="0.9"))
    publish(index, wheel("parts", {}), wheel("parts", {}, version="2.0"))
    assert closure_of_newest(["Toolbox", "parts"]).lock == ("parts==1.0", "toolbox==1.0")


def test_the_newest_may_be_a_source_archive_after_a_wheel(index: Index) -> None:
    publish(index, wheel("kernels", {}, version="0.1"), sdist("kernels", {"kernels.py": ""}))
    found = closure_of_newest(["kernels"])
    assert (found.lock, found.absent) == (("kernels==1.0",), (KERNELS,))
