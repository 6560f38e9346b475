"""The blocks of foreign pages, each with the imports that its page made before it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.skill import Page


@dataclass(frozen=True)
class Block:
    """One Python block that parses.

    Attributes:
        page: Relative to the folder above the library, so that it names the library too.
        prelude: Imports of earlier blocks whose names it uses without importing or setting them itself.
        packages: Top modules that it, or its prelude, imports.
    """

    page: str
    example: Example
    prelude: tuple[str, ...]
    packages: frozenset[str]


def foreign_blocks(roots: Sequence[Path]) -> list[Block]:
    """The Python blocks of all Markdown pages below `roots`; what stands twice is taken once."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    blocks = []
    for root in roots:
        for path in sorted(root.rglob("*.md")):
            for block in _page_blocks(path, str(path.relative_to(root.parent))):
                key = (block.example.source, block.prelude)
                if key not in seen:
                    seen.add(key)
                    blocks.append(block)
    return blocks


def draw(seed: int, *parts: object) -> int:
    """A number that looks random and is the same on every machine."""
    text = "\0".join(map(str, (seed, *parts)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def half(seed: int, page: str) -> str:
    """`A` or `B`: a page is wholly in one half, so that what was tuned on one says nothing of the other."""
    return "AB"[draw(seed, "half", page) % 2]


def _page_blocks(path: Path, name: str) -> Iterator[Block]:
    text = path.read_text(encoding="utf-8", errors="replace")
    imports: dict[str, str] = {}
    for example in page_examples(Page(path, "", "", text, 1)):
        if example.language not in {"python", "py", "python3"}:
            continue
        try:
            tree = ast.parse(example.source)
        except (SyntaxError, ValueError):
            continue
        own = dict(_imports(tree))
        loaded = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        stored = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        }
        taken = {bound for bound in imports if bound in loaded and bound not in own and bound not in stored}
        prelude = tuple(dict.fromkeys(imports[bound] for bound in sorted(taken)))
        statements = (*prelude, *own.values())
        yield Block(name, example, prelude, frozenset(map(_top, statements)))
        imports |= own


def _top(statement: str) -> str:
    return statement.split()[1].partition(".")[0]


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                text = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                yield alias.asname or alias.name.partition(".")[0], text
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if alias.name != "*" and node.module != "__future__":
                    bound = alias.asname or alias.name
                    yield bound, f"from {node.module} import {alias.name} as {bound}"
