"""Formulas become MathML; money and code stay what they are."""

from __future__ import annotations

import markdown

from hooks.mathematics import with_formulas, with_placeholders


def rendered(text: str) -> str:
    words, formulas = with_placeholders(text)
    return markdown.markdown(with_formulas(words, formulas))


def test_inline_and_block_formulas_become_mathml() -> None:
    page = rendered("With $P\n+ Q$ weights:\n\n$$ 2Pt + 4LWt^2 $$\n")
    assert page.count("<math") == 2
    assert 'display="block"' in page
    assert "$" not in page


def test_markdown_sees_nothing_between_the_tags() -> None:
    page = rendered("$a * b * c_1$ and $x_{ij} * y_{ij}$")
    assert "<em>" not in page
    assert page.count("</math>") == 2


def test_a_formula_at_the_start_of_a_line_stays_in_its_paragraph() -> None:
    words, formulas = with_placeholders("$B$ is the bandwidth and\n$P$ is the peak of\n$Q$ cores.")
    page = markdown.markdown(with_formulas(words, formulas), extensions=["md_in_html"])
    assert page.count("<p>") == 1
    assert page.endswith("cores.</p>")


def test_code_and_money_are_left_alone() -> None:
    text = "`$x$` costs $5 or $6.\n\n```bash\necho $HOME $PATH\n```\n"
    assert with_placeholders(text) == (text, {})
