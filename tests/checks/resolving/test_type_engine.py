"""The type checker's answers: read where their shape is known, refused loudly where it is not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.checks.resolving import type_engine
from ai_research_skills.checks.resolving.second_opinion import read_findings
from ai_research_skills.checks.resolving.type_engine import NoEngine, Span, TypeEngine, read_answer

HERE = Path(sys.prefix)


def item(**changes: Any) -> dict[str, Any]:
    place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 4}}
    return {"source": "ty", "code": "missing-attribute", "message": "no\n\nmore", "range": place} | changes


def test_an_answer_becomes_diagnostics_that_count_from_one() -> None:
    (found,) = read_answer("a.py", {"kind": "full", "items": [item()]})
    assert (found.file, found.rule, found.message) == ("a.py", "missing-attribute", "no")
    assert found.span == Span(2, 1, 2, 5)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"kind": "unchanged", "items": []},
        {"kind": "full"},
        {"kind": "full", "items": [{}]},
        {"kind": "full", "items": [item(source="other")]},
        {"kind": "full", "items": [item(range=None)]},
        {"kind": "full", "items": [item(message=["x"])]},
        {"kind": "full", "items": [item(code="revealed-type", message="int")]},
    ],
)
def test_an_answer_of_an_unknown_shape_is_refused(answer: Any) -> None:
    with pytest.raises(NoEngine, match=r"unknown shape.*pip install ty=="):
        read_answer("a.py", answer)


def test_another_release_of_the_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type_engine, "version", lambda _: "9.9")
    with pytest.raises(NoEngine, match=r"ty 9\.9 is not the release"):
        TypeEngine(HERE)


def test_an_engine_that_ends_early_is_named() -> None:
    with TypeEngine(HERE) as engine:
        engine._server.kill()
        engine._server._process.wait()
        with pytest.raises(NoEngine, match="no answer"):
            engine.diagnose({"a.py": "x = 1\n"})
    assert engine._server._process.returncode is not None


def test_programs_come_again_changed_and_members_and_parameters_are_listed() -> None:
    with TypeEngine(HERE) as engine:
        rules = {
            text: [one.rule for one in engine.diagnose({"a.py": text})]
            for text in (
                "import json\njson.nope\n",
                "import textwrap\ntextwrap.dedent('ö', nope=1)\n",
                "x = 1\n",
            )
        }
        assert list(rules.values()) == [["missing-attribute"], ["unknown-argument"], []]
        engine.diagnose({"b.py": "import json\njson.dmps\njson.dumps('', nope=1)\n"})
        assert "dumps" in engine.members("b.py", 2, 6)
        assert "skipkeys" in engine.parameters("b.py", 3, 16)
        (file,) = engine.definitions("b.py", 2, 2)
        assert file.name == "__init__.pyi"


def test_the_second_checker_s_findings_are_read_or_refused() -> None:
    said = '{"errors": [{"line": 2, "column": 1, "stop_line": 2, "stop_column": 3, "path": "x/a.py", "name": "missing-attribute", "concise_description": "no"}]}'
    (found,) = read_findings(said)
    assert (found.file, found.span, found.rule) == ("a.py", Span(2, 1, 2, 3), "missing-attribute")
    for wrong in ("", "[]", '{"errors": [{}]}'):
        with pytest.raises(NoEngine, match="unknown answer"):
            read_findings(wrong)
