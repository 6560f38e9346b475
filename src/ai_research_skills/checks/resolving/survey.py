"""A program rewritten so that a type checker says what it sees: every use of somebody else's name is asked about.

Silence of a checker proves nothing where it does not know the type, or where a call takes any keyword. So each
object whose attribute is taken, each callable and each imported name is wrapped in `reveal_type`. And each
attribute, each import of a name and each call with keywords stands beside a canary: the same with a name that no
release has. Where the checker lets that pass, it would have let anything pass. What is asked about is names: where
a call was rejected for the types of its arguments, it can be `loosened`, and its arguments are then of any type.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ai_research_skills.checks.resolving.type_engine import Span

Place = tuple[int, int, int, int]
"""Where a node begins and ends on its page."""

_REVEAL = "reveal_type"
_CANARY = "no_release_has_this_name"
_PRELUDE = "from typing import Any as _Any, cast as _cast"
_Node = TypeVar("_Node", bound=ast.AST)
_Functions = ast.FunctionDef | ast.AsyncFunctionDef
_Defines = _Functions | ast.ClassDef
_Spanned = ast.expr | ast.keyword | ast.alias | ast.stmt


class CannotSurvey(Exception):
    """A program cannot be rewritten; the message says why."""


@dataclass(frozen=True)
class Survey:
    """One rewritten program.

    Attributes:
        places: Where on the page each node of `tree` comes from.
        canaries: The uses that must be rejected, and all that they hold.
        asked: The names that stand at the head of a block to be asked about, with the block's line.
        own: The functions and classes that the page defines.
        bindings: Where each imported name comes from: its module, and the name there if it is not the module.
    """

    text: str
    tree: ast.Module
    places: Mapping[ast.AST, Place]
    canaries: Collection[ast.AST]
    asked: Mapping[ast.AST, tuple[int, str]]
    own: Collection[str]
    bindings: Mapping[str, tuple[str, ...]]

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def by_span(self) -> Mapping[Span, ast.AST]:
        """The outermost node of every stretch of the text, wrappers aside."""
        found: dict[Span, ast.AST] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, _Spanned) and not is_wrapper(node):
                found.setdefault(self.span(node), node)
        return found

    def span(self, node: _Spanned) -> Span:
        """Where `node` stands in the text, counted in characters."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        begin = self._column(node.lineno, node.col_offset)
        return Span(node.lineno, begin, node.end_lineno, self._column(node.end_lineno, node.end_col_offset))

    def _column(self, line: int, offset: int) -> int:
        return len(self._lines[line - 1].encode()[:offset].decode()) + 1

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")


def survey(
    source: str,
    wanted: Callable[[int], bool],
    loosened: Collection[Place] = (),
    known: Mapping[int, Mapping[str, str | None]] | None = None,
) -> Survey:
    """Rewrite `source`.

    Args:
        source: The page's own program.
        wanted: Whether a line is to be asked about.
        loosened: Calls whose arguments are to be of any type.
        known: By the line on which a block begins, names that a run gave a value, with `module:class` of the
            value where the checker is to be told, None where it is to be asked.

    Raises:
        CannotSurvey: The text that Python makes of the rewritten program does not mean the same again.
    """
    try:
        return _survey(source, wanted, loosened, known or {})
    except (SyntaxError, ValueError, RecursionError) as error:
        raise CannotSurvey(f"the checker cannot rewrite it: {error}") from error


def _survey(
    source: str,
    wanted: Callable[[int], bool],
    loosened: Collection[Place],
    known: Mapping[int, Mapping[str, str | None]],
) -> Survey:
    tree = _quietly_parsed(source)
    bindings = _bindings(tree)
    makes = frozenset(_makes_members(tree))
    for node in ast.walk(tree):
        if isinstance(node, _Spanned) and node not in makes:
            _mark(node, place=_place(node))
    rewritten = _Rewriter(wanted, loosened, _mappings(tree), makes).visit(tree)
    for line, names in known.items():
        _tell(rewritten, line, names)
    rewritten.body[:0] = ast.parse(_PRELUDE).body
    text = ast.unparse(ast.fix_missing_locations(rewritten))
    again = _quietly_parsed(text)
    twins = list(zip(ast.walk(rewritten), ast.walk(again), strict=True))
    places = {new: place for old, new in twins if (place := _marked(old, "place"))}
    canaries = {part for old, new in twins if _marked(old, "canary") for part in ast.walk(new)}
    asked: dict[ast.AST, tuple[int, str]] = {
        new: name for old, new in twins if (name := _marked(old, "name_at")) and isinstance(new, ast.Name)
    }
    own = {node.name for node in ast.walk(tree) if isinstance(node, _Defines)}
    return Survey(text + "\n", again, places, canaries, asked, own, bindings)


