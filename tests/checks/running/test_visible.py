"""Which files and folders of the machine an interpreter needs, and that no others are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.checks.running.visible import shown_paths


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base interpreter that was installed straight into somebody's home."""
    home = tmp_path / "home"
    for folder in ("bin", "lib", ".ssh"):
        (home / folder).mkdir(parents=True)
    (home / "bin" / "python3.11").touch()
    return home


def environment(folder: Path, base_bin: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / "python3.11" / "site-packages").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {base_bin}\nversion = 3.11.7\n", encoding="utf-8")
    (folder / "bin" / "python").symlink_to(base_bin / "python3.11")
    return folder / "bin" / "python"


def below(shown: list[tuple[str, str]], folder: Path) -> dict[str, str]:
    """Where what lies in `folder` is shown, by its source."""
    paths = [(Path(source), Path(target)) for source, target in shown]
    return {
        str(target.relative_to(folder)): str(source.relative_to(folder))
        for source, target in paths
        if target.is_relative_to(folder)
    }


def test_the_environment_and_its_base_are_shown_where_they_are(base: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env", base / "bin")
    seen = below(shown_paths(python, gpu=False), tmp_path)
    assert set(seen) == {"env/bin", "env/lib", "env/pyvenv.cfg", "home/bin", "home/lib"}


def test_a_base_is_shown_by_the_name_that_the_environment_has_for_it(base: Path, tmp_path: Path) -> None:
    (tmp_path / "python-3.11").symlink_to(base)
    python = environment(tmp_path / "env", tmp_path / "python-3.11" / "bin")
    seen = below(shown_paths(python, gpu=False), tmp_path)
    assert seen["python-3.11/lib"] == "home/lib"
    assert seen["home/bin"] == "home/bin"


def test_packages_that_are_links_to_a_cache_bring_their_folder_of_it(base: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env", base / "bin")
    cached = tmp_path / "cache" / "abc" / "toolbox-1.0.dist-info"
    cached.mkdir(parents=True)
    (cached / "METADATA").touch()
    (tmp_path / "cache" / "other").mkdir()
    linked = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / cached.name
    linked.mkdir()
    (linked / "METADATA").symlink_to(cached / "METADATA")
    assert {path for path in below(shown_paths(python, gpu=False), tmp_path) if path.startswith("cache")} == {
        "cache/abc"
    }


def test_a_folder_comes_before_what_lies_in_it_and_is_shown_once(base: Path, tmp_path: Path) -> None:
    targets = [target for _, target in shown_paths(environment(tmp_path / "env", base / "bin"), gpu=False)]
    assert targets == sorted(set(targets))
    assert not [one for one in targets for other in targets if one.startswith(other + "/")]


def test_the_homes_and_the_runtime_folder_are_not_shown(base: Path, tmp_path: Path) -> None:
    targets = {target for _, target in shown_paths(environment(tmp_path / "env", base / "bin"), gpu=False)}
    assert not targets & {"/", "/home", "/root", "/run", "/var", "/etc", "/tmp", "/sys", "/proc", "/dev"}
