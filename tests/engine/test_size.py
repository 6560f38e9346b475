"""The engine stays one that a person can read."""

import ast
import io
import tokenize
from pathlib import Path

import ai_research_skills.engine

FILES = sorted(Path(ai_research_skills.engine.__file__).parent.glob("*.py"))
SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(text: str) -> int:
    """Lines that are not blank, comment or docstring."""
    lines = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in SILENT
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_the_engine_has_fewer_than_1500_lines_of_code() -> None:
    assert 500 < sum(lines_of_code(path.read_text(encoding="utf-8")) for path in FILES) < 1500


def test_each_file_is_read_in_one_sitting() -> None:
    assert {
        path.name: n for path in FILES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 250
    } == {}