def _quietly_parsed(text: str) -> ast.Module:
    """What `text` says; Python's remarks about its style are the page's matter and not that of a terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def is_wrapper(node: ast.AST) -> bool:
    """Whether the rewriting put `node` around another."""
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {_REVEAL, "_cast"}
    )


def wrapped(node: ast.expr) -> ast.expr | None:
    """What the rewriting put a wrapper around, if `node` is one."""
    return node.args[-1] if isinstance(node, ast.Call) and is_wrapper(node) else None


def bare(node: ast.AST) -> ast.AST:
    """`node` without what the rewriting put around it."""
    while True:
        if isinstance(node, ast.Call) and is_wrapper(node):
            node = node.args[-1]
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Tuple) and _is_pair(node.value):
            node = node.value.elts[1]
        else:
            return node


def as_written(node: ast.AST) -> str:
    """`node` as the page has it, in short."""
    text = " ".join(ast.unparse(_Plain().visit(deepcopy(node))).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


class _Plain(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        return super().generic_visit(bare(node))


class _Rewriter(ast.NodeTransformer):
    def __init__(
        self,
        wanted: Callable[[int], bool],
        loosened: Collection[Place],
        mappings: Mapping[str, tuple[str, ...]],
        makes: Collection[ast.Attribute],
    ) -> None:
        self.wanted = wanted
        self.loosened = loosened
        self.mappings = mappings
        self.makes = makes

    def visit_Import(self, node: ast.Import) -> ast.AST | list[ast.AST]:
        return self._followed(node, [alias.asname or alias.name for alias in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.AST]:
        names = [alias.asname or alias.name for alias in node.names if alias.name != "*"]
        return self._followed(node, [] if node.module == "__future__" else names)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node in self.makes:
            return node
        canary = _mark(
            ast.copy_location(ast.Attribute(deepcopy(node.value), _CANARY, ast.Load()), node), canary=True
        )
        self.generic_visit(node)
        if not self.wanted(node.lineno):
            return node
        node.value = _revealed(node.value)
        return _paired(canary, node) if isinstance(node.ctx, ast.Load) else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        bases, node.bases = node.bases, []
        decorators, node.decorator_list = node.decorator_list, []
        self.generic_visit(node)
        node.bases, node.decorator_list = bases, decorators
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not self.wanted(node.lineno) or (
            isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id)
        ):
            return self.generic_visit(node)
        node.keywords = [part for keyword in node.keywords for part in self._unpacked(keyword)]
        canary = _canary(node) if node.keywords else None
        is_loose = _place(node) in self.loosened
        self.generic_visit(node)
        if isinstance(node.func, (ast.Attribute, ast.Name)):
            node.func = _revealed(node.func)
        if is_loose:
            node.args = [_loose_argument(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = _loose(keyword.value)
        return _paired(canary, node) if canary else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Text with values in it becomes a call with them: Python 3.11 does not know where in it they stand."""
        values = [self.visit(part.value) for part in node.values if isinstance(part, ast.FormattedValue)]
        call = ast.Call(ast.Name("str", ast.Load()), [ast.Tuple(values, ast.Load())], [])
        return ast.copy_location(call, node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        annotation, node.annotation = node.annotation, ast.Constant(None)
        self.generic_visit(node)
        node.annotation = annotation
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        returns, node.returns = node.returns, None
        decorators, node.decorator_list = node.decorator_list, []
        self.generic_visit(node)
        node.returns, node.decorator_list = returns, decorators
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        return node

    def _unpacked(self, keyword: ast.keyword) -> list[ast.keyword]:
        """`**options` as the keywords that the page put into `options`, where that can be read."""
        if keyword.arg is None and isinstance(keyword.value, ast.Name) and keyword.value.id in self.mappings:
            place = _marked(keyword, "place")
            names = self.mappings[keyword.value.id]
            return [
                _mark(ast.copy_location(ast.keyword(name, _anything()), keyword), place=place)
                for name in names
            ]
        return [keyword]

    def _followed(self, node: ast.Import | ast.ImportFrom, names: list[str]) -> ast.AST | list[ast.AST]:
        if not self.wanted(node.lineno):
            return node
        asked = [
            ast.copy_location(ast.Expr(_revealed(ast.parse(name, mode="eval").body)), node) for name in names
        ]
        for statement in asked:
            for part in ast.walk(statement):
                _mark(part, place=_place(node))
        if isinstance(node, ast.ImportFrom) and names:
            canary = ast.ImportFrom(node.module, [ast.alias(_CANARY)], node.level)
            return [node, *asked, _mark(ast.copy_location(canary, node), canary=True, place=_place(node))]
        return [node, *asked]


def _paired(canary: ast.expr, node: ast.expr) -> ast.expr:
    """An expression with the value and the type of `node`, in which `canary` is looked at first."""
    pair = ast.Tuple([canary, node], ast.Load())
    return ast.copy_location(ast.Subscript(pair, ast.Constant(1), ast.Load()), node)


def _revealed(node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(_REVEAL, ast.Load()), [node], []), node)


