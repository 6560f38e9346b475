"""What a block of somebody's page uses of a package, with the truth about each use.

A small evaluator over the syntax tree: names are bound by imports, by constructor calls, by factories whose result
is annotated or well known. It follows nothing else, runs nothing of the page, and forgets a name as soon as two
branches disagree about it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.forwards import EXISTS, MISSING, UNCERTAIN, Truth
from tests.oracle.inspection import (
    attribute_truth,
    imported_name_truth,
    keyword_truth,
    loaded_subclasses,
    member_truth,
    module_truth,
    returned_class,
)

SYMBOL_LENGTH = 80
"""A symbol longer than this is cut, so that it can be shown in a line."""


@dataclass(frozen=True)
class Use:
    """One thing that a line of a block uses.

    Attributes:
        kind: `import`, `attribute` or `keyword`.
        package: The top module of the import behind it.
        symbol: As the page spells it; of a keyword `callee(name=...)`.
        target: The address of what was looked at, for counting distinct symbols.
    """

    kind: str
    line: int
    package: str
    symbol: str
    target: str
    truth: str
    how: str


@dataclass(frozen=True, eq=False)
class Known:
    """What the evaluator knows of an expression.

    Attributes:
        thing: The object itself, or the class of which the value is an instance.
        is_exact: Whether an instance is of this very class, not perhaps of a derived one.
    """

    package: str
    thing: Any
    is_instance: bool = False
    is_exact: bool = True
    owner: type | None = None

    def __eq__(self, other: object) -> bool:
        """By identity: packages may compare their objects as they like."""
        return (
            isinstance(other, Known) and self.thing is other.thing and self.is_instance == other.is_instance
        )

    def __hash__(self) -> int:
        return hash((id(self.thing), self.is_instance))


_UNBOUND = object()
Scope = dict[str, "Known | None"]

_RETURNS_ITSELF = frozenset({"fit", "to", "cuda", "cpu", "eval", "train", "half", "float"})
"""Methods that return `self` wherever a class of these names has them: see `_itself`."""

_FACTORIES = {
    "pandas": ("pandas:DataFrame", "read_csv read_parquet read_json read_excel read_table"),
    "numpy": (
        "numpy:ndarray",
        "array zeros ones arange linspace empty full eye zeros_like ones_like asarray logspace",
    ),
    "torch": (
        "torch:Tensor",
        "tensor randn rand zeros ones arange randint empty full eye zeros_like ones_like randn_like linspace",
    ),
    "matplotlib.pyplot": ("matplotlib.figure:Figure", "figure"),
}
"""Functions that always return an instance of one class, though no annotation says so."""


def read_block(source: str, prelude: Sequence[str], packages: frozenset[str]) -> list[Use]:
    """Every use in `source` of what the `packages` give; `prelude` holds imports made before it."""
    reader = _Reader(packages)
    for statement in prelude:
        reader.run(ast.parse(statement).body)
    reader.uses.clear()
    reader.run(ast.parse(source).body)
    reader.run_deferred()
    return list(dict.fromkeys(reader.uses))


def shown(node: ast.AST) -> str:
    """An expression in one short line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= SYMBOL_LENGTH else f"{text[: SYMBOL_LENGTH - 3]}..."


