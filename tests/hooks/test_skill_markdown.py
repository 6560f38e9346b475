"""A skill's text becomes the site's Markdown: same meaning, and nothing in it is obeyed."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import markdown
import pytest

from hooks.skill_markdown import FenceLabel, Labels, site_markdown, without_title

EXTENSIONS = [
    "attr_list",
    "md_in_html",
    "tables",
    "toc",
    "pymdownx.superfences",
    "pymdownx.highlight",
    "pymdownx.tasklist",
]


def translated(text: str) -> str:
    return site_markdown(text, {}, lambda target: f"site/{target}")


def rendered(text: str) -> str:
    return rendered_with(text, {})


def rendered_with(text: str, labels: Labels) -> str:
    translation = site_markdown(text, labels, lambda target: f"site/{target}")
    return markdown.markdown(translation, extensions=EXTENSIONS)


HOSTILE = [
    "<script>alert(1)</script>",
    "text <img src=x onerror=alert(1)> text",
    "<!-- comment --><iframe src=x></iframe>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x]:\n  javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "# Title {onclick=alert(1)}",
    "para\n{: onclick=alert(1) }",
    "**bold**{onclick=alert(1)}",
    '```python onclick="alert(1)"\nx\n```',
    "```{.python onclick=alert(1)}\nx\n```",
    "- item <script>alert(1)</script>\n  - <b onclick=alert(1)>x</b>",
    "| a |\n| - |\n| <script>alert(1)</script> |",
]


class Tags(HTMLParser):
    """Every start tag with its attributes, entities resolved as a browser does."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    for tag, attributes in Tags(rendered(text)).found:
        assert tag not in {"script", "iframe", "img", "b"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src"):
            target = (attributes.get(name) or "").strip().lower()
            assert not target.startswith(("javascript:", "data:", "vbscript:"))


def test_code_is_left_alone() -> None:
    text = "Use `List<int>` and `{x}`.\n\n```python\nif a < b: {1: 2}\n```\n"
    page = rendered(text)
    assert "<code>List&lt;int&gt;</code>" in page
    assert "<code>{x}</code>" in page
    assert "&lt;" in page.split("highlight")[1]


def test_relative_links_are_led_to_the_site_and_others_are_kept() -> None:
    text = "[a](references/api.md#x) [b](https://example.org/a_(b)) [c](#here) <https://example.org/d>"
    page = rendered(text)
    assert 'href="site/references/api.md#x"' in page
    assert 'href="https://example.org/a_(b)"' in page
    assert 'href="#here"' in page
    assert 'href="https://example.org/d"' in page


def test_headings_keep_their_explicit_id() -> None:
    assert '<h2 id="mine">Title</h2>' in rendered("## Title {#mine}")


def test_lists_mean_what_they_mean_on_github() -> None:
    text = "Steps:\n- one\n  - nested\n\n    ```python\n    x = 1\n    ```\n- two\n\n1. first\n   continued\n2. second\n"
    page = rendered(text)
    assert page.count("<ul>") == 2
    assert page.count("<li>") == 5
    assert re.search(r"nested.*<div class=\"highlight\">.*</li>", page, flags=re.DOTALL)
    assert "<p>Steps:</p>" in page


def test_check_lists_become_boxes() -> None:
    assert rendered("Before:\n- [ ] open\n- [x] done\n").count('type="checkbox"') == 2


def test_a_table_right_after_a_paragraph_is_a_table() -> None:
    assert "<table>" in rendered("Figures:\n| a | b |\n| - | - |\n| 1 | 2 |\n")


def test_examples_carry_their_label_and_lose_their_mark() -> None:
    text = "```python fresh\nx = 1\n```\n\n```text\nout\n```\n"
    label = FenceLabel("executed · x 1.0", ("level-3",), "example-0123abcd")
    page = site_markdown(text, {0: label}, str)
    assert '```{ .python .level-3 #example-0123abcd title="executed · x 1.0" }' in page
    assert "fresh" not in page
    assert "```{ .text }" in page


@pytest.mark.parametrize("mark", ["fresh", "alone", "fails", "gpu"])
def test_a_fence_with_a_mark_is_code_like_any_other(mark: str) -> None:
    page = rendered(f"```python {mark}\nx = 1\n```\n\n```text prints\n1\n```\n")
    assert page.count('<div class="highlight">') == 2
    assert mark not in page
    assert "prints" not in page
    assert "`" not in page


def test_the_title_is_taken_off_once() -> None:
    assert without_title("\n# Title\n\n# Second\n") == "\n# Second\n"