def _tell(tree: ast.Module, line: int, names: Mapping[str, str | None]) -> None:
    """Say or ask, before the block that begins on `line`, what the types of those `names` are that it uses."""
    index = next((i for i, node in enumerate(tree.body) if node.lineno >= line), len(tree.body))
    parts = [part for later in tree.body[index:] for part in ast.walk(later)]
    used = names.keys() & {part.id for part in parts if isinstance(part, ast.Name)}
    tree.body[index:index] = [part for name in sorted(used) for part in _told(name, names[name], line)]


def _told(name: str, address: str | None, line: int) -> list[ast.stmt]:
    if address is None:
        text = f"{_REVEAL}({name})"
    else:
        module, _, path = address.partition(":")
        text = f"import {module} as _module\n{name} = _cast(_module.{path}, {name})"
    statements = ast.parse(text).body
    for statement in statements:
        for part in ast.walk(statement):
            if isinstance(part, _Spanned):
                _mark(part, name_at=(line, name))
                part.lineno = line
    return statements


def _loose(node: ast.expr) -> ast.expr:
    return ast.copy_location(
        ast.Call(ast.Name("_cast", ast.Load()), [ast.Name("_Any", ast.Load()), node], []), node
    )


def _loose_argument(node: ast.expr) -> ast.expr:
    return ast.Starred(_loose(node.value), ast.Load()) if isinstance(node, ast.Starred) else _loose(node)


def _anything() -> ast.expr:
    return ast.parse("_cast(_Any, None)", mode="eval").body


def _canary(call: ast.Call) -> ast.Call:
    """The call with the keyword that no release has, and with nothing known about its arguments."""
    args = [
        ast.Starred(_anything(), ast.Load()) if isinstance(arg, ast.Starred) else _anything()
        for arg in call.args
    ]
    keywords = [
        ast.keyword(name, _anything()) for name in (*(keyword.arg for keyword in call.keywords), _CANARY)
    ]
    return _mark(ast.Call(deepcopy(call.func), args, keywords), canary=True, place=_place(call))


def is_canary(node: ast.AST) -> bool:
    """Whether `node` itself uses the name that no release has."""
    if isinstance(node, ast.Call):
        return any(keyword.arg == _CANARY for keyword in node.keywords)
    return (isinstance(node, ast.Attribute) and node.attr == _CANARY) or (
        isinstance(node, ast.ImportFrom) and node.names[0].name == _CANARY
    )


def _is_pair(node: ast.AST) -> bool:
    return isinstance(node, ast.Tuple) and len(node.elts) == 2 and is_canary(node.elts[0])


def _place(node: _Spanned) -> Place:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _mark(node: _Node, **marks: object) -> _Node:
    for name, value in marks.items():
        setattr(node, f"_page_{name}", value)
    return node


def _marked(node: ast.AST, name: str) -> Any:
    return getattr(node, f"_page_{name}", None)


def _makes_members(tree: ast.Module) -> Iterator[ast.Attribute]:
    """Every `self.name` to which a method of the page assigns: it makes the member, and uses nothing.

    The engine sees so only as long as `self` stands there bare.
    """
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for method in (part for one in classes for part in one.body if isinstance(part, _Functions)):
        given = [*method.args.posonlyargs, *method.args.args]
        for node in ast.walk(method) if given else ():
            match node:
                case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()) if name == given[0].arg:
                    yield node


def _mappings(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """The keywords in each mapping that the page spells out, once, as `options = dict(a=1)` or `{"a": 1}`."""
    stored = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    return {
        target.id: names
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
        and stored[target.id] == 1
        and (names := _keys(node.value)) is not None
    }


def _keys(node: ast.expr) -> tuple[str, ...] | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "dict" and not node.args:
        keys: list[object] = [keyword.arg for keyword in node.keywords]
    elif isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    else:
        return None
    return tuple(map(str, keys)) if all(isinstance(key, str) for key in keys) else None


def _bindings(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    bound = dict(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.pop(node.id, None)
        elif isinstance(node, _Defines):
            bound.pop(node.name, None)
    return bound


def _imported(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, (alias.name,)) if alias.asname else (top, (top,))
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, (node.module, alias.name)
