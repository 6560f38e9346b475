"""What to write instead of a name that a release does not have."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ai_research_skills.checks.resolving.sightings import Question, Spot, Use
from ai_research_skills.checks.resolving.source_tree import SourceTree
from ai_research_skills.checks.resolving.type_engine import TypeEngine

LIKENESS = 0.75
"""How alike two words must be, by difflib's ratio, for one to be a slip of the pen for the other."""


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
    """`old` → `new`, if one of the candidates is the same word for word, slips and one word more or less aside.

    `max_seq_length` is like `max_length` and `evaluation_strategy` like `eval_strategy`, but `PPOTrainer` is another
    thing than `DPOTrainer`, however few letters tell them apart.
    """
    others = [
        other for other in candidates if other != name and other.startswith("_") == name.startswith("_")
    ]
    like = sorted(other for other in others if _are_like(_words(name), _words(other)))
    best = max(like, key=lambda other: difflib.SequenceMatcher(None, name, other).ratio(), default="")
    return f"`{name}` → `{best}`" if best else ""


def _words(name: str) -> list[str]:
    """`max_seq_length` and `MaxSeqLength` as `max`, `seq`, `length`."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name)]


def _are_like(one: Sequence[str], other: Sequence[str]) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if not shorter or len(longer) - len(shorter) > 1:
        return False
    left = list(longer)
    for word in shorter:
        match = next((candidate for candidate in left if _is_slip(word, candidate)), None)
        if match is None:
            return False
        left.remove(match)
    return len(shorter) > 1 or not left


def _is_slip(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    is_abbreviation = len(short) > 2 and long.startswith(short)
    return is_abbreviation or difflib.SequenceMatcher(None, one, other).ratio() >= LIKENESS


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
