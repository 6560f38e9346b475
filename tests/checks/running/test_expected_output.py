"""A page says what a block prints; what it did print is held against that."""

from __future__ import annotations

import time

import pytest

from ai_research_skills.checks.running.expected_output import ends_with, matches, mismatch


def ran(stdout: str, *, truncated: bool = False) -> dict[str, object]:
    return {"outcome": "ran", "stdout": stdout, "truncated": truncated}


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a\nb", "a  \nb\t\n\n\n"),
        ("", ""),
        ("", "\n"),
        ("a\n\nb\n", "a\r\n\r\nb\r\n"),
        ("loss ...", "loss 0.25 after 3 steps"),
        ("first\n...\nlast", "first\nx\ny\nlast"),
        ("...", "anything\nat all"),
        ("a...b...c", "a 1 b 2 c"),
        ("[1, ..., 9]", "[1, 2, 3, 9]"),
    ],
)
def test_what_agrees(expected: str, found: str) -> None:
    assert matches(expected, found)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("a", "b"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        (" a", "a"),
        ("a\n\nb", "a\nb"),
        ("1", "True"),
        ("True", "1"),
        ("a\n<BLANKLINE>\nb", "a\n\nb"),
        ("a...a", "a"),
        ("loss ...5", "loss 0.24"),
        ("first\n...\nlast", "first\nlast\nmore"),
        ("[1]", "[1.0]"),
    ],
)
def test_what_does_not_agree(expected: str, found: str) -> None:
    assert not matches(expected, found)


def test_many_dots_take_no_time() -> None:
    started = time.perf_counter()
    assert not matches("a..." * 500 + "b", "a" * 60_000)
    assert time.perf_counter() - started < 1


def test_a_difference_is_shown_and_is_short() -> None:
    said = mismatch("one\ntwo\nthree\n", ran("one\n2\nthree\n"))
    assert said is not None
    assert said.splitlines()[1:] == ["@@ -1,3 +1,3 @@", " one", "-two", "+2", " three"]
    long = mismatch("", ran("x" * 900 + "\n" + "y\n" * 900))
    assert long is not None
    assert len(long.splitlines()) < 25
    assert max(map(len, long.splitlines())) < 250


def test_a_line_that_agrees_by_its_dots_is_no_difference() -> None:
    said = mismatch("one\nat 0x...\n", ran("two\nat 0x7fad\n"))
    assert said is not None
    assert said.splitlines()[2:] == ["-one", "+two", " at 0x..."]


def test_what_was_printed_beyond_the_limit_cannot_be_compared() -> None:
    assert "more than is kept" in str(mismatch("x", ran("x\ny", truncated=True)))
    assert mismatch("x...", ran("x\ny", truncated=True)) is None


@pytest.mark.parametrize(
    "expected",
    [
        "TypeError: run() takes 1 argument",
        "TypeError: ...",
        "TypeError",
        "Traceback (most recent call last):\n  ...\nTypeError: run() takes 1 argument",
        'Traceback (most recent call last):\n  File "x", line 1\n    run(1)\nTypeError: run() takes 1 argument',
    ],
)
def test_an_error_is_held_to_its_text(expected: str) -> None:
    outcome = {"outcome": "raised", "error": "TypeError: run() takes 1 argument"}
    assert (mismatch(expected, outcome) is None) is (expected != "TypeError")


def test_the_last_lines_of_an_error_are_enough() -> None:
    error = "pydantic.ValidationError: 1 validation error for X\nsize\n  Field required"
    assert ends_with(error, "size\n  Field required")
    assert ends_with(error, "  Field required")
    assert ends_with(error, error)
    assert not ends_with(error, "size")


@pytest.mark.parametrize("outcome", ["skipped", "failed"])
def test_a_block_that_did_not_run_is_not_compared(outcome: str) -> None:
    assert mismatch("x", {"outcome": outcome}) is None
