"""Exercises: a stub that a reader fills in, held against a check, with a notebook that passes either way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Attempt = TypeVar("Attempt")


def exercise(attempt: Attempt, check: Callable[[Attempt], None]) -> bool:
    """Hold `attempt` against `check`, say how it went and return whether it is solved.

    A stub raises `NotImplementedError`; `check` calls the attempt and raises `AssertionError` with what is wrong.
    Neither ends the notebook, any other error does.
    """
    try:
        check(attempt)
    except NotImplementedError:
        print("not solved yet")
        return False
    except AssertionError as error:
        print(f"not right yet: {error or 'an assertion of the check failed'}")
        return False
    print("solved")
    return True
