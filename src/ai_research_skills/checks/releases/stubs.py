"""A source file without what a type checker does not read: the bodies of functions, and docstrings.

ty infers no return type from a body (measured with 0.0.104), so a body matters to it only where it gives an object its
attributes or a module its names. Such a body stays whole, word by word: what is not rewritten cannot be rewritten wrongly.
Two more stay: the body of a `__getattr__`, since it tells what a module answers to, and in an `__init__.py` one that
imports, since ty takes a submodule that is imported anywhere in there for an attribute of the package.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

RULES = 1
"""Raised with every change of what is kept, so that stubs made before are made again."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Cut = tuple[ast.stmt, ast.stmt, bytes]
"""The first and the last statement of a stretch, and what stands there instead."""

_KEPT = frozenset({"__getattr__", "__dir__"})
_LINE_END = re.compile(rb"\r\n|\r|\n")


def write_stubs(source: Path, target: Path) -> None:
    """Write every file below `source` to the same place below `target`, Python files stubbed."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            place.write_bytes(_stubbed_file(content, path) if path.suffix in {".py", ".pyi"} else content)


def stubbed(source: str, path: Path) -> str:
    """The file at `path` without the bodies of functions and docstrings. What does not parse stays as it is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    content = source.encode()
    starts = [0, *(match.end() for match in _LINE_END.finditer(content))]
    pieces, at = [], 0
    for first, last, instead in _cuts(tree.body, path.name == "__init__.py"):
        pieces += [content[at : _start(first, starts)], instead]
        at = starts[(last.end_lineno or last.lineno) - 1] + (last.end_col_offset or 0)
    return b"".join([*pieces, content[at:]]).decode()


def _stubbed_file(content: bytes, path: Path) -> bytes:
    """A file stubbed; one that is not UTF-8 stays as it is."""
    try:
        return stubbed(content.decode("utf-8-sig"), path).encode()
    except UnicodeError:
        return content


def _cuts(body: Sequence[ast.stmt], is_package: bool, *, is_class: bool = False) -> Iterator[_Cut]:
    """What is left out below a list of statements, in the order of the text."""
    for statement in body:
        if isinstance(statement, ast.Expr):
            yield from _docstring(statement)
        elif isinstance(statement, _Function):
            if not _matters(statement, is_package, is_method=is_class):
                yield statement.body[0], statement.body[-1], b"..."
            elif isinstance(statement.body[0], ast.Expr):
                yield from _docstring(statement.body[0])
        else:
            for inner in _blocks(statement):
                yield from _cuts(inner, is_package, is_class=is_class or isinstance(statement, ast.ClassDef))


def _docstring(statement: ast.Expr) -> Iterator[_Cut]:
    if isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):
        yield statement, statement, b'""'


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks inside a compound statement, in the order of the text."""
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        block = getattr(statement, name, [])
        yield from (part.body for part in block) if name in {"handlers", "cases"} else [block]


def _matters(function: _Function, is_package: bool, *, is_method: bool) -> bool:
    """Whether a type checker, or a reader of names, learns something from the body."""
    if function.name in _KEPT or any(map(_is_abstract, function.decorator_list)):
        return True
    parameters = function.args.posonlyargs + function.args.args
    own = parameters[0].arg if parameters and is_method else None
    return any(_binds_outside(statement, own, is_package) for statement in function.body)


def _is_abstract(decorator: ast.expr) -> bool:
    """Whether a checker tells calls of the function apart by its body being empty."""
    name = getattr(decorator, "attr", getattr(decorator, "id", ""))
    return "abstract" in name


def _binds_outside(statement: ast.stmt, own: str | None, is_package: bool) -> bool:
    """Whether `statement` makes a global name, a submodule, or an attribute of the object called `own`."""
    if isinstance(statement, ast.Global) or (
        is_package and isinstance(statement, ast.Import | ast.ImportFrom)
    ):
        return True
    targets = [target for target in _targets(statement) if not isinstance(target, ast.Name)]
    if any(_is_attribute_of(part, own) for target in targets for part in ast.walk(target)):
        return True
    return any(_binds_outside(inner, own, is_package) for block in _blocks(statement) for inner in block)


def _targets(statement: ast.stmt) -> Sequence[ast.expr]:
    match statement:
        case ast.Assign(targets=targets):
            return targets
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return (target,)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            return (target,)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return [item.optional_vars for item in items if item.optional_vars]
    return ()


def _is_attribute_of(node: ast.AST, own: str | None) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == own
    )


def _start(statement: ast.stmt, starts: Sequence[int]) -> int:
    """Where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    line = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return starts[line - 1] + statement.col_offset
