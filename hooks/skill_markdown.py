"""From the Markdown of a skill (CommonMark, as on GitHub) to the Markdown that the site renders.

A skill's text is data: HTML, attribute lists and script links in it are shown, never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from ai_research_skills.catalog.blocks import block_tokens


@dataclass(frozen=True)
class FenceLabel:
    """What stands above a fenced block.

    Attributes:
        title: A line of plain words, without quotation marks.
        classes: Names for the style sheet.
        anchor: Id of the block.
    """

    title: str
    classes: tuple[str, ...] = ()
    anchor: str = ""

    def __str__(self) -> str:
        words = (*(f".{name}" for name in self.classes), f"#{self.anchor}" if self.anchor else "")
        return " ".join([*filter(None, words), f'title="{self.title}"'])


Labels = Mapping[int, FenceLabel]
"""Label of each fenced block by its position on the page; most outputs have none."""


def site_markdown(text: str, labels: Labels, relink: Callable[[str], str]) -> str:
    """Translate `text`; `relink` maps every relative link target to its place on the site."""
    lines = text.split("\n")
    tokens = block_tokens(text)
    code = _code_lines(tokens)
    lines = [line if index in code else _inert(line, relink) for index, line in enumerate(lines)]
    _label_fences(lines, tokens, labels)
    return "\n".join(_python_markdown_lists(lines, tokens))


def without_title(text: str) -> str:
    """`text` without its first H1, which the page template shows itself."""
    return re.sub(r"\A\s*# .*\n", "", text, count=1)


def _code_lines(tokens: Sequence[Token]) -> set[int]:
    return {
        line
        for token in tokens
        if token.type in {"fence", "code_block"} and token.map
        for line in range(*token.map)
    }


_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_AUTOLINK = re.compile(r"<(https?://[^\s<>]+)>")
_HEADING_ID = re.compile(r"^(#{1,6} .*?) *\{ *(#[\w-]+) *\} *$")
_TARGET_OPENS = re.compile(r"\]\(|^ {0,3}\[[^\]]+\]: *")
_ABSOLUTE = re.compile(r"https?://\S|mailto:\S|#[\w-]+(?=[)\s]|$)")
_RELATIVE = re.compile(r"[\w./-]+(?:#[\w-]+)?(?=[)\s]|$)")
_ENTITIES = {"(": "&#40;", ":": "&#58;"}


def _inert(line: str, relink: Callable[[str], str]) -> str:
    heading = _HEADING_ID.match(line)
    if heading:
        return f"{_inert(heading[1], relink)} {{ {heading[2]} }}"
    pieces: list[str] = []
    end = 0
    for span in _CODE_SPAN.finditer(line):
        pieces += [_inert_prose(line[end : span.start()], relink), span[0]]
        end = span.end()
    return "".join([*pieces, _inert_prose(line[end:], relink)])


def _inert_prose(text: str, relink: Callable[[str], str]) -> str:
    text = _AUTOLINK.sub(r"[\1](\1)", text)
    text = text.replace("<", "&lt;").replace("{", "&#123;")
    return _with_safe_targets(text, relink)


def _with_safe_targets(text: str, relink: Callable[[str], str]) -> str:
    """Every link whose target is neither absolute and known nor plainly relative becomes text."""
    pieces: list[str] = []
    end = 0
    for opens in _TARGET_OPENS.finditer(text):
        pieces.append(text[end : opens.start()])
        opening, rest, end = opens[0], text[opens.end() :], opens.end()
        if _ABSOLUTE.match(rest):
            pieces.append(opening)
        elif relative := _RELATIVE.match(rest):
            pieces += [opening, relink(relative[0])]
            end += relative.end()
        else:
            mark = opening.rstrip()[-1]
            pieces.append(opening.replace(mark, _ENTITIES[mark]))
    return "".join([*pieces, text[end:]])


def _label_fences(lines: list[str], tokens: Sequence[Token], labels: Labels) -> None:
    fences = [token for token in tokens if token.type == "fence"]
    for index, token in enumerate(fences):
        if token.map is None:
            continue
        line = token.map[0]
        language = re.sub(r"[^\w+-]", "", token.info.strip().partition(" ")[0]) or "text"
        label = f" {labels[index]}" if index in labels else ""
        opening = re.match(r"^(\s*(?:[-*+] +|\d+[.)] +)*)", lines[line])
        indent = opening[1] if opening else ""
        lines[line] = f"{indent}{token.markup}{{ .{language}{label} }}"


def _python_markdown_lists(lines: list[str], tokens: Sequence[Token]) -> list[str]:
    """Re-indent nested blocks by four and put a blank line before lists and tables.

    Python-Markdown asks for both, CommonMark for neither.
    """
    depth = [0] * len(lines)
    content = [0] * len(lines)
    opens: set[int] = set()
    for token in tokens:
        if token.map is None:
            continue
        if token.type in {"bullet_list_open", "ordered_list_open", "table_open"}:
            opens.add(token.map[0])
        if token.type == "list_item_open":
            start, end = token.map
            marker = re.match(r" *(?:[-*+]|\d+[.)]) +", lines[start])
            for line in range(start, end):
                depth[line] += 1
                content[line] = len(marker[0]) if marker else 2
    items = {token.map[0] for token in tokens if token.type == "list_item_open" and token.map}
    opens |= items & {token.map[1] for token in tokens if token.type == "fence" and token.map}
    written: list[str] = []
    for index, text in enumerate(lines):
        if index in opens and index and lines[index - 1].strip() and depth[index] <= 1:
            written.append("")
        written.append(_reindented(text, depth[index], content[index], index in items))
    return written


def _reindented(line: str, depth: int, content: int, is_item: bool) -> str:
    if not depth or not line.strip():
        return line
    if is_item:
        return " " * 4 * (depth - 1) + line.lstrip(" ")
    own = len(line) - len(line.lstrip(" "))
    return " " * 4 * depth + line[min(own, content) :]
