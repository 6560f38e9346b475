"""A script in another interpreter: what it is asked, what it answers, and which variables it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ai_research_skills.checks.running.isolated import OFFLINE, inner_environment, run_inside
from ai_research_skills.checks.running.limits import Limits
from tests.checks.running.conftest import SMALL, Run

PYTHON = Path("/environment/bin/python")


def test_the_answer_is_what_the_script_makes_of_what_it_was_given(run: Run) -> None:
    outcome = run("answer = {'sum': 1 + 1, 'text': 'ä'}")
    assert outcome.answer == {"sum": 2, "text": "ä"}
    assert outcome.reason == ""


@pytest.mark.usefixtures("sandboxed")
def test_a_script_that_does_not_end_in_time_has_no_answer(python: Path, script: str) -> None:
    assert run_inside(python, script, "import time; time.sleep(60)", timeout=0.5) is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("pass", "ended without an answer"),
        ("raise SystemExit(3)", "ended with exit status 3"),
        ("import os; os.kill(os.getpid(), 11)", "was ended by SIGSEGV"),
    ],
)
def test_a_script_without_an_answer_says_how_it_ended(run: Run, code: str, reason: str) -> None:
    outcome = run(code)
    assert outcome.answer is None
    assert outcome.reason == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.abort()", "was ended by SIGABRT"),
        ("while True: pass", "ran longer than 1 s"),
        ("raise SystemExit(3)", "ended with exit status 3"),
    ],
)
def test_an_answer_survives_what_ends_its_script(run: Run, code: str, reason: str) -> None:
    write = "import json; json.dump('whole', open(found, 'w')); "
    outcome = run(f"exec({write + 'pass'!r}); exec({code!r})", replace(SMALL, seconds=1))
    assert outcome.answer == "whole"
    assert outcome.reason == reason


def test_what_a_script_prints_is_kept_at_its_end_and_is_no_answer(run: Run) -> None:
    outcome = run("print('x' * 10**6); print('[1, 2]'); print('last'); answer = 3")
    assert outcome.answer == 3
    assert len(outcome.output_tail) < 20_000
    assert outcome.output_tail.splitlines()[-1] == "last"


def test_only_named_variables_are_passed_on() -> None:
    outer = {
        "OPENBLAS_CORETYPE": "Haswell",
        "CUDA_VISIBLE_DEVICES": "3",
        "API_KEY": "secret",
        "HOME": "/home/me",
    }
    inner = inner_environment(PYTHON, Limits(), outer)
    assert inner["OPENBLAS_CORETYPE"] == "Haswell"
    assert inner["PATH"].split(":")[0] == "/environment/bin"
    assert {name: inner[name] for name in OFFLINE} == OFFLINE
    assert "API_KEY" not in inner
    assert inner["HOME"] != "/home/me"


def test_a_gpu_is_visible_only_where_it_is_asked_for() -> None:
    outer = {"CUDA_VISIBLE_DEVICES": "3"}
    assert inner_environment(PYTHON, Limits(), outer)["CUDA_VISIBLE_DEVICES"] == ""
    assert inner_environment(PYTHON, Limits(gpu=True), outer)["CUDA_VISIBLE_DEVICES"] == "3"
    assert "CUDA_VISIBLE_DEVICES" not in inner_environment(PYTHON, Limits(gpu=True), {})
