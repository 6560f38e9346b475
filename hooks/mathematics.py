"""Formulas as MathML, made at build time: no script, no font, and readable to a screen reader."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

_CODE_OR_FORMULA = re.compile(
    r"(?P<code>^(?P<fence>`{3,}|~{3,}).*?^(?P=fence)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|\$\$(?P<block>.+?)\$\$"
    r"|(?<![\\$\w])\$(?P<inline>[^\s$](?:(?:(?!\n\n)[^$])*[^\s$])?)\$(?![\w$])",
    flags=re.DOTALL | re.MULTILINE,
)


def with_placeholders(text: str) -> tuple[str, dict[str, str]]:
    """`text` with a word in place of every formula outside code, and the MathML of each word."""
    formulas: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        word = f"FORMULA{len(formulas)}END"
        formulas[word] = _mathml(match["block"] or match["inline"], is_block=bool(match["block"]))
        return word

    return _CODE_OR_FORMULA.sub(replace, text), formulas


def with_formulas(text: str, formulas: dict[str, str]) -> str:
    """`text` with every word of `formulas` replaced by its MathML."""
    for word, mathml in formulas.items():
        text = text.replace(word, mathml, 1)
    return text


def _mathml(latex: str, *, is_block: bool) -> str:
    """MathML on one line; Markdown must see no emphasis between its tags."""
    made = convert(latex.strip(), display="block" if is_block else "inline")
    safe = made.replace("\n", "").replace("*", "&#42;").replace("_", "&#95;")
    # To Python-Markdown `math` is a block: at the start of a line it would tear the paragraph apart. A wide formula
    # needs a box around it to scroll in.
    return f'<div class="formula" tabindex="0">{safe}</div>' if is_block else f"<span>{safe}</span>"
