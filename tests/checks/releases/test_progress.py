"""A person at a terminal sees how far it is; a pipe sees nothing."""

from __future__ import annotations

import pytest

from ai_research_skills.checks.releases.artifacts import Progress
from ai_research_skills.checks.releases.progress import described, shown_progress


def test_a_step_in_one_line() -> None:
    assert described(Progress("fetching", 12, 53, 34_140_000)) == "fetching releases: 12 of 53, 34.1 MB"
    assert described(Progress("stubbing", 2, 3)) == "stubbing releases: 2 of 3"


def test_a_pipe_stays_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai_research_skills.checks.releases.progress.PATIENCE", 0.0)
    with shown_progress() as report:
        report(Progress("fetching", 1, 2, 10))
    assert capsys.readouterr() == ("", "")


def test_a_terminal_is_told_once_it_takes_a_while(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress() as report:
        report(Progress("fetching", 1, 2, 10))
    assert "1 of 2" not in capsys.readouterr().err
    monkeypatch.setattr("ai_research_skills.checks.releases.progress.PATIENCE", 0.0)
    with shown_progress() as report:
        report(Progress("fetching", 1, 2, 10_000_000))
    shown = capsys.readouterr()
    assert "1 of 2, 10.0 MB" in shown.err
    assert shown.out == ""
