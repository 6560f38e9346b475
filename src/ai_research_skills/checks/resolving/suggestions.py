"""What to write instead of a name that a release does not have."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ai_research_skills.checks.resolving.sightings import Question, Spot, Use
from ai_research_skills.checks.resolving.source_tree import SourceTree
from ai_research_skills.checks.resolving.type_engine import TypeEngine

LIKENESS = 0.7
"""How alike two names must be, by difflib's ratio, for one to be offered in place of the other."""


def suggestion(use: Use, is_unpinned: bool, tree: SourceTree, engine: TypeEngine, file: str) -> str:
    """What to write instead of `use` in the program that the engine knows as `file`; empty if nobody knows."""
    if is_unpinned:
        return "add its distribution to the pins"
    question = use.question
    if question and question.module and len(question.path) == 1 and not _is_call(question):
        name = question.path[0]
        homes = tree.homes(question.module.partition(".")[0], name)
        moved = [home for home in homes if home != question.module]
        return f"`{name}` is in `{moved[0]}`" if moved else nearest(name, tree.members(question.module))
    return nearest(use.spot.name, _alternatives(use.spot, engine, file)) if use.spot and use.spot.name else ""


def nearest(name: str, candidates: Collection[str]) -> str:
    """`old` → `new`, if one of the candidates is like `name`: `max_seq_length` is like `max_length`."""
    others = [
        other for other in candidates if other != name and other.startswith("_") == name.startswith("_")
    ]
    found = difflib.get_close_matches(name, sorted(others), n=1, cutoff=LIKENESS)
    return f"`{name}` → `{found[0]}`" if found else ""


def deprecation(before: Path, name: str) -> str:
    """What the release whose Python files lie below `before` said about `name` going away; empty if nothing.

    It is looked for in warnings, and in the documentation and the metadata of what is called so.
    """
    sentences = [sentence for path in sorted(before.rglob("*.py")) for sentence in _warnings(path, name)]
    return min(sentences, key=lambda sentence: (not _advises(sentence), len(sentence), sentence), default="")


def _is_call(question: Question) -> bool:
    return bool(question.keywords) or question.positional is not None


def _alternatives(spot: Spot, engine: TypeEngine, file: str) -> tuple[str, ...]:
    look = engine.parameters if spot.is_keyword else engine.members
    return look(file, spot.line, spot.column)


def _warnings(path: Path, name: str) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if name not in text or "deprecat" not in text.lower():
        return
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        said = _said(node)
        if re.search(rf"\b{re.escape(name)}\b", said) and re.search(
            "deprecat|removed in", said, re.IGNORECASE
        ):
            yield from _announcements(said, name)


def _announcements(said: str, name: str) -> Iterator[str]:
    """Each sentence that speaks of `name` going away, with the next one, which tends to say what to use instead."""
    sentences = re.split(r"(?<=[.!])\s+", said)
    for number, sentence in enumerate(sentences):
        if _speaks_of(sentence, name):
            yield " ".join([sentence, *(one for one in sentences[number + 1 : number + 2] if _advises(one))])


def _advises(sentence: str) -> bool:
    return re.search(r"\b(use|instead|switch)\b", sentence, re.IGNORECASE) is not None


def _said(node: ast.AST) -> str:
    """The text of a string, with what is filled in left out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split())
    if isinstance(node, ast.JoinedStr):
        return " ".join(
            "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)).split()
        )
    return ""


def _speaks_of(sentence: str, name: str) -> bool:
    is_about = re.search(rf"\b{re.escape(name)}\b", sentence) is not None
    return is_about and re.search("deprecat|removed|instead", sentence, re.IGNORECASE) is not None
