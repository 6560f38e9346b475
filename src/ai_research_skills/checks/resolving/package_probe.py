"""Run inside a skill's environment: whether the installed packages have what they are asked for. Standard library only.

Reads `{"modules": […], "questions": […]}` from the file named first and writes a list of answers to the second.
An answer is `exists`, `missing` or `unseen`: a package that is not installed, or cannot be imported here, has said
nothing.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

EXISTS, MISSING, UNSEEN = "exists", "missing", "unseen"
_DEPTH = 6
"""How many calls a keyword is followed through `**kwargs`."""


def answer(question: dict[str, Any], packages: list[str]) -> str:
    """The answer to one question."""
    if question["module"]:
        found, value, owner = _at_path(question["module"], question["path"])
        if found != EXISTS:
            return found
        return (
            _takes(value, owner, question)
            if question["keywords"] or question["positional"] is not None
            else EXISTS
        )
    (name,) = question["path"]
    candidates = [kind for kind in _loaded_classes() if kind.__name__ in question["classes"]]
    if not question["keywords"] and question["positional"] is None:
        if any(_has_member(kind, name) for kind in candidates) or _written(
            packages, question["classes"], name
        ):
            return EXISTS
        dynamic = any(hasattr(kind, "__getattr__") for kind in candidates)
        return MISSING if candidates and not dynamic else UNSEEN
    answers = [_takes(getattr(kind, name), kind, question) for kind in candidates if hasattr(kind, name)]
    return next((best for best in (EXISTS, UNSEEN, MISSING) if best in answers), UNSEEN)


def _at_path(module: str, path: list[str]) -> tuple[str, Any, Any]:
    """What lies at `path` below `module`, with the class that holds it."""
    value: Any
    try:
        value = importlib.import_module(module)
    except ModuleNotFoundError as error:
        gone = error.name is not None and (module == error.name or module.startswith(f"{error.name}."))
        return MISSING if gone and "." in str(error.name) else UNSEEN, None, None
    except BaseException:
        return UNSEEN, None, None
    owner: Any = None
    for name in path:
        owner = value if inspect.isclass(value) else None
        try:
            value = getattr(value, name)
        except AttributeError:
            found, value = _below(value, name)
            if found != EXISTS:
                return found, None, None
        except BaseException:
            return UNSEEN, None, None
    return EXISTS, value, owner


def _below(value: Any, name: str) -> tuple[str, Any]:
    """A submodule that nothing imported yet, or a member that only instances have."""
    if inspect.ismodule(value):
        try:
            return EXISTS, importlib.import_module(f"{value.__name__}.{name}")
        except ModuleNotFoundError as error:
            return (MISSING if error.name == f"{value.__name__}.{name}" else UNSEEN), None
        except BaseException:
            return UNSEEN, None
    return (UNSEEN if inspect.isclass(value) and _has_member(value, name) else MISSING), None


def _loaded_classes() -> Iterator[type]:
    seen: set[type] = set()
    waiting: list[type] = [object]
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.add(kind)
            yield kind
            with contextlib.suppress(TypeError):
                waiting += type.__subclasses__(kind)


def _has_member(kind: type, name: str) -> bool:
    """Whether instances of `kind`, or of a class derived from it, have `name`."""
    derived: list[type] = [kind]
    for one in derived:
        with contextlib.suppress(TypeError):
            derived += {*type.__subclasses__(one)}.difference(derived)
        if hasattr(one, name) or any(name in getattr(base, "__annotations__", {}) for base in one.__mro__):
            return True
    return any(_sets(base, name) for one in derived for base in one.__mro__ if base is not object)


def _sets(kind: type, name: str) -> bool:
    try:
        return re.search(rf"\bself\.{name}\s*(:|=)", inspect.getsource(kind)) is not None
    except (OSError, TypeError):
        return False


def _written(packages: list[str], classes: list[str], name: str) -> bool:
    """Whether the packages' own files give `name` to a class derived from one of `classes`.

    A class that this machine cannot load, such as one for a GPU, may still be described by its package.
    """
    return any(_describes(text, kind, name) for kind in classes for text in _files_with(packages, kind))


def _files_with(packages: list[str], kind: str) -> Iterator[str]:
    for package in packages:
        spec = importlib.util.find_spec(package) if package in sys.modules else None
        for folder in (spec.submodule_search_locations or []) if spec else []:
            for path in sorted(Path(folder).rglob("*.py*")):
                if path.suffix in {".py", ".pyi"}:
                    text = path.read_text(encoding="utf-8", errors="replace")
                    if f"class {kind}" in text:
                        yield text


def _describes(text: str, kind: str, name: str) -> bool:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return False
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}

    def above(one: str) -> set[str]:
        bases = {ast.unparse(base) for base in classes[one].bases} & classes.keys()
        return {one}.union(*map(above, bases - {one}))

    return any(
        kind in above(one) and any(name in _members(classes[base]) for base in above(one)) for one in classes
    )


def _members(node: ast.ClassDef) -> set[str]:
    found = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    found |= {ast.unparse(part.target) for part in node.body if isinstance(part, ast.AnnAssign)}
    return found | {
        ast.unparse(target) for part in node.body if isinstance(part, ast.Assign) for target in part.targets
    }


def _takes(value: Any, owner: Any, question: dict[str, Any]) -> str:
    """Whether `value` can be called with the keywords, and with so many positional arguments."""
    answers = {_takes_keyword(value, owner, keyword, _DEPTH) for keyword in question["keywords"]}
    if question["positional"] is not None:
        answers.add(_binds(value, owner, question))
    return next((worst for worst in (MISSING, UNSEEN) if worst in answers), EXISTS)


def _binds(value: Any, owner: Any, question: dict[str, Any]) -> str:
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return UNSEEN
    bound = owner is not None and inspect.isfunction(inspect.getattr_static(owner, value.__name__, None))
    try:
        signature.bind(*[None] * (question["positional"] + bound), **dict.fromkeys(question["keywords"]))
    except TypeError:
        return MISSING
    return EXISTS


def _takes_keyword(value: Any, owner: Any, keyword: str, depth: int) -> str:
    """Whether `value` takes `keyword`: by name, or through `**kwargs` that somebody down the line reads."""
    try:
        parameters = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return UNSEEN
    named = parameters.get(keyword)
    if named and named.kind in {named.POSITIONAL_OR_KEYWORD, named.KEYWORD_ONLY}:
        return EXISTS
    rest = next((name for name, one in parameters.items() if one.kind is one.VAR_KEYWORD), None)
    if rest is None:
        return MISSING
    if (
        keyword in getattr(value, "model_fields", {})
        or _documents(value, keyword)
        or _spelt_out(value, rest, keyword)
    ):
        return EXISTS
    if depth and inspect.isclass(value):
        owner, value = value, value.__init__ if "__init__" in dir(value) else value.__new__
    return _passed_on(inspect.unwrap(value), owner, rest, keyword, depth)


def _spelt_out(value: Any, rest: str, keyword: str) -> bool:
    """Whether `**kwargs` is annotated with a dictionary type that has `keyword`."""
    try:
        annotation = inspect.signature(value, eval_str=True).parameters[rest].annotation
    except Exception:
        return False
    return any(
        keyword in getattr(kind, "__annotations__", {}) for kind in getattr(annotation, "__args__", ())
    )


def _documents(value: Any, keyword: str) -> bool:
    """Whether the documentation lists `keyword` as an argument."""
    text = f"{inspect.getdoc(value) or ''}\n{inspect.getdoc(getattr(value, '__init__', None)) or ''}"
    return re.search(rf"^\s*(?::param )?[`*]*{keyword}[`*]*\s*(\(|:)", text, re.MULTILINE) is not None


def _passed_on(function: Any, owner: Any, rest: str, keyword: str, depth: int) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return UNSEEN
    answers = set()
    for node in ast.walk(tree):
        if _reads(node, rest, keyword) or (_sets_each(node, rest) and _is_settable(owner, keyword)):
            return EXISTS
        if depth and isinstance(node, ast.Call) and _spreads(node, rest):
            found = [_callee(name, function, owner) for name in _meanings(node.func, tree)]
            answers |= {UNSEEN if one is None else _takes_keyword(*one, keyword, depth - 1) for one in found}
    return EXISTS if EXISTS in answers else MISSING if answers == {MISSING} else UNSEEN


def _reads(node: ast.AST, rest: str, keyword: str) -> bool:
    """`kwargs.pop("x")`, `kwargs["x"]`, `"x" in kwargs`."""
    words: list[ast.AST] = []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is(node.func.value, rest):
        words = list(node.args[:1])
    elif isinstance(node, ast.Subscript) and _is(node.value, rest):
        words = [node.slice]
    elif isinstance(node, ast.Compare) and any(_is(side, rest) for side in node.comparators):
        words = [node.left]
    return any(isinstance(word, ast.Constant) and word.value == keyword for word in words)


def _sets_each(node: ast.AST, rest: str) -> bool:
    """`for name, value in kwargs.items(): setattr(self, name, value)`."""
    return (
        isinstance(node, ast.For)
        and ast.unparse(node.iter) == f"{rest}.items()"
        and any(isinstance(part, ast.Call) and _is(part.func, "setattr") for part in ast.walk(node))
    )


def _is_settable(owner: Any, keyword: str) -> bool:
    return inspect.isclass(owner) and hasattr(owner, keyword)


def _meanings(node: ast.expr, tree: ast.AST) -> list[ast.expr]:
    """A local variable as what is assigned to it: of `call = self.a if x else self.b` these are both."""
    if not isinstance(node, ast.Name):
        return [node]
    assigned = [
        part.value
        for part in ast.walk(tree)
        if isinstance(part, ast.Assign) and any(_is(target, node.id) for target in part.targets)
    ]
    branches = [[one.body, one.orelse] if isinstance(one, ast.IfExp) else [one] for one in assigned]
    return [choice for group in branches for choice in group] or [node]


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _spreads(node: ast.Call, rest: str) -> bool:
    return any(keyword.arg is None and _is(keyword.value, rest) for keyword in node.keywords)


def _callee(node: ast.expr, function: Any, owner: Any) -> tuple[Any, Any] | None:
    """What a call in `function` calls, with the class that holds it, where its name says so."""
    names = ast.unparse(node).split(".")
    if names[0] == "super()" and owner is not None and len(names) == 2:
        holder = next((one for one in owner.__mro__[1:] if names[1] in vars(one)), None)
        return (getattr(holder, names[1]), holder) if holder else None
    if names[0] in {"self", "cls"} and owner is not None:
        value: Any = owner
    else:
        spaces = (inspect.getclosurevars(function).nonlocals, getattr(function, "__globals__", {}))
        value = next((space[names[0]] for space in spaces if names[0] in space), None)
    holder = None
    for name in names[1:]:
        holder = value if inspect.isclass(value) else None
        value = getattr(value, name, None)
    return None if value is None else (value, holder)


def _load(module: str) -> None:
    with contextlib.suppress(BaseException):
        importlib.import_module(module)


def probe(
    modules: list[str], questions: list[dict[str, Any]], load: Callable[[str], None] = _load
) -> list[str]:
    """The answers, in order, after loading `modules`, whose classes are asked for by name."""
    for module in modules:
        load(module)
    packages = sorted({module.partition(".")[0] for module in modules})
    found = []
    for question in questions:
        try:
            found.append(answer(question, packages))
        except Exception:
            found.append(UNSEEN)
    return found


if __name__ == "__main__":
    question_file, answer_file = sys.argv[1:]
    asked = json.loads(Path(question_file).read_text(encoding="utf-8"))
    Path(answer_file).write_text(json.dumps(probe(asked["modules"], asked["questions"])), encoding="utf-8")
