"""Of a release only its Python arrives, checked; what is broken or hostile is refused and leaves nothing."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest

from ai_research_skills.checks.releases import archives, download
from ai_research_skills.checks.releases.artifacts import (
    Artifact,
    Kind,
    NoArtifact,
    Progress,
    artifact_folder,
    fetch_artifacts,
)
from tests.checks.releases.made_up_index import SHARED_OBJECT, Index, sdist, wheel

LARGE: dict[str, str | bytes] = {
    "toolbox/__init__.py": "x = 1\n",
    "toolbox/native.cpython-311-x86_64-linux-gnu.so": SHARED_OBJECT,
    "toolbox/stubbed.abi3.so": b"",
    "toolbox/stubbed.pyi": "y: int\n",
    "toolbox/libcuda.so": b"",
    "toolbox/last.py": "z = 1\n",
    "toolbox/weights.bin": "no python",
    "toolbox-1.0.data/purelib/beside.py": "",
    "toolbox-1.0.dist-info/entry_points.txt": "[console_scripts]\ntoolbox = toolbox:main\n",
}


def published(index: Index, file: tuple[str, bytes], *, sha256: str = "") -> Artifact:
    name, content = file
    kind = Kind.WHEEL if name.endswith(".whl") else Kind.SDIST
    found = sha256 or hashlib.sha256(content).hexdigest()
    return Artifact(name.partition("-")[0], "1.0", index.add(name, content), found, len(content), kind, None)


def paths(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def nothing_is_left(cache: Path) -> bool:
    return not any(
        path.is_file() and path.suffix != ".lock"
        for name in ("artifacts", "partial")
        for path in (cache / name).rglob("*")
    )


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PAUSE", 0.0)


def test_only_the_stretches_with_python_are_asked_for(index: Index) -> None:
    artifact = published(index, wheel("toolbox", LARGE))
    folder = artifact_folder(artifact)
    assert paths(folder) == {
        "beside.py",
        "toolbox/__init__.py",
        "toolbox/last.py",
        "toolbox/native.pyi",
        "toolbox/stubbed.pyi",
        "toolbox-1.0.dist-info/METADATA",
        "toolbox-1.0.dist-info/entry_points.txt",
    }
    assert (folder / "toolbox/native.pyi").read_text() == archives.OPAQUE
    assert (folder / "toolbox/stubbed.pyi").read_text() == "y: int\n"
    assert index.bytes_sent(artifact.file_name) < len(SHARED_OBJECT) / 10
    assert all(asked for _, asked, _ in index.sent)


def test_without_ranges_the_whole_file_gives_the_same(index: Index) -> None:
    artifact = published(index, wheel("toolbox", LARGE))
    index.gives_ranges = False
    assert "toolbox/last.py" in paths(artifact_folder(artifact))
    assert index.bytes_sent(artifact.file_name) >= len(SHARED_OBJECT)


def test_a_download_that_broke_off_goes_on_where_it_did(index: Index) -> None:
    artifact = published(index, sdist("toolbox", {"toolbox.py": "x = 1\n"}))
    index.breaks_after[artifact.file_name] = 100
    assert paths(artifact_folder(artifact)) >= {"toolbox.py"}
    assert [asked for _, asked, _ in index.sent] == ["", "bytes=100-"]


def test_what_an_interrupted_fetch_left_is_used(index: Index, cache: Path) -> None:
    artifact = published(index, sdist("toolbox", {"toolbox.py": "x = 1\n"}))
    (cache / "partial").mkdir(parents=True)
    (cache / "partial" / artifact.sha256).write_bytes(index.files[artifact.file_name][:50])
    artifact_folder(artifact)
    assert [asked for _, asked, _ in index.sent] == ["bytes=50-"]


def test_a_beginning_of_something_else_is_thrown_away(index: Index, cache: Path) -> None:
    artifact = published(index, sdist("toolbox", {"toolbox.py": "x = 1\n"}))
    (cache / "partial").mkdir(parents=True)
    (cache / "partial" / artifact.sha256).write_bytes(b"other bytes")
    assert "toolbox.py" in paths(artifact_folder(artifact))


def test_finished_artifacts_are_not_fetched_again(index: Index) -> None:
    good, gone = published(index, wheel("toolbox", {"toolbox.py": ""})), published(index, wheel("parts", {}))
    del index.files[gone.file_name]
    with pytest.raises(NoArtifact, match=r"parts==1.0: .*HTTP Error 404"):
        fetch_artifacts([good, gone])
    index.sent.clear()
    index.add(*wheel("parts", {}))
    heard: list[Progress] = []
    fetch_artifacts([good, gone], heard.append)
    assert {name for name, _, _ in index.sent} == {gone.file_name}
    assert heard[-1] == Progress("fetching", 2, 2, gone.size or 0)


def test_another_file_than_the_index_names_is_refused(index: Index, cache: Path) -> None:
    artifact = published(index, wheel("toolbox", {}), sha256="0" * 64)
    with pytest.raises(NoArtifact, match="is not the file that the index names"):
        artifact_folder(artifact)
    assert nothing_is_left(cache)


def test_a_copy_that_was_changed_is_noticed(index: Index, cache: Path) -> None:
    artifact = published(index, wheel("toolbox", {"toolbox.py": "x = 1\n"}))
    fetched = cache / "artifacts" / artifact.sha256
    fetched.mkdir(parents=True)
    (fetched / "files").mkdir()
    (fetched / "artifact.json").write_text('{"release": "toolbox==1.0", "tree": "of other files"}')
    with pytest.raises(NoArtifact, match="were changed → delete that folder"):
        artifact_folder(artifact)


@pytest.mark.parametrize(
    "path", ["../evil.py", "toolbox/../../evil.py", "/tmp/evil.py", "C:\\evil.py", "toolbox\\..\\evil.py"]
)
@pytest.mark.parametrize("padding", [b"", SHARED_OBJECT], ids=["whole", "by stretches"])
def test_a_wheel_that_leaves_its_folder_is_refused(
    index: Index, cache: Path, path: str, padding: bytes
) -> None:
    artifact = published(index, wheel("toolbox", {"toolbox.py": "", path: "evil", "toolbox.so": padding}))
    with pytest.raises(NoArtifact, match="unsafe path"):
        artifact_folder(artifact)
    assert nothing_is_left(cache)
    assert not list(cache.parent.rglob("evil.py"))


@pytest.mark.parametrize("path", ["../evil.py", "/tmp/evil.py", "./../../evil.py"])
def test_a_source_archive_that_leaves_its_folder_is_refused(index: Index, cache: Path, path: str) -> None:
    artifact = published(index, sdist("toolbox", {"toolbox.py": "", path: "evil"}))
    with pytest.raises(NoArtifact, match="unsafe path"):
        artifact_folder(artifact)
    assert nothing_is_left(cache)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (link("toolbox-1.0/toolbox/evil.py", "/etc/passwd"), "outside of it"),
        (link("toolbox-1.0/toolbox/evil.py", "../../../secret"), "outside of it"),
        (link("toolbox-1.0/evil.py", "../secret", tarfile.LNKTYPE), "outside of it"),
        (link("toolbox-1.0/evil.py", "", tarfile.FIFOTYPE), "a device"),
        (link("toolbox-1.0/evil.py", "", tarfile.CHRTYPE), "a device"),
    ],
)
def test_links_that_lead_out_and_devices_are_refused(
    index: Index, cache: Path, entry: tarfile.TarInfo, what: str
) -> None:
    artifact = published(index, sdist("toolbox", {"toolbox/__init__.py": ""}, extra=[entry]))
    with pytest.raises(NoArtifact, match=what):
        artifact_folder(artifact)
    assert nothing_is_left(cache)


def test_a_link_that_stays_inside_is_left_out(index: Index) -> None:
    entry = link("toolbox-1.0/toolbox/same.py", "__init__.py")
    folder = artifact_folder(published(index, sdist("toolbox", {"toolbox/__init__.py": ""}, extra=[entry])))
    assert paths(folder) == {"toolbox/__init__.py"}


def test_a_link_in_a_wheel_is_refused(index: Index, tmp_path: Path) -> None:
    name, content = wheel("toolbox", {"toolbox.py": ""})
    path = tmp_path / name
    path.write_bytes(content)
    entry = zipfile.ZipInfo("evil.py")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(NoArtifact, match="a link or a device"):
        artifact_folder(published(index, (name, path.read_bytes())))


@pytest.mark.parametrize("cut", [10, -200])
def test_a_damaged_source_archive_is_refused(index: Index, cache: Path, cut: int) -> None:
    name, content = sdist("toolbox", {f"toolbox/m{i}.py": f"x = {i}\n" * i for i in range(300)})
    with pytest.raises(NoArtifact, match=r"toolbox==1.0: .* cannot be unpacked"):
        artifact_folder(published(index, (name, content[:cut])))
    assert nothing_is_left(cache)


@pytest.mark.parametrize("padding", [b"", SHARED_OBJECT], ids=["whole", "by stretches"])
def test_a_damaged_wheel_is_refused(index: Index, cache: Path, padding: bytes) -> None:
    text = "x = 1\n" * 400
    name, content = wheel("toolbox", {"toolbox.py": text, "toolbox.so": padding})
    at = content.index(b"toolbox.py") + len("toolbox.py") + 5
    broken = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
    with pytest.raises(NoArtifact, match=r"toolbox==1.0: .* cannot be unpacked"):
        artifact_folder(published(index, (name, broken)))
    assert nothing_is_left(cache)


@pytest.mark.parametrize("limit", ["MEMBER_LIMIT", "KEPT_LIMIT", "COUNT_LIMIT"])
@pytest.mark.parametrize("make", [wheel, sdist])
def test_an_archive_that_unpacks_to_too_much_is_refused(
    index: Index, cache: Path, monkeypatch: pytest.MonkeyPatch, limit: str, make: object
) -> None:
    bomb = {f"toolbox/m{number}.py": "#" * 2**20 for number in range(4)}
    artifact = published(index, wheel("toolbox", bomb) if make is wheel else sdist("toolbox", bomb))
    assert (artifact.size or 0) < 20_000
    monkeypatch.setattr(archives, limit, 2**19 if limit != "COUNT_LIMIT" else 3)
    with pytest.raises(NoArtifact, match=r"too much|limit|more than"):
        artifact_folder(artifact)
    assert nothing_is_left(cache)


def test_padding_that_nobody_keeps_counts_as_well(
    index: Index, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = published(index, sdist("toolbox", {"toolbox.py": "", "big.bin": "0" * 2**22}))
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 2**20)
    with pytest.raises(NoArtifact, match="unpacks to more than"):
        artifact_folder(artifact)
    assert nothing_is_left(cache)


def test_a_server_that_never_stops_sending_is_left(index: Index, cache: Path) -> None:
    name, content = sdist("toolbox", {"toolbox.py": ""})
    artifact = published(index, (name, content))
    index.files[name] = content + b"0" * 2**22
    with pytest.raises(NoArtifact, match="has more than"):
        artifact_folder(artifact)
    assert nothing_is_left(cache)


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        ({"toolbox/__init__.py": "", "tests/test_it.py": "", "setup.py": ""}, {"toolbox/__init__.py"}),
        ({"src/toolbox/__init__.py": "", "docs/conf.py": ""}, {"toolbox/__init__.py"}),
        ({"python/toolbox/__init__.py": "", "csrc/gen.py": ""}, {"toolbox/__init__.py"}),
        ({"other.egg-info/top_level.txt": "other", "other.py": "", "gen.py": ""}, {"other.py"}),
        ({"lonely/__init__.py": "", "setup.py": "", "benchmarks/run.py": ""}, {"lonely/__init__.py"}),
        (
            {"toolbox/a.py": "", "setup.py": "CUDAExtension('toolbox.fast', [])\nExtension(name='top')"},
            {"toolbox/a.py", "toolbox/fast.pyi", "top.pyi"},
        ),
    ],
)
def test_packages_of_a_source_archive_lie_where_they_would_be_installed(
    index: Index, files: dict[str, str], kept: set[str]
) -> None:
    found = paths(artifact_folder(published(index, sdist("toolbox", files))))
    assert {path for path in found if ".dist-info/" not in path} == kept
