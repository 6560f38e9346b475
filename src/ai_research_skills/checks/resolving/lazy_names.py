"""The names that a module makes when they are asked for, as far as its text spells them out."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

LAZY_MARKS = ("__getattr__", "sys.modules", "attach", "import_struct")
"""A module that makes names has one of these in its text."""
_STRUCTURES = frozenset({"_import_structure", "import_structure", "_import_struct"})
"""What the modules that imitate transformers call the mapping from submodules to names."""


@dataclass(frozen=True)
class LazyNames:
    """What a module makes and refuses.

    Attributes:
        made: Names that it makes.
        refused: Names for which it has nothing but an explanation.
        is_lazy: Whether it makes names at all.
        is_replaced: Whether an object of a class of its own takes its place when it is imported.
        is_open: Whether it makes more than can be read.
    """

    made: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    is_lazy: bool = False
    is_replaced: bool = False
    is_open: bool = False


def lazy_names(tree: ast.Module) -> LazyNames:
    """What `tree` makes: through `__getattr__`, `_LazyModule`, or `attach` of lazy_loader."""
    words = _collections(tree)
    structure = frozenset(_structured(tree))
    attached = [node for node in ast.walk(tree) if _is_attach(node)]
    made = structure | {name for node in attached for name in _words(node, words)}
    hook = next(
        (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "__getattr__"), None
    )
    replaced = any(_replaces_itself(node) for node in ast.walk(tree))
    if hook is None:
        listed = words.get("__all__", frozenset()) if replaced or attached else frozenset()
        return LazyNames(made | listed, frozenset(), bool(made) or replaced, replaced)
    reading = _Hook(hook, words)
    refused = reading.refused - reading.made
    listed = words.get("__all__", frozenset()) - refused
    return LazyNames(made | reading.made | listed, refused, True, replaced, not reading.is_understood)


class _Hook:
    """The function `__getattr__` of a module: which names it tests for, and what it does then."""

    def __init__(self, function: ast.FunctionDef, words: Mapping[str, frozenset[str]]) -> None:
        self._argument = function.args.args[0].arg if function.args.args else ""
        self._words = {**words, **_collections(function)}
        self.made: frozenset[str] = frozenset()
        self.refused: frozenset[str] = frozenset()
        self.is_understood = True
        self._read(function.body, None)

    def _read(self, body: list[ast.stmt], among: frozenset[str] | None) -> None:
        """Read statements that run only for the names `among`; None: for every name that is left."""
        for statement in body:
            if isinstance(statement, ast.If):
                self._branch(statement, among)
                among = self._left(statement, among)
            elif isinstance(statement, ast.Return) and not _is_none(statement.value):
                self._returns(statement, among)
            elif isinstance(statement, ast.Raise):
                self.refused |= among or frozenset()
            elif isinstance(statement, ast.Try):
                looked_up = self._looked_up(statement)
                self._read(statement.body, among if looked_up is None else looked_up)
                among = among if looked_up is None else looked_up
            elif isinstance(statement, ast.With):
                self._read(statement.body, among)
            elif isinstance(statement, ast.For | ast.While | ast.Match):
                self.is_understood = False

    def _branch(self, statement: ast.If, among: frozenset[str] | None) -> None:
        tested, is_positive = self._tested(statement.test)
        inside = tested if is_positive else among
        outside = tested if not is_positive else among
        if tested is None and _returns_something(statement):
            self.is_understood = False
        self._read(statement.body, inside if tested is not None else among)
        self._read(statement.orelse, outside if tested is not None else among)

    def _left(self, statement: ast.If, among: frozenset[str] | None) -> frozenset[str] | None:
        """The names that are left after `if name not in NAMES: raise …`."""
        tested, is_positive = self._tested(statement.test)
        ends = isinstance(statement.body[-1], ast.Raise | ast.Return)
        return tested if tested is not None and not is_positive and ends and not statement.orelse else among

    def _returns(self, statement: ast.Return, among: frozenset[str] | None) -> None:
        names = among if among is not None else self._subscripted(statement)
        if names is None:
            self.is_understood = False
        else:
            self.made |= names

    def _tested(self, test: ast.expr) -> tuple[frozenset[str] | None, bool]:
        """The names for which `test` holds, or (False) for which alone it does not."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            names, is_positive = self._tested(test.operand)
            return names, not is_positive
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
            parts = [self._tested(value) for value in test.values]
            if all(names is not None and is_positive for names, is_positive in parts):
                return frozenset().union(*(names for names, _ in parts if names)), True
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and self._is_name(test.left):
            (operator,), (right,) = test.ops, test.comparators
            if isinstance(operator, ast.Eq | ast.NotEq) and isinstance(right, ast.Constant):
                return frozenset({str(right.value)}), isinstance(operator, ast.Eq)
            names = self._collection(right)
            if isinstance(operator, ast.In | ast.NotIn) and names is not None:
                return names, isinstance(operator, ast.In)
        return None, True

    def _looked_up(self, statement: ast.Try) -> frozenset[str] | None:
        """The keys of the mapping in `try: x = NAMES[name] except KeyError: raise …`."""
        ends = all(isinstance(handler.body[-1], ast.Raise) for handler in statement.handlers if handler.body)
        return self._subscripted(statement.body[0]) if ends and statement.handlers else None

    def _subscripted(self, node: ast.AST) -> frozenset[str] | None:
        for part in ast.walk(node):
            if isinstance(part, ast.Subscript) and self._is_name(part.slice):
                return self._collection(part.value)
        return None

    def _collection(self, node: ast.expr) -> frozenset[str] | None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
            node = node.func.value
        if isinstance(node, ast.Name):
            return self._words.get(node.id)
        return _literal(node)

    def _is_name(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self._argument


def _collections(tree: ast.Module | ast.FunctionDef) -> dict[str, frozenset[str]]:
    """The words in each list, set or mapping that is spelt out once: of a mapping these are its keys."""
    found: dict[str, frozenset[str]] = {}
    spoilt: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    words = _literal(node.value)
                    if words is None or target.id in found:
                        spoilt.add(target.id)
                    found[target.id] = words or frozenset()
    return {name: words for name, words in found.items() if name not in spoilt}


def _literal(node: ast.expr) -> frozenset[str] | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        return _literal(node.args[0]) if node.func.id in {"frozenset", "set", "tuple", "list"} else None
    if isinstance(node, ast.Dict):
        elements: list[ast.expr | None] = list(node.keys)
    elif isinstance(node, ast.List | ast.Set | ast.Tuple):
        elements = list(node.elts)
    else:
        return None
    words = [element.value if isinstance(element, ast.Constant) else None for element in elements]
    return frozenset(map(str, words)) if all(isinstance(word, str) for word in words) else None


def _structured(tree: ast.Module) -> Iterator[str]:
    """The names in `_import_structure`, and what is added to it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_belongs_to_structure(target) for target in targets):
                yield from _constants(node.value)
        elif _is_addition(node):
            for argument in node.args:
                yield from _constants(argument)


def _is_addition(node: ast.AST) -> TypeGuard[ast.Call]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"append", "extend", "update"}
        and _belongs_to_structure(node.func.value)
    )


def _belongs_to_structure(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id in _STRUCTURES for part in ast.walk(node))


def _constants(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _words(node: ast.AST, words: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
        elif isinstance(part, ast.Name):
            yield from words.get(part.id, ())


def _is_attach(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "attach"
        and bool(node.args and ast.unparse(node.args[0]) == "__name__")
    )


def _replaces_itself(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node) == "sys.modules[__name__]"
    )


def _returns_something(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Return) and not _is_none(part.value) for part in ast.walk(node))


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)
