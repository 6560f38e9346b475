"""YAML that remembers the line of every value, so that a fault can name its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ai_research_skills.catalog.problem import Problem

Key = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

DEEPEST_NESTING = 12
"""Levels; no document of ours needs half of it, and a hostile one exhausts the stack."""


class _NoAliasLoader(yaml.CSafeLoader):
    """SafeLoader that refuses aliases: a few of them expand to gigabytes, and no document of ours has one."""


@dataclass(frozen=True)
class YamlDocument:
    """The value of a YAML text, the line of every key path in it, and what is wrong with it."""

    value: Any
    lines: dict[Key, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line_of(self, key: Key) -> int:
        """Line of `key`, or of the nearest enclosing key that stands in the text."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)


def parse_yaml(path: Path, text: str, *, first_line: int = 1) -> YamlDocument:
    """Parse `text`, which begins on `first_line` of `path`."""
    if "\t" in text:
        line = first_line + text[: text.index("\t")].count("\n")
        return _broken(Problem(path, line, "has a tab in YAML", "indent with spaces"))
    try:
        node = yaml.compose(text, Loader=_NoAliasLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line + (mark.line if mark else 0)
        reason = error.problem or str(error)
        return _broken(Problem(path, line, f"is not valid YAML: {reason}", "quote or indent the value"))
    except (yaml.YAMLError, RecursionError) as error:
        return _broken(Problem(path, first_line, f"is not valid YAML: {error}", "rewrite the block"))
    if node is None:
        return YamlDocument({}, {(): first_line})
    lines: dict[Key, int] = {}
    problems = list(_walk(path, node, (), first_line, lines, set()))
    if problems:
        return YamlDocument({}, lines, tuple(problems))
    try:
        return YamlDocument(yaml.load(text, Loader=_NoAliasLoader), lines)
    except (yaml.YAMLError, ValueError) as error:
        return _broken(Problem(path, first_line, f"is not valid YAML: {error}", "quote the value"))


def _broken(problem: Problem) -> YamlDocument:
    return YamlDocument({}, {}, (problem,))


def _walk(
    path: Path, node: Node, key: Key, first_line: int, lines: dict[Key, int], seen: set[int]
) -> Iterator[Problem]:
    line = first_line + node.start_mark.line
    lines.setdefault(key, line)
    if len(key) > DEEPEST_NESTING:
        yield Problem(path, line, f"nests deeper than {DEEPEST_NESTING} levels", "flatten the value")
        return
    if isinstance(node, MappingNode | SequenceNode):
        if id(node) in seen:
            yield Problem(path, line, "uses a YAML alias", "write the value out")
            return
        seen.add(id(node))
    if isinstance(node, MappingNode):
        yield from _walk_mapping(path, node, key, first_line, lines, seen)
    elif isinstance(node, SequenceNode):
        for index, child in enumerate(node.value):
            yield from _walk(path, child, (*key, index), first_line, lines, seen)


def _walk_mapping(
    path: Path, node: MappingNode, key: Key, first_line: int, lines: dict[Key, int], seen: set[int]
) -> Iterator[Problem]:
    names: set[str] = set()
    for name_node, child in node.value:
        line = first_line + name_node.start_mark.line
        if not isinstance(name_node, ScalarNode):
            yield Problem(path, line, "has a key that is not text", "use a plain word as the key")
            continue
        name = str(name_node.value)
        if name in names:
            yield Problem(path, line, f"has the key {name!r} twice", "keep one of the two")
        names.add(name)
        lines[(*key, name)] = line
        yield from _walk(path, child, (*key, name), first_line, lines, seen)


def validate(path: Path, document: YamlDocument, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """Build `model` from `document`; every fault becomes a problem with its line."""
    if document.problems:
        return None, list(document.problems)
    try:
        return model.model_validate(document.value), []
    except ValidationError as error:
        return None, [_problem(path, document, detail) for detail in error.errors()]


def _problem(path: Path, document: YamlDocument, detail: Any) -> Problem:
    key: Key = tuple(detail["loc"])
    name = ".".join(str(part) for part in key) or "the document"
    line = document.line_of(key)
    match detail["type"]:
        case "missing":
            return Problem(path, line, f"lacks {name}", f"add `{key[-1]}:`")
        case "extra_forbidden":
            return Problem(path, line, f"has the unknown field {name}", "remove it or correct its spelling")
        case "string_type":
            return Problem(path, line, f"{name} is not text", "put the value in double quotes")
        case _:
            message = detail["msg"].removeprefix("Value error, ")
            return Problem(path, line, f"{name}: {message}", "correct the value")
