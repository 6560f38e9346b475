"""Which blocks a page has, in which language, by which mark, and what each must print."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.catalog.example import (
    ALIASES,
    OUTPUT_LANGUAGES,
    Example,
    language_and_mark,
    page_examples,
)
from ai_research_skills.catalog.skill import Page


def page(text: str, first_line: int = 1) -> Page:
    return Page(Path("SKILL.md"), "", "Title", text, first_line)


def blocks(text: str) -> list[tuple[str, str, int, str]]:
    return [(block.language, block.mark, block.line, block.source) for block in page_examples(page(text))]


PLACES = {
    "at the margin": ("```python\nx\n```\n", 1, "x\n"),
    "indented a little": ("  ```python\n  x\n    y\n  ```\n", 1, "x\n  y\n"),
    "below a paragraph": ("text\n```python\nx\n```\n", 2, "x\n"),
    "in a list": ("1. a\n\n   ```python\n   if x:\n       y\n   ```\n", 3, "if x:\n    y\n"),
    "in a list in a list": ("- a\n  - b\n\n    ```python\n    x\n    ```\n", 4, "x\n"),
    "in a list indented by a tab": ("-\t```python\n\tx\n\t```\n", 1, "x\n"),
    "in a quotation": ("> [!NOTE]\n> ```python\n> x\n>\n> y\n> ```\n", 2, "x\n\ny\n"),
    "between tildes": ("~~~python\nx = '```'\n~~~\n", 1, "x = '```'\n"),
    "with tabs in it": ("```python\n\tx\n```\n", 1, "\tx\n"),
    "without an end": ("```python\nx\n\ny\n", 1, "x\n\ny\n"),
    "ended by the quotation around it": ("> ```python\n> x\n\ntext\n", 1, "x\n"),
    "with CRLF": ("```python\r\nx\r\n```\r\n", 1, "x\n"),
}


@pytest.mark.parametrize(("text", "line", "source"), PLACES.values(), ids=PLACES)
def test_a_fenced_block_is_found_wherever_it_stands(text: str, line: int, source: str) -> None:
    assert blocks(text) == [("python", "", line, source)]


@pytest.mark.parametrize(
    "text",
    [
        "    ```python\n    x\n    ```\n",
        "!!! note\n\n    ```python\n    x\n    ```\n",
        "<details>\n```python\nx\n```\n</details>\n",
        "text ```python x``` text\n",
        "```python`\n",
    ],
)
def test_what_commonmark_does_not_call_a_fenced_block_is_none(text: str) -> None:
    assert blocks(text) == []


def test_a_longer_fence_holds_shorter_ones() -> None:
    inner = "```python\nx\n```\n"
    assert blocks(f"````markdown\n{inner}````\n") == [("markdown", "", 1, inner)]


def test_lines_count_from_the_top_of_the_file_and_headings_are_the_nearest_above() -> None:
    text = "```text\n```\n\n## Second\n\n```text\n```\n"
    first, second = page_examples(page(text, first_line=11))
    assert (first.line, first.heading, first.index) == (11, "Title", 0)
    assert (second.line, second.heading, second.index) == (16, "Second", 1)


@pytest.mark.parametrize(
    ("info", "language", "mark"),
    [
        ("python", "python", ""),
        ("Python", "python", ""),
        ("python fails", "python", "fails"),
        ("  python \t gpu ", "python", "gpu"),
        ("text prints", "text", "prints"),
        ("python no such mark", "python", "no such mark"),
        ("python,ignore", "python", "ignore"),
        ('python title="a b.py" fails', "python", "fails"),
        ("python linenums='1'", "python", ""),
        ("python {1,3}", "python", ""),
        ("python{1,3} fresh", "python", "fresh"),
        ("python:train.py", "python", ""),
        ("{python}", "python", ""),
        ("{python, echo=FALSE}", "python", ""),
        ("{python} fails", "python", "fails"),
        ("{.python .numberLines #id}", "python", ""),
        ("{code-block} python", "python", ""),
        ("{code-cell} ipython3", "ipython3", ""),
        ("{note}", "note", ""),
        ("c++", "c++", ""),
        ("", "", ""),
        ("{}", "", ""),
        ("{", "{", ""),
        ('title="x"', "", ""),
    ],
)
def test_the_words_of_a_fence_are_a_language_and_a_mark(info: str, language: str, mark: str) -> None:
    assert language_and_mark(info) == (language, mark)


@pytest.mark.parametrize(("alias", "language"), [("py", "python"), ("yml", "yaml"), ("Docker", "dockerfile")])
def test_a_language_has_one_name(alias: str, language: str) -> None:
    assert blocks(f"```{alias} fails\n```\n")[0][:2] == (language, "fails")


def test_no_alias_leads_to_another() -> None:
    assert not ALIASES.keys() & set(ALIASES.values())
    assert not ALIASES.keys() & OUTPUT_LANGUAGES


def test_an_alias_does_not_change_what_was_proven() -> None:
    (short,), (long,) = (page_examples(page(f"```{name}\nx\n```\n")) for name in ("py", "python"))
    assert short.sha256 == long.sha256


def example(text: str) -> Example:
    return page_examples(page(text))[0]


def test_what_a_block_must_print_stands_right_below_it() -> None:
    text = "```python\nprint(1)\n```\n\nIt says:\n\n```text prints\n1\n```\n"
    assert example(text).expected == "1\n"
    assert example(text.replace("prints", "")).expected is None
    assert example(text.replace("print(1)", "").replace("1\n", "")).expected == ""


def test_what_must_be_printed_belongs_to_what_was_proven() -> None:
    text = "```python\nprint(1)\n```\n\n```text prints\n1\n```\n"
    assert (
        len({example(each).sha256 for each in (text, text.replace("1\n```\n", "2\n```\n"), text[:22])}) == 3
    )


@pytest.mark.parametrize(
    "text",
    [
        "```text prints\n1\n```\n",
        "```bash\nls\n```\n\n```text prints\n1\n```\n",
        "```python\nx\n```\n\n```text\na\n```\n\n```text prints\n1\n```\n",
        "```python\nx\n```\n\n```yaml prints\n1\n```\n",
    ],
)
def test_an_output_below_no_python_says_nothing_about_any_block(text: str) -> None:
    assert [block.expected for block in page_examples(page(text)) if block.expected is not None] == []


@pytest.mark.parametrize("language", ["text", "console", "output", "txt", "pycon", "shell-session"])
def test_outputs_and_sessions_are_no_examples(language: str) -> None:
    assert example(f"```{language}\nx\n```\n").is_output


def test_half_a_surrogate_pair_has_a_hash() -> None:
    assert example("```python\n'\ud800'\n```\n").sha256
