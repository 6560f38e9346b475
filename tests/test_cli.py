"""The command line: its exit codes, its JSON, and that it works on anybody's tree."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ai_research_skills.cli import main
from tests.conftest import SKILL

Write = Callable[..., Path]


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


def test_validate_passes_this_repository(repository: Path) -> None:
    result = run("validate", "--root", repository)
    assert result.exit_code == 0, result.output


def test_validate_names_every_finding_and_fails(tmp_path: Path, write_skill: Write) -> None:
    write_skill("one", text="# Title\n")
    write_skill(
        "two", text=SKILL.format(name="two", title="Two").replace("lora, adapters", "lora\n  other: [x")
    )
    result = run("validate", "--root", tmp_path, "--json")
    assert result.exit_code == 1
    paths = {problem["path"] for problem in json.loads(result.output)["problems"]}
    assert paths == {"skills/04-peft/one/SKILL.md", "skills/04-peft/two/SKILL.md"}


def test_validate_runs_the_reference_validator(tmp_path: Path, write_skill: Write) -> None:
    write_skill("Upper", text=SKILL.format(name="Upper", title="Upper"))
    result = run("validate", "--root", tmp_path)
    assert "specification: Skill name 'Upper' must be lowercase" in result.output


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("lora, adapters", "lora, nonsense"), "unknown tag 'nonsense'"),
        (("Does one thing.", "Does one thing. " * 20), "description of"),
        (("```python", "```"), "code block without a language"),
        (("```python", "```python sideways"), "unknown mark 'sideways'"),
        (("# one plus one", "[x](references/none.md)\n"), None),
        (("```python", "[x](references/none.md)\n\n```python"), "links to references/none.md"),
        (("```python", "[x](javascript:alert(1))\n\n```python"), "links to 'javascript:alert(1)'"),
        (("  reviewed:", "  revised:"), "lacks metadata.reviewed"),
    ],
)
def test_validate_keeps_the_house_rules(
    tmp_path: Path, write_skill: Write, change: tuple[str, str], expected: str | None
) -> None:
    write_skill(text=SKILL.format(name="example", title="Example").replace(*change))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tags.yml").write_text("lora: Low rank\nadapters: Small modules\n")
    result = run("validate", "--root", tmp_path)
    if expected is None:
        assert result.exit_code == 0, result.output
    else:
        assert result.exit_code == 1
        assert expected in result.output


def test_list_and_show_speak_json(tmp_path: Path, write_skill: Write) -> None:
    write_skill()
    (row,) = json.loads(run("list", "--root", tmp_path, "--json").output)
    assert row["name"] == "example"
    assert row["tier"] == "draft"
    assert json.loads(run("show", "example", "--root", tmp_path, "--json").output) == row


def test_show_helps_with_a_wrong_name(tmp_path: Path, write_skill: Write) -> None:
    write_skill("example-skill")
    result = run("show", "example", "--root", tmp_path)
    assert result.exit_code == 2
    assert "did you mean example-skill?" in result.output


def test_export_stages_the_site_and_refuses_a_full_folder(tmp_path: Path, repository: Path) -> None:
    folder = tmp_path / "out"
    assert run("export", folder, "--root", repository).exit_code == 0
    assert (folder / "index.md").is_file()
    assert (folder / "skills" / "vllm" / "index.md").is_file()
    assert (folder / "skills" / "vllm" / "SKILL.md").read_bytes() == next(
        repository.glob("skills/*/vllm/SKILL.md")
    ).read_bytes()
    again = run("export", folder, "--root", repository)
    assert again.exit_code == 2
    assert "is not empty" in again.output


def test_any_tree_of_160_skills_is_listed_validated_and_exported_in_time(
    tmp_path: Path, repository: Path
) -> None:
    """The six fullest skills, copied under other names into a tree that is only a library."""
    root = tmp_path / "foreign"
    sources = sorted(path.parent for path in repository.glob("skills/*/*/SKILL.md"))
    for number in range(160):
        source = sources[number % len(sources)]
        shutil.copytree(source, root / f"{number % 19:02}-things" / f"copy-{number}")
    (root / "broken").mkdir()
    (root / "broken" / "SKILL.md").write_bytes(b"---\nname: [\n\xff")
    for words in (("validate", "--json"), ("list", "--json"), ("export", tmp_path / "out")):
        started = time.perf_counter()
        result = run(*words, "--root", root)
        seconds = time.perf_counter() - started
        assert result.exit_code in {0, 1}, result.output
        assert seconds < 15, f"{words[0]} took {seconds:.1f} s"