@dataclass
class _Reader:
    packages: frozenset[str]
    scope: Scope = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    deferred: list[tuple[list[ast.stmt], set[str], Scope]] = field(default_factory=list)

    def run_deferred(self) -> None:
        """Read the bodies of functions, which see the names as the block leaves them."""
        while self.deferred:
            body, own, around = self.deferred.pop(0)
            outer, self.scope = self.scope, {**around, **dict.fromkeys(own)}
            self.run(body)
            self.scope = outer

    def run(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, node.returns):
                self.value(part)
            for arg in _arguments(node.args):
                self.value(arg.annotation)
            self.scope[node.name] = None
            names = {arg.arg for arg in _arguments(node.args)} | _stored(node.body)
            self.deferred.append((node.body, names, self.scope))
        elif isinstance(node, ast.ClassDef):
            for part in (*node.decorator_list, *node.bases, *(word.value for word in node.keywords)):
                self.value(part)
            outer, self.scope = self.scope, dict(self.scope)
            self.run(node.body)
            self.scope = outer
            self.scope[node.name] = None
        elif isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.bind(target, value, node.value)
        elif isinstance(node, ast.AnnAssign):
            self.value(node.annotation)
            self.bind(node.target, self.value(node.value), node.value)
        elif isinstance(node, ast.AugAssign):
            self.value(node.value)
            self.bind(node.target, None, None)
        elif isinstance(node, ast.If):
            self.value(node.test)
            self.branches([node.body, node.orelse])
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.value(node.iter)
            self.loop([node.target], [*node.body, *node.orelse])
        elif isinstance(node, ast.While):
            self.value(node.test)
            self.loop([], [*node.body, *node.orelse])
        elif isinstance(node, ast.Try | ast.TryStar):
            self.run(node.body)
            for handler in node.handlers:
                self.value(handler.type)
                names = {handler.name} if handler.name else set()
                self.forget(names)
            self.branches([node.orelse, *(handler.body for handler in node.handlers)])
            self.run(node.finalbody)
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                value = self.value(item.context_expr)
                if item.optional_vars:
                    self.bind(item.optional_vars, _entered(value), None)
            self.run(node.body)
        elif isinstance(node, ast.Match):
            self.value(node.subject)
            self.forget(_stored([node]))
            self.branches([case.body for case in node.cases])
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)
                    if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Del):
                        self.scope[child.id] = None

    def branches(self, bodies: Sequence[Sequence[ast.stmt]]) -> None:
        before = dict(self.scope)
        after: list[Scope] = []
        for body in bodies:
            self.scope = dict(before)
            self.run(body)
            after.append(self.scope)
        self.scope = dict(before)
        for name in {name for one in after for name in one}:
            values = [one.get(name, _UNBOUND) for one in after]
            bound = [value for value in values if value is not _UNBOUND]
            self.scope[name] = bound[0] if all(value == bound[0] for value in bound) else None  # type: ignore[assignment]

    def loop(self, targets: Sequence[ast.expr], body: Sequence[ast.stmt]) -> None:
        before = dict(self.scope)
        self.forget(_stored(body) & before.keys())
        for target in targets:
            self.bind(target, None, None)
        self.run(body)
        for name, value in before.items():
            if self.scope.get(name) != value:
                self.scope[name] = None

    def forget(self, names: set[str]) -> None:
        self.scope.update(dict.fromkeys(names))

    def bind(self, target: ast.expr, value: Known | None, source: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            self.scope[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = self.unpacked(source, len(target.elts))
            for part, one in zip(target.elts, parts, strict=True):
                self.bind(part.value if isinstance(part, ast.Starred) else part, one, None)
        else:
            self.value(target)

    def unpacked(self, source: ast.expr | None, count: int) -> list[Known | None]:
        nothing: list[Known | None] = [None] * count
        if not isinstance(source, ast.Call) or count != 2:
            return nothing
        if ast.unparse(source.func) in {"plt.subplots", "matplotlib.pyplot.subplots"}:
            figure = _class("matplotlib", "matplotlib.figure:Figure")
            shaping = {"nrows", "ncols", "squeeze", "subplot_kw", None}
            is_one = not source.args and not any(word.arg in shaping for word in source.keywords)
            return [figure, _class("matplotlib", "matplotlib.axes:Axes") if is_one else None]
        return nothing

    # --- expressions ---

    def value(self, node: ast.AST | None) -> Known | None:
        """What is known of an expression; its uses are noted on the way."""
        if node is None:
            return None
        if isinstance(node, ast.Name):
            return self.scope.get(node.id) if isinstance(node.ctx, ast.Load) else None
        if isinstance(node, ast.Attribute):
            return self.attribute(node, is_called=False)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Await):
            return self.value(node.value)
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value)
            self.bind(node.target, value, None)
            return value
        if isinstance(node, ast.Lambda):
            self.inside({arg.arg for arg in _arguments(node.args)}, [node.body])
            return None
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            names = {
                part.id
                for generator in node.generators
                for part in ast.walk(generator.target)
                if isinstance(part, ast.Name)
            }
            parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            checks = [one for generator in node.generators for one in (generator.iter, *generator.ifs)]
            self.inside(names, [*checks, *parts])
            return None
        for part in ast.iter_child_nodes(node):
            self.value(part)
        return None

    def inside(self, names: set[str], parts: Sequence[ast.AST]) -> None:
        outer, self.scope = self.scope, {**self.scope, **dict.fromkeys(names)}
        for part in parts:
            self.value(part)
        self.scope = outer

    def attribute(self, node: ast.Attribute, *, is_called: bool) -> Known | None:
        base = self.value(node.value)
        if base is None:
            return None
        if base.is_instance:
            truth, found = _instance_member(base, node.attr, is_called=is_called)
        else:
            truth, thing = attribute_truth(base.thing, node.attr)
            owner = base.thing if inspect.isclass(base.thing) else None
            found = (
                Known(base.package, thing, owner=owner) if truth[0] == EXISTS and thing is not None else None
            )
        if isinstance(node.ctx, ast.Load):
            self.note("attribute", node, base.package, shown(node), f"{_address(base)}.{node.attr}", truth)
        return found

    def call(self, node: ast.Call) -> Known | None:
        callee = (
            self.attribute(node.func, is_called=True)
            if isinstance(node.func, ast.Attribute)
            else self.value(node.func)
        )
        for part in (*node.args, *(word.value for word in node.keywords)):
            self.value(part)
        if callee is None or callee.is_instance or not callable(callee.thing):
            return None
        for word in node.keywords:
            if word.arg is None:
                continue
            try:
                truth = keyword_truth(callee.thing, word.arg, callee.owner)
            except Exception as error:
                truth = (UNCERTAIN, f"inspection fails: {type(error).__name__}")
            symbol = f"{shown(node.func)}({word.arg}=...)"
            self.note("keyword", node, callee.package, symbol, f"{_address(callee)}({word.arg})", truth)
        return self.result(node, callee)

    def result(self, node: ast.Call, callee: Known) -> Known | None:
        thing = callee.thing
        if inspect.isclass(thing):
            return Known(callee.package, thing, is_instance=True) if _constructs_itself(thing) else None
        name = _name(thing)
        for module, (address, names) in _FACTORIES.items():
            if name in names.split() and _is_member_of(thing, module):
                return _class(callee.package, address, is_exact=False)
        if callee.owner is not None:
            kept = _itself(node, callee)
            if kept:
                return kept
        kind = returned_class(thing, callee.owner)
        return Known(callee.package, kind, is_instance=True, is_exact=False) if kind else None

    # --- imports ---

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom):
            self.import_from(node)
            return
        for alias in node.names:
            top = alias.name.partition(".")[0]
            bound = alias.asname or top
            if top not in self.packages:
                self.scope[bound] = None
                continue
            truth, module = module_truth(alias.name)
            self.note("import", node, top, alias.name, alias.name, truth)
            if not alias.asname:
                _, module = module_truth(top)
            self.scope[bound] = Known(top, module) if module else None

    def import_from(self, node: ast.ImportFrom) -> None:
        name = node.module or ""
        top = name.partition(".")[0]
        is_ours = not node.level and top in self.packages
        found, module = module_truth(name) if is_ours else ((UNCERTAIN, ""), None)
        for alias in node.names:
            bound = alias.asname or alias.name
            thing: Any = None
            truth: Truth = found
            if module is not None and alias.name != "*":
                truth, thing = imported_name_truth(module, alias.name)
            if is_ours:
                self.note("import", node, top, f"{name}.{alias.name}", f"{name}.{alias.name}", truth)
            self.scope[bound] = Known(top, thing) if is_ours and truth[0] == EXISTS else None

    def note(self, kind: str, node: ast.AST, package: str, symbol: str, target: str, truth: Truth) -> None:
        line: int = node.lineno  # type: ignore[attr-defined]
        self.uses.append(Use(kind, line, package, symbol, target, truth[0], truth[1][:160]))


