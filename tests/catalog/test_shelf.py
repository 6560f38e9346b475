"""Reading skills: what is right is typed, what is wrong is named with its place and its mend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.shelf import Shelf, load_skills
from ai_research_skills.catalog.skill import Hardware, Lifecycle, Pin
from tests.conftest import SKILL

Write = Callable[..., Path]
GOOD = SKILL.format(name="example", title="Example")


def messages(shelf: Shelf) -> list[str]:
    return [str(problem) for problem in shelf.problems]


def test_reads_a_skill(tmp_path: Path, write_skill: Write) -> None:
    folder = write_skill()
    (folder / "references").mkdir()
    (folder / "references" / "api.md").write_text("# The API\n\ntext\n")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "run.py").write_text("print()\n")
    shelf = load_skills(tmp_path)
    assert not shelf.problems
    (skill,) = shelf.skills
    assert (skill.name, skill.category, skill.title) == ("example", "04-peft", "Example")
    assert skill.metadata.packages == (Pin(distribution="numpy", version="2.4.6"),)
    assert skill.metadata.hardware == (Hardware.CPU,)
    assert skill.metadata.lifecycle is Lifecycle.ACTIVE
    assert skill.metadata.reviewed == dt.date(2026, 11, 1)
    assert [(page.slug, page.title) for page in skill.references] == [("api", "The API")]
    assert [path.as_posix() for path in skill.files] == ["scripts/run.py"]
    assert skill.body.text.lstrip().startswith("# Example")
    assert skill.raw.split("\n")[skill.body.first_line - 1 :] == skill.body.text.split("\n")


def test_a_skill_cannot_be_changed(tmp_path: Path, write_skill: Write) -> None:
    write_skill()
    (skill,) = load_skills(tmp_path).skills
    with pytest.raises(AttributeError):
        skill.name = "other"  # type: ignore[misc]


BAD = {
    "no frontmatter": ("# Title\n", ":1: has no frontmatter"),
    "unclosed frontmatter": ("---\nname: example\n", ":1: has frontmatter that never ends"),
    "invalid YAML": (GOOD.replace("license: MIT", "license: [MIT"), ":5: is not valid YAML"),
    "tab": (GOOD.replace("  title:", "\ttitle:"), ":6: has a tab in YAML"),
    "byte-order mark": ("\ufeff" + GOOD, ":1: starts with a byte-order mark"),
    "CRLF": (GOOD.replace("\n", "\r\n"), ":1: has CR line ends"),
    "not UTF-8": (GOOD.encode().replace(b"Somebody", b"Some\xff"), ":8: is not UTF-8 (byte 0xff)"),
    "unknown field": (GOOD.replace("license: MIT", "licence: MIT"), ":4: has the unknown field licence"),
    "missing description": (GOOD.replace("description", "compatibility"), "lacks description"),
    "name is not the folder": (GOOD.replace("name: example", "name: other"), ":2: is named 'other'"),
    "key twice": (
        GOOD.replace("license: MIT", "license: MIT\nlicense: BSD"),
        ":5: has the key 'license' twice",
    ),
    "alias": (GOOD.replace("license: MIT", "license: &a [x]\ncompatibility: *a"), ":4: uses a YAML alias"),
    "loose pin": (GOOD.replace("numpy==2.4.6", "numpy>=2"), ":10: packages: 'numpy>=2' is not an exact pin"),
    "unknown hardware": (GOOD.replace("hardware: cpu", "hardware: abacus"), ":14: hardware"),
    "metadata that is no text": (GOOD.replace('"1.0.0"', "1.0"), ":7: metadata.version is not text"),
    "deep nesting": (
        GOOD.replace("license: MIT", "license: " + "{a: " * 20 + "1" + "}" * 20),
        "nests deeper",
    ),
    "frontmatter that is a list": ("---\n- a\n---\n# Title\n", "the document"),
    "empty file": ("", "has no frontmatter"),
}


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_names_the_fault(tmp_path: Path, write_skill: Write, text: str | bytes, expected: str) -> None:
    write_skill(text=text)
    shelf = load_skills(tmp_path)
    found = messages(shelf)
    assert any(expected in message for message in found), found
    assert all("→" in message and "skills/04-peft/example/SKILL.md" in message for message in found)
    assert [skill.name for skill in shelf.skills] == ["example"], "a broken skill is still listed"


def test_reports_all_faults_of_a_tree_at_once(tmp_path: Path, write_skill: Write) -> None:
    write_skill("one", text="# Title\n")
    write_skill("two", text="---\nname: two\n")
    write_skill("three", text=SKILL.format(name="other", title="Three"))
    assert len({problem.path for problem in load_skills(tmp_path).problems}) == 3


def test_a_huge_file_is_refused_and_not_read(tmp_path: Path, write_skill: Write) -> None:
    write_skill(text=GOOD + "x" * 10_000_000)
    shelf = load_skills(tmp_path)
    assert any("bytes, more than" in message for message in messages(shelf))
    assert shelf.skills[0].raw == ""


def test_the_same_name_twice_is_a_problem(tmp_path: Path, write_skill: Write) -> None:
    write_skill("example", category="01-a")
    write_skill("example", category="02-b")
    assert any(
        "has the same name as skills/01-a/example" in message for message in messages(load_skills(tmp_path))
    )


def test_links_out_of_the_tree_are_refused(tmp_path: Path, write_skill: Write) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text("# Secret\n")
    root = tmp_path / "tree"
    folder = write_skill()
    (tmp_path / "skills").rename(root)
    folder = root / "04-peft" / "example"
    (folder / "references").mkdir()
    (folder / "references" / "api.md").symlink_to(outside)
    shelf = load_skills(root)
    assert any("api.md: is a link out of the tree" in message for message in messages(shelf))
    assert "Secret" not in shelf.skills[0].references[0].text


def test_a_linked_skill_file_is_refused(tmp_path: Path, write_skill: Write) -> None:
    root = tmp_path / "tree"
    (root / "example").mkdir(parents=True)
    (root / "example" / "SKILL.md").symlink_to(write_skill() / "SKILL.md")
    shelf = load_skills(root)
    assert any("SKILL.md: is a link out of the tree" in message for message in messages(shelf))
    assert shelf.skills[0].raw == ""


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "skills" / "04-peft" / "empty").mkdir(parents=True)
    assert messages(load_skills(tmp_path)) == [
        "skills/04-peft/empty: is an empty folder → write its SKILL.md or remove it"
    ]


def test_reads_a_tree_without_a_skills_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c" / "d" / "deep"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(SKILL.format(name="deep", title="Deep"))
    assert [skill.name for skill in load_skills(tmp_path).skills] == ["deep"]


def test_other_folders_are_passed_over(tmp_path: Path) -> None:
    for name in ("node_modules", ".git", "__pycache__"):
        (tmp_path / name / "x").mkdir(parents=True)
        (tmp_path / name / "x" / "SKILL.md").write_text(SKILL.format(name="x", title="X"))
    assert load_skills(tmp_path) == Shelf((), ())
