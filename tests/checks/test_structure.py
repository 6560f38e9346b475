"""What is wrong with the fences of a page: every one must be found by whoever checks the examples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.tree import load_tree
from ai_research_skills.checks.structure import structure_problems
from tests.conftest import SKILL

Write = Callable[..., Path]
ABOVE = SKILL.count("\n") + 1
"""Lines of the page above a body."""

PYTHON = "```python\nprint(1)\n```\n\n"
ADMONITION = "!!! note\n\n    ```python\n    x\n    ```\n"


def found(tmp_path: Path, write_skill: Write, body: str) -> list[tuple[int, str]]:
    """The faults of a skill with `body`, but for those that it has anyway, with their line of the body."""
    write_skill(text=SKILL.format(name="example", title="Example") + "\n" + body)
    problems = structure_problems(load_tree(tmp_path))
    assert all(problem.mend for problem in problems)
    return [(problem.line - ABOVE, problem.message) for problem in problems if problem.line > ABOVE]


@pytest.mark.parametrize(
    "body",
    [
        f"{PYTHON}```text prints\n1\n```\n",
        f"{PYTHON}It prints:\n\n```console prints\n1\n```\n",
        "```python fails\n1 / 0\n```\n\n```text prints\nZeroDivisionError: division by zero\n```\n",
        "```py title='x' gpu\nx\n```\n",
        "- a\n\n  ````markdown\n  ```python\n  ````\n",
        "```text\n```\n",
        "Write ```x``` there.\n",
    ],
)
def test_fences_without_fault(tmp_path: Path, write_skill: Write, body: str) -> None:
    assert found(tmp_path, write_skill, body) == []


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("```\nx\n```\n", 1, "without a language"),
        ("```python\n\n```\n", 1, "empty code block"),
        ("```python fail\nx\n```\n", 1, "the unknown mark 'fail'"),
        ("```bash gpu\nls\n```\n", 1, "the mark 'gpu' on a block in bash"),
        ("```text fails\nx\n```\n", 1, "the mark 'fails' on a block in text"),
        ("```python prints\nx\n```\n", 1, "the mark 'prints' on a block in python"),
        ("```bash\nls\n```\n\n```text prints\nx\n```\n", 5, "no Python block stands right above it"),
        (f"{PYTHON}```text prints\n1\n```\n\n```text prints\n1\n```\n", 9, "no Python block"),
        (f"text\n\n{ADMONITION}", 5, "a fence that Markdown takes for text"),
        ("<details>\n~~~python\nx\n~~~\n</details>\n", 2, "a fence that Markdown takes for text"),
        ("text\n\n```python\nx\n", 3, "a fence that nothing closes"),
        ("> ```python\n> x\n\ntext\n", 1, "a fence that nothing closes"),
        ("```python\nx\n````python\n", 1, "a fence that nothing closes"),
    ],
)
def test_a_fence_with_a_fault_is_named_with_its_line(
    tmp_path: Path, write_skill: Write, body: str, line: int, said: str
) -> None:
    ((at, message),) = found(tmp_path, write_skill, body)
    assert at == line
    assert said in message


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        ('"""Estimate."""\nprint(1)\n', 0, ""),
        ("print(1)\n", 1, "has no docstring"),
        ('"""Estimate."""\nif\n', 2, "is not Python: invalid syntax"),
    ],
)
def test_a_script_parses_and_says_what_it_is_for(
    tmp_path: Path, write_skill: Write, code: str, line: int, said: str
) -> None:
    folder = write_skill()
    (folder / "scripts").mkdir()
    (folder / "scripts/estimate.py").write_text(code)
    problems = structure_problems(load_tree(tmp_path))
    told = [(problem.line, problem.message) for problem in problems if problem.path.suffix == ".py"]
    assert [at for at, _ in told] == ([line] if said else [])
    assert all(said in message for _, message in told)
