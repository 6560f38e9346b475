"""The examples of this repository: every one parses, and those of one skill run again.

What is proven and unchanged is not run anew at every commit; the weekly workflow runs all.
"""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from ai_research_skills.cli import main

SAMPLE = "faiss"
"""Its environment is the smallest, and all its pages run on a CPU within seconds."""


def test_every_example_parses(repository: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--parse-only", "--root", str(repository)])
    assert result.exit_code == 0, result.output


def test_the_sampled_skill_still_runs(repository: Path) -> None:
    result = CliRunner().invoke(main, ["check", SAMPLE, "--root", str(repository)])
    assert result.exit_code == 0, result.output
