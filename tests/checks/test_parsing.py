"""Level 1: a parser of the language accepts the example."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.parsing import PARSERS, DoesNotParse, parses

CASES = {
    "python": ("x = 1", "x = = 1"),
    "bash": ("for i in 1 2; do echo $i; done", "for i in; do echo"),
    "sh": ("ls", "if true; then"),
    "yaml": ("a: 1\nb: [1, 2]", "a: [1"),
    "json": ('{"a": 1}', '{"a": }'),
    "toml": ("a = 1", "a = "),
    "ini": ("[a]\nb = 1", "b = 1"),
    "diff": ("- old\n+ new", "old"),
}


def example(language: str, source: str) -> Example:
    return Example(Path("SKILL.md"), language, "", "Title", 1, 0, source)


def test_every_language_has_a_case() -> None:
    assert set(CASES) == set(PARSERS)


@pytest.mark.parametrize("language", CASES)
def test_accepts_what_parses_and_names_what_does_not(language: str) -> None:
    good, bad = CASES[language]
    assert parses(example(language, good))
    with pytest.raises(DoesNotParse, match=f"is not valid {language}"):
        parses(example(language, bad))


def test_a_language_that_no_parser_knows_is_not_called_parsed() -> None:
    assert not parses(example("cobol", "x"))
