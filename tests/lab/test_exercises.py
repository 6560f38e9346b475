"""An exercise says how far it is and stops nothing but real errors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ai_research_skills.lab.exercises import exercise


def stub(_: int) -> int:
    raise NotImplementedError


def check(double: Callable[[int], int]) -> None:
    assert double(2) == 4, "double(2) should be 4"


@pytest.mark.parametrize(
    ("attempt", "solved", "said"),
    [
        (stub, False, "not solved yet"),
        (lambda x: x + 1, False, "not right yet: double(2) should be 4"),
        (lambda x: 2 * x, True, "solved"),
    ],
)
def test_says_how_it_went(
    capsys: pytest.CaptureFixture[str], attempt: Callable[[int], int], solved: bool, said: str
) -> None:
    assert exercise(attempt, check) is solved
    assert capsys.readouterr().out.startswith(said)


def test_an_error_of_the_attempt_is_shown() -> None:
    with pytest.raises(ZeroDivisionError):
        exercise(lambda x: x // 0, check)
