"""What the examples of a skill use of other people's packages: dotted names, and keywords of calls.

This is a list to filter release notes with, not a proof: what a name stands for is read from imports and plain
assignments alone.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.resolving.programs import page_programs, python_pieces

Place = tuple[Path, int]


@dataclass
class UsedSymbols:
    """Everything used, each with the places where it is.

    Attributes:
        names: Dotted names from the package down, such as `trl.SFTConfig` or `trl.SFTTrainer.train`.
        keywords: Dotted name of what is called, and a keyword.
    """

    names: dict[str, list[Place]] = field(default_factory=dict)
    keywords: dict[tuple[str, str], list[Place]] = field(default_factory=dict)


def used_symbols(skill: Skill) -> UsedSymbols:
    """What the Python of all pages of `skill` uses."""
    used = UsedSymbols()
    for page in skill.pages:
        for program in page_programs(list(python_pieces(page_examples(page)))):
            _Reader(program.path, used).visit(ast.parse(program.source))
    return used


class _Reader(ast.NodeVisitor):
    """Follows the names of one program from top to bottom."""

    def __init__(self, path: Path, used: UsedSymbols) -> None:
        self._path, self._used = path, used
        self._means: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            shown = alias.asname or alias.name.partition(".")[0]
            self._means[shown] = alias.name if alias.asname else shown
            self._note(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if node.module and not node.level and alias.name != "*":
                name = f"{node.module}.{alias.name}"
                self._means[alias.asname or alias.name] = name
                self._note(name, node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        made = self._made(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._means.pop(target.id, None)
                if made:
                    self._means[target.id] = made
            else:
                self.visit(target)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self._dotted(node)
        if name:
            self._note(name, node)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._dotted(node.func)
        for keyword in node.keywords if name else ():
            if keyword.arg and name:
                self._used.keywords.setdefault((name, keyword.arg), []).append(
                    (self._path, keyword.value.lineno)
                )
        self.generic_visit(node)

    def _made(self, value: ast.expr) -> str | None:
        """What an assigned value is an instance of: by custom a class begins with a capital."""
        name = self._dotted(value.func) if isinstance(value, ast.Call) else self._dotted(value)
        if isinstance(value, ast.Call) and name and not name.rpartition(".")[2][:1].isupper():
            return None
        return name

    def _dotted(self, node: ast.expr) -> str | None:
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self._means:
            return None
        return ".".join([self._means[node.id], *reversed(parts)])

    def _note(self, name: str, node: ast.AST) -> None:
        self._used.names.setdefault(name, []).append((self._path, getattr(node, "lineno", 0)))


def first_places(places: Sequence[Place], count: int = 3) -> tuple[Place, ...]:
    """The first few places, in order and each once."""
    return tuple(sorted(set(places)))[:count]
