"""Code keeps its colours and its characters, and loses the spans that show nothing."""

from __future__ import annotations

import re

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from hooks.lean_code import lean_code

CODE = 'def f(x):\n    return x < 1 & "<span>"  # & done\n'


def text(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def test_the_text_and_the_coloured_words_stay() -> None:
    full = highlight(CODE, PythonLexer(), HtmlFormatter())
    lean = lean_code(full)
    assert text(lean) == text(full)
    assert '<span class="k">def</span>' in lean
    assert '<span class="c1"># &amp; done</span>' in lean
    assert 'class="n"' not in lean
    assert 'class="p"' not in lean
    assert len(lean) < 0.8 * len(full)


def test_other_spans_are_left_alone() -> None:
    html = '<span class="name">n</span><span class="n tier">x</span><span class="n"><b>x</b></span>'
    assert lean_code(html) == html