def _instance_member(base: Known, name: str, *, is_called: bool) -> tuple[Truth, Known | None]:
    truth = member_truth(base.thing, name)
    if truth[0] == UNCERTAIN and is_called and _is_frame(base.thing):
        truth = (MISSING, "no such method, and a column cannot be called")
    if (
        truth[0] == MISSING
        and not base.is_exact
        and any(_may_have(kind, name) for kind in loaded_subclasses(base.thing))
    ):
        return (UNCERTAIN, "a derived class has it"), None
    if truth[0] != EXISTS:
        return truth, None
    static = inspect.getattr_static(base.thing, name, None)
    getter = getattr(static, "fget", None) or getattr(static, "func", None)
    if getter is not None:
        kind = returned_class(getter, base.thing)
        return truth, Known(base.package, kind, is_instance=True, is_exact=False) if kind else None
    method = getattr(base.thing, name, None)
    is_method = inspect.isroutine(method)
    return truth, Known(base.package, method, owner=base.thing) if is_method else None


def _may_have(kind: type, name: str) -> bool:
    try:
        return member_truth(kind, name)[0] != MISSING
    except Exception:
        return True


def _is_frame(kind: type) -> bool:
    return any(str(base.__module__) == "pandas.core.generic" for base in kind.__mro__)


