"""What holds of every script of every skill: it answers, it is typed, it is tested, and its skill says when to run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mypy import api as mypy

from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill

ROOT = Path(__file__).parents[2]
SCRIPTS = [(skill, script) for skill in load_skills(ROOT).skills for script in skill.scripts]

each_script = pytest.mark.parametrize(
    ("skill", "script"), SCRIPTS, ids=[f"{skill.name}/{script.stem}" for skill, script in SCRIPTS]
)


@each_script
def test_it_says_how_it_is_called(skill: Skill, script: Path) -> None:
    command = [sys.executable, str(ROOT / skill.folder / script), "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert result.stdout.startswith("usage: ")


@each_script
def test_a_mistake_in_the_call_is_told_apart_from_a_finding(skill: Skill, script: Path) -> None:
    command = [sys.executable, str(ROOT / skill.folder / script), "--no-such-option"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


@each_script
def test_it_is_typed(skill: Skill, script: Path) -> None:
    report, _, status = mypy.run(["--strict", str(ROOT / skill.folder / script)])
    assert status == 0, report


@each_script
def test_it_has_tests_and_its_skill_says_when_to_run_it(skill: Skill, script: Path) -> None:
    assert (ROOT / f"tests/skills/test_{skill.name.replace('-', '_')}_{script.stem}.py").is_file()
    assert f"]({script.as_posix()})" in skill.body.text
