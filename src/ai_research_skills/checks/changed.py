"""Which skills changed since a revision, by git."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from ai_research_skills.catalog.skill import Skill


class NoHistory(Exception):
    """The tree has no history, or the revision is not in it."""


def changed_skills(root: Path, revision: str, skills: Iterable[Skill]) -> tuple[Skill, ...]:
    """The skills with a file that differs from `revision`, new files included.

    Raises:
        NoHistory: `root` is not in a git repository, or git does not know `revision`.
    """
    changed = [
        *_git(root, "diff", "--name-only", "--relative", "-z", "--end-of-options", revision, "--"),
        *_git(root, "ls-files", "--others", "--exclude-standard", "-z"),
    ]
    paths = [Path(name) for name in changed]
    return tuple(skill for skill in skills if any(path.is_relative_to(skill.folder) for path in paths))


def _git(root: Path, *words: str) -> list[str]:
    try:
        result = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NoHistory(f"git cannot be run: {error.strerror}") from error
    if result.returncode:
        raise NoHistory(result.stderr.strip().splitlines()[0] if result.stderr.strip() else "git failed")
    return [name for name in result.stdout.split("\0") if name]