def _constructs_itself(kind: type) -> bool:
    """Whether calling a class gives an instance of it: neither its metaclass nor `__new__` decides otherwise."""
    call = inspect.getattr_static(type(kind), "__call__", None)
    if isinstance(call, types.FunctionType) and str(type(kind).__module__).split(".")[0] not in {
        "abc",
        "pydantic",
    }:
        return False
    new = inspect.getattr_static(kind, "__new__", None)
    new = getattr(new, "__func__", new)
    return not isinstance(new, types.FunctionType) or str(new.__module__).split(".")[0] in {
        "typing",
        "pydantic",
    }


def _itself(node: ast.Call, callee: Known) -> Known | None:
    """The instance again, for the few methods that return `self` in all classes of their library."""
    assert callee.owner is not None
    name = _name(callee.thing)
    above = {f"{base.__module__}.{base.__name__}" for base in callee.owner.__mro__}
    keeps = (name == "fit" and "sklearn.base.BaseEstimator" in above) or (
        name in _RETURNS_ITSELF - {"fit"} and "torch.nn.modules.module.Module" in above
    )
    if keeps and isinstance(node.func, ast.Attribute):
        return Known(callee.package, callee.owner, is_instance=True, is_exact=False)
    if name == "from_pretrained" and "transformers.modeling_utils.PreTrainedModel" in above:
        return Known(callee.package, callee.owner, is_instance=True, is_exact=False)
    return None


def _entered(value: Known | None) -> Known | None:
    """What `with value as name` binds: itself, or what `__enter__` is annotated to return."""
    if value is None or not value.is_instance:
        return None
    for name in ("__enter__", "__aenter__"):
        method = getattr(value.thing, name, None)
        kind = returned_class(method, value.thing) if method else None
        if kind:
            return Known(value.package, kind, is_instance=True, is_exact=False)
    return None


def _class(package: str, address: str, *, is_exact: bool = True) -> Known | None:
    module, _, name = address.partition(":")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    return Known(package, kind, is_instance=True, is_exact=is_exact)


def _name(thing: Any) -> str:
    """The name of an object, where it has one: packages may answer with an object of their own."""
    name = getattr(thing, "__name__", "")
    return name if isinstance(name, str) else ""


def _is_member_of(thing: Any, module: str) -> bool:
    try:
        return getattr(importlib.import_module(module), thing.__name__, None) is thing
    except ImportError:
        return False


def _address(known: Known) -> str:
    thing = known.thing
    if inspect.ismodule(thing):
        return str(thing.__name__)
    home = getattr(thing, "__module__", None) or known.package
    name = getattr(thing, "__qualname__", None) or type(thing).__name__
    if known.owner is not None and "." not in str(name):
        name = f"{known.owner.__qualname__}.{name}"
    return f"{home}.{name}"


def _arguments(args: ast.arguments) -> Iterator[ast.arg]:
    yield from (*args.posonlyargs, *args.args, *args.kwonlyargs)
    yield from (one for one in (args.vararg, args.kwarg) if one)


def _stored(body: Sequence[ast.AST]) -> set[str]:
    found = set()
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                found.add(node.id)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.alias):
                found.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
                found.add(node.name)
    return found
