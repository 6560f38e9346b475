"""A shell block as its commands."""

from __future__ import annotations

import pytest

from ai_research_skills.checks.resolving.command_lines import CannotSplit, commands


def words(source: str) -> list[tuple[str, ...]]:
    return [command.words for command in commands(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a b  c # d\ne#f", [("a", "b", "c"), ("e#f",)]),
        ("a \\\n  b", [("a", "b")]),
        ("a 'b c' \"d e\" f\\ g", [("a", "b c", "d e", "f g")]),
        ("a && b || c; d | e &", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("a > out.txt 2>&1 < in.txt b", [("a", "b")]),
        ("A=1 B='2 3' a b", [("a", "b")]),
        ("until a b; do sleep 2; done", [("a", "b"), ("sleep", "2")]),
        ("for i in 1 2; do a $i; done", [("a", "$i")]),
        ("sudo a", [("a",)]),
        ("a ''", [("a", "")]),
    ],
)
def test_commands_are_split_as_a_shell_does(source: str, expected: list[tuple[str, ...]]) -> None:
    assert words(source) == expected


def test_a_command_knows_its_line_and_whether_the_shell_changes_it() -> None:
    first, second = commands("a \\\n  b\n\nc \"$HOME\" '$x'")
    assert (first.line, first.expands) == (1, False)
    assert (second.line, second.expands) == (4, True)


def test_a_here_document_is_not_split() -> None:
    with pytest.raises(CannotSplit, match="here-document"):
        commands("cat <<END\nx\nEND")
