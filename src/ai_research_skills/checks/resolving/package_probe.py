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
import types
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

EXISTS, MISSING, UNSEEN = "exists", "missing", "unseen"
_DEPTH = 6
"""How many calls a keyword is followed through `**kwargs`."""
_FEW = 8
"""A class name that more modules define tells nothing."""


def answer(question: dict[str, Any], packages: list[str]) -> str:
    """The answer to one question."""
    is_call = bool(question["keywords"]) or question["positional"] is not None
    if question["module"]:
        found, value, owner = _at_path(question["module"], question["path"])
        if not is_call:
            return found
        return _takes(value, owner, question) if found == EXISTS else UNSEEN
    (name,) = question["path"]
    packages = question["packages"] or packages
    for module in sorted({one for kind in question["classes"] for one in _definers(tuple(packages), kind)}):
        _load(module)
    candidates = _candidates(question["classes"], packages)
    if is_call:
        holders = [kind for kind in candidates if hasattr(kind, name)]
        answers = [_takes(getattr(kind, name), kind, question) for kind in holders]
        return next((best for best in (EXISTS, UNSEEN, MISSING) if best in answers), UNSEEN)
    if any(_has_member(kind, name) for kind in candidates) or _written(packages, question["classes"], name):
        return EXISTS
    is_known = bool(candidates) and not any(_makes_members(kind) for kind in candidates)
    return MISSING if is_known else UNSEEN


def _candidates(names: list[str], packages: list[str]) -> list[type]:
    """The loaded classes of these names: those of the packages, where they have any."""
    named = [kind for kind in _loaded_classes() if kind.__name__ in names and _is_real(kind)]
    return [kind for kind in named if kind.__module__.partition(".")[0] in packages] or named


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
        except ImportError as error:
            return MISSING if _is_farewell(error) else UNSEEN, None, None
        except BaseException:
            return UNSEEN, None, None
    return EXISTS, value, owner


def _is_farewell(error: ImportError) -> bool:
    """Whether a module says that it no longer has a name, and not that something is to be installed for it."""
    text = str(error).lower()
    said = re.search("removed|no longer|cannot import name", text)
    return not isinstance(error, ModuleNotFoundError) and said is not None and "install" not in text


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


def _loaded_classes() -> tuple[type, ...]:
    return _classes_after(len(sys.modules))


def _is_real(kind: type) -> bool:
    """Whether a class is more than what stands in for it where a dependency is not installed."""
    return "dummy" not in type(kind).__name__.lower()


@cache
def _classes_after(_: int) -> tuple[type, ...]:
    """Every class, once for each number of loaded modules."""
    seen: set[type] = set()
    waiting: list[type] = [object]
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.add(kind)
            with contextlib.suppress(TypeError):
                waiting += type.__subclasses__(kind)
    return tuple(seen)


@cache
def _derived(kind: type) -> tuple[type, ...]:
    """`kind` and every class derived from it."""
    found: dict[type, None] = {kind: None}
    waiting = [kind]
    while waiting:
        with contextlib.suppress(TypeError):
            subclasses: list[type] = type.__subclasses__(waiting.pop())
            waiting += [one for one in subclasses if one not in found]
            found |= dict.fromkeys(subclasses)
    return tuple(found)


def _has_member(kind: type, name: str) -> bool:
    """Whether instances of `kind`, or of a class derived from it, have `name`."""
    related = {base: None for one in _derived(kind) for base in one.__mro__ if base is not object}
    if hasattr(type, name) or any(name in vars(one) or name in _declared(one) for one in related):
        return True
    files = {file for one in related if (file := _file(one))}
    sets = re.compile(rf"\bself\.{name}\s*(?::|,|=(?!=))|setattr\(\s*self\s*,\s*[\"']{name}[\"']")
    suspects = {file for file in files if sets.search(_text(file))}
    return any(_file(one) in suspects and sets.search(_source(one)) for one in related)


def _declared(kind: type) -> set[str]:
    """The fields that a class declares, whoever makes its instances."""
    tables = ("__annotations__", "__dataclass_fields__", "model_fields", "__private_attributes__",
              "__struct_fields__", "_fields")  # fmt: skip
    found = [vars(kind).get(table) for table in tables]
    return {str(name) for table in found if isinstance(table, Collection) for name in table}


def _makes_members(kind: type) -> bool:
    """Whether instances have members that no text names: then nothing is missing from them."""
    if any({"__getattr__", "__getattribute__"} & vars(base).keys() for base in kind.__mro__[:-1]):
        return True
    made = re.compile(
        r"setattr\(\s*self\s*,\s*[^\"'\s]|self\.__dict__\s*(\.update|=|\[)|vars\(self\)"
        r"|(object|super\(\))\.__setattr__\("
    )
    return any(made.search(_source(base)) for base in kind.__mro__ if base is not object)


@cache
def _file(kind: type) -> str:
    try:
        return inspect.getsourcefile(kind) or ""
    except (OSError, TypeError):
        return ""


@cache
def _text(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@cache
def _tree(file: str) -> ast.Module:
    try:
        return ast.parse(_text(file))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


@cache
def _class_sources(file: str) -> dict[str, str]:
    """The text of every class in a file, under its qualified name."""
    lines = _text(file).splitlines()
    found: dict[str, str] = {}

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found[prefix + child.name] = "\n".join(lines[child.lineno - 1 : child.end_lineno])
                visit(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                visit(child, f"{prefix}{child.name}.<locals>.")
            else:
                visit(child, prefix)

    visit(_tree(file), "")
    return found


def _source(kind: type) -> str:
    """The text of a class, empty where it is compiled."""
    return _class_sources(_file(kind)).get(kind.__qualname__, "") if _file(kind) else ""


def _written(packages: list[str], classes: list[str], name: str) -> bool:
    """Whether the packages' own files give `name` to a class derived from one of `classes`.

    A class that this machine cannot load, such as one for a GPU, may still be described by its package.
    """
    files = {
        file for package in packages for kind in classes for file in _files_by_class(package).get(kind, ())
    }
    return any(_describes(file, kind, name) for kind in classes for file in sorted(files))


@cache
def _definers(packages: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """The modules that define a class of this name: what is loaded must not depend on what else was asked."""
    found = {
        ".".join([package, *Path(file).relative_to(folder).with_suffix("").parts]).removesuffix(".__init__")
        for package in packages
        for file in _files_by_class(package).get(kind, ())
        for folder in _folders(package)
        if file.endswith(".py") and Path(file).is_relative_to(folder)
    }
    return tuple(sorted(found)) if len(found) <= _FEW else ()


def _folders(package: str) -> list[str]:
    spec = importlib.util.find_spec(package) if package in sys.modules else None
    return list(spec.submodule_search_locations or []) if spec else []


@cache
def _files_by_class(package: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for folder in _folders(package):
        for path in sorted(Path(folder).rglob("*.py*")):
            if path.suffix in {".py", ".pyi"}:
                text = path.read_text(encoding="utf-8", errors="replace")
                for kind in set(re.findall(r"^\s*class (\w+)", text, re.MULTILINE)):
                    found.setdefault(kind, []).append(str(path))
    return found


def _describes(file: str, kind: str, name: str) -> bool:
    classes = {node.name: node for node in ast.walk(_tree(file)) if isinstance(node, ast.ClassDef)}

    def above(one: str, below: frozenset[str] = frozenset()) -> set[str]:
        bases = {ast.unparse(base) for base in classes[one].bases} & classes.keys()
        return {one}.union(*(above(base, below | {one}) for base in bases - below - {one}))

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
    held = inspect.getattr_static(owner, question["path"][-1], None) if owner is not None else None
    needs_self = inspect.isfunction(held) or (
        inspect.ismethoddescriptor(held) and not isinstance(held, staticmethod | classmethod)
    )
    # Keywords that the signature does not show are asked about one by one: a decorator may take them.
    shown = [keyword for keyword in question["keywords"] if keyword in signature.parameters]
    try:
        signature.bind(*[None] * (question["positional"] + needs_self), **dict.fromkeys(shown))
    except TypeError:
        return MISSING
    return EXISTS


def _takes_keyword(value: Any, owner: Any, keyword: str, depth: int) -> str:
    """Whether `value` takes `keyword`: by a field, by name, or through `**kwargs` that somebody down the line reads."""
    modelled = _modelled(value, owner, keyword)
    if modelled:
        return modelled
    found = _signature_takes(value, owner, keyword, depth)
    # A model with a constructor of its own shows a signature that pydantic makes up, by alias alone.
    return (
        _in_model(value, keyword)
        if found == MISSING and inspect.isclass(value) and _is_model(value)
        else found
    )


def _signature_takes(value: Any, owner: Any, keyword: str, depth: int) -> str:
    try:
        parameters = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return EXISTS if _shows_in_signature(value, keyword) else UNSEEN
    named = parameters.get(keyword)
    if named and named.kind in {named.POSITIONAL_OR_KEYWORD, named.KEYWORD_ONLY}:
        return EXISTS
    rest = next((name for name, one in parameters.items() if one.kind is one.VAR_KEYWORD), None)
    if rest is None:
        return _taken_by_wrapper(value, keyword)
    if _documents(value, keyword) or _spelt_out(value, rest, keyword) or _configures(owner, value, keyword):
        return EXISTS
    if inspect.isclass(value):
        owner, value = value, value.__init__ if "__init__" in dir(value) else value.__new__
        return _takes_keyword(value, owner, keyword, depth) if not _is_bare(value) else UNSEEN
    return _passed_on(inspect.unwrap(value), owner, rest, keyword, depth)


def _is_bare(function: Any) -> bool:
    """Whether a constructor is compiled: then its `**kwargs` lead nowhere that can be read."""
    return not inspect.isfunction(inspect.unwrap(function))


def _modelled(value: Any, owner: Any, keyword: str) -> str:
    """The answer of a class whose fields alone say what its constructor takes; empty where there is none."""
    name = getattr(value, "__qualname__", "")
    struct_fields: tuple[str, ...] = getattr(value, "__struct_fields__", ()) if inspect.isclass(value) else ()
    if struct_fields:
        return EXISTS if keyword in struct_fields else MISSING
    if inspect.isclass(value) and _is_model(value) and value.__init__.__qualname__ == "BaseModel.__init__":
        return _in_model(value, keyword)
    return _in_model(owner, keyword) if name == "BaseModel.__init__" and _is_model(owner) else ""


def _is_model(kind: Any) -> bool:
    return isinstance(getattr(kind, "model_fields", None), dict) and hasattr(kind, "model_config")


def _in_model(kind: Any, keyword: str) -> str:
    """Whether a pydantic model reads `keyword`. Most models pass over what they do not know, and say nothing."""
    by_name = kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name")
    for name, one in kind.model_fields.items():
        aliases = _aliases(one)
        if keyword in aliases or (keyword == name and (by_name or not aliases)):
            return EXISTS
        if keyword == name:
            return UNSEEN
    decorators = getattr(kind, "__pydantic_decorators__", None)
    validators = getattr(decorators, "model_validators", {}) or getattr(decorators, "root_validators", {})
    if kind.model_config.get("extra") == "allow" or validators:
        mentions = any(re.search(rf"[\"']{keyword}[\"']", _source(base)) for base in kind.__mro__)
        return EXISTS if validators and mentions else UNSEEN
    return MISSING


def _aliases(field: Any) -> set[str]:
    """The names under which a field is filled, if they are others than its own."""
    alias = field.validation_alias if field.validation_alias is not None else field.alias
    choices = getattr(alias, "choices", [alias])
    return {str(getattr(choice, "path", [choice])[0]) for choice in choices if choice is not None}


def _taken_by_wrapper(value: Any, keyword: str) -> str:
    """Whether a decorator takes `keyword` before the function that it wraps sees it.

    One that goes through its keywords, and hands on those that it chooses, may take any: nobody can tell.
    """
    value, answer = value.__init__ if inspect.isclass(value) else value, MISSING
    while hasattr(value, "__wrapped__"):
        wrapper = getattr(value, "__func__", value)
        cells = [cell.cell_contents for cell in getattr(wrapper, "__closure__", None) or () if _is_full(cell)]
        if keyword in _strings(cells) or re.search(rf"[\"']{keyword}[\"']|\b{keyword}\s*=", _code(wrapper)):
            return EXISTS
        if re.search(r"\bin kwargs\.items\(\)", _code(wrapper)):
            answer = UNSEEN
        value = value.__wrapped__
    return answer


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _strings(values: list[Any]) -> set[str]:
    found: set[str] = set()
    for value in values:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, list | tuple | set | frozenset | dict):
            found |= {one for one in value if isinstance(one, str)}
    return found


def _code(function: Any) -> str:
    """The text of this very function, and not of the one that it wraps."""
    try:
        code = function.__code__
        lines, first = inspect.findsource(code)
        return "".join(inspect.getblock(lines[first:]))
    except (AttributeError, OSError, TypeError, IndexError):
        return ""


def _shows_in_signature(value: Any, keyword: str) -> bool:
    """Whether the documentation of something compiled begins with a signature that has `keyword`."""
    text = inspect.getdoc(value) or ""
    name = re.escape(getattr(value, "__name__", ""))
    return any(
        re.search(rf"[(,]\s*\*?{keyword}\s*[:=,)]", line)
        for line in text.splitlines()
        if re.search(rf"\b{name}\(", line)
    )


def _spelt_out(value: Any, rest: str, keyword: str) -> bool:
    """Whether `**kwargs` is annotated with a dictionary type that has `keyword`."""
    try:
        annotation = inspect.signature(value, eval_str=True).parameters[rest].annotation
    except Exception:
        return False
    return any(
        keyword in getattr(base, "__annotations__", {})
        for kind in getattr(annotation, "__args__", ())
        for base in (kind, *getattr(kind, "__orig_bases__", ()))
    )


def _documents(value: Any, keyword: str) -> bool:
    """Whether the documentation lists `keyword` as an argument."""
    text = f"{inspect.getdoc(value) or ''}\n{inspect.getdoc(getattr(value, '__init__', None)) or ''}"
    return re.search(rf"^\s*(?::param )?[`*]*{keyword}[`*]*\s*(\(|:)", text, re.MULTILINE) is not None


def _configures(owner: Any, value: Any, keyword: str) -> bool:
    """Whether `from_pretrained` hands `keyword` to a configuration, whose attributes any keyword may set."""
    if owner is None or getattr(value, "__name__", "") != "from_pretrained":
        return False
    package = str(getattr(owner, "__module__", "")).partition(".")[0]
    kind = getattr(owner, "config_class", None)
    if inspect.isclass(kind):
        return _has_member(kind, keyword)
    files = {
        file for name, files in _files_by_class(package).items() if name.endswith("Config") for file in files
    }
    sets = re.compile(rf"^\s+(self\.)?{keyword}\s*(:|=)", re.MULTILINE)
    return any(sets.search(_text(file)) for file in files)


def _passed_on(function: Any, owner: Any, rest: str, keyword: str, depth: int) -> str:
    """Whether somebody reads `keyword` out of the mapping that `function` calls `rest`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return UNSEEN
    names = _same_mapping(tree, rest)
    answers, accounted = set(), 0
    for node in ast.walk(tree):
        if any(
            _reads(node, name, keyword) or (_sets_each(node, name) and _is_settable(owner, keyword))
            for name in names
        ):
            return EXISTS
        accounted += any(_reads(node, name, None) for name in names)
        if isinstance(node, ast.Call):
            given = [*(one for name in names for one in _handed(node, name))]
            accounted += len(given)
            for parameter in given if depth else ():
                answers |= {
                    _further(one, parameter, keyword, depth) for one in _callees(node, tree, function, owner)
                }
    used = sum(
        isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
        for node in ast.walk(tree)
    )
    if EXISTS in answers:
        return EXISTS
    return MISSING if answers == {MISSING} and used == accounted and names == {rest} else UNSEEN


def _same_mapping(tree: ast.AST, rest: str) -> set[str]:
    """`rest`, and what is made of it by `dict(rest)`, `{**rest}` or `rest.copy()`."""
    names = {rest}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
            and _copies(node.value, names)
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _copies(node: ast.expr, names: set[str]) -> bool:
    parts: list[ast.expr] = [node]
    if isinstance(node, ast.Dict):
        parts = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
    elif isinstance(node, ast.Call):
        inner = [node.func.value] if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" else []
        is_copy = ast.unparse(node.func) in {"dict", "copy.copy", "copy.deepcopy", "deepcopy", "copy"}
        spread = [keyword.value for keyword in node.keywords if keyword.arg is None]
        parts = inner + [*node.args[:1], *spread] * is_copy
    return any(isinstance(part, ast.Name) and part.id in names for part in parts)


def _handed(node: ast.Call, rest: str) -> Iterator[int | str]:
    """How a call hands on the mapping: spread as keywords (""), at a position, or under a name."""
    yield from ("" for keyword in node.keywords if keyword.arg is None and _is(keyword.value, rest))
    yield from (number for number, argument in enumerate(node.args) if _is(argument, rest))
    yield from (keyword.arg for keyword in node.keywords if keyword.arg and _is(keyword.value, rest))


def _further(callee: tuple[Any, Any] | None, parameter: int | str, keyword: str, depth: int) -> str:
    if callee is None:
        return UNSEEN
    value, owner = callee
    if parameter == "":
        return _takes_keyword(value, owner, keyword, depth - 1)
    try:
        names = list(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        return UNSEEN
    shift = inspect.isfunction(value) and owner is not None
    position = parameter + shift if isinstance(parameter, int) else -1
    name = parameter if isinstance(parameter, str) else names[position] if position < len(names) else ""
    return _passed_on(inspect.unwrap(value), owner, name, keyword, depth - 1) if name in names else UNSEEN


def _reads(node: ast.AST, rest: str, keyword: str | None) -> bool:
    """`kwargs.pop("x")`, `kwargs["x"]`, `"x" in kwargs`; without a keyword, the same of any constant."""
    words: list[ast.AST] = []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is(node.func.value, rest):
        words = list(node.args[:1])
    elif isinstance(node, ast.Subscript) and _is(node.value, rest):
        words = [node.slice]
    elif isinstance(node, ast.Compare) and any(_is(side, rest) for side in node.comparators):
        words = [node.left]
    return any(isinstance(word, ast.Constant) and keyword in {None, word.value} for word in words)


def _sets_each(node: ast.AST, rest: str) -> bool:
    """`for name, value in kwargs.items(): setattr(self, name, value)`."""
    return (
        isinstance(node, ast.For)
        and ast.unparse(node.iter) == f"{rest}.items()"
        and any(isinstance(part, ast.Call) and _is(part.func, "setattr") for part in ast.walk(node))
    )


def _is_settable(owner: Any, keyword: str) -> bool:
    return inspect.isclass(owner) and _has_member(owner, keyword)


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _callees(node: ast.Call, tree: ast.AST, function: Any, owner: Any) -> list[tuple[Any, Any] | None]:
    return [_callee(name, tree, function, owner) for name in _meanings(node.func, tree)]


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


def _callee(node: ast.expr, tree: ast.AST, function: Any, owner: Any) -> tuple[Any, Any] | None:
    """What a call in `function` calls, with the class that holds it, where its name says so."""
    names = ast.unparse(node).split(".")
    if names[0].startswith("super(") and owner is not None and len(names) == 2:
        return _inherited(names[1], function, owner)
    if names[0] in {"self", "cls"} and owner is not None:
        value: Any = owner
    elif names[0] in {"type(self)", "self.__class__"} and owner is not None:
        value = owner
    else:
        spaces = (_imported_inside(tree, function), inspect.getclosurevars(function).nonlocals,
                  getattr(function, "__globals__", {}))  # fmt: skip
        value = next((space[names[0]] for space in spaces if names[0] in space), None)
    holder = None
    for name in names[1:]:
        holder = value if inspect.isclass(value) else None
        value = getattr(value, name, None)
    return None if value is None else (value, holder)


def _inherited(name: str, function: Any, owner: Any) -> tuple[Any, Any] | None:
    """What `super()` finds, seen from the class that defines `function`; the owner stays the one that is made."""
    lineage = owner.__mro__
    code = getattr(function, "__code__", None)
    own = [number for number, one in enumerate(lineage) if _code_of(vars(one).get(name)) is code]
    holder = next((one for one in lineage[(own[0] if own else 0) + 1 :] if name in vars(one)), None)
    if holder is None or holder is object:
        return None
    return getattr(holder, name), owner


def _code_of(value: Any) -> Any:
    inner = inspect.unwrap(getattr(value, "__func__", value)) if value is not None else None
    return getattr(inner, "__code__", inner)


def _imported_inside(tree: ast.AST, function: Any) -> dict[str, Any]:
    """The names that a function imports when it runs."""
    found: dict[str, Any] = {}
    package = getattr(function, "__globals__", {}).get("__package__") or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            with contextlib.suppress(BaseException):
                source: types.ModuleType = importlib.import_module(module, package)
                found |= {alias.asname or alias.name: getattr(source, alias.name) for alias in node.names}
    return found


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
    # Modules that lie beside this script must not stand in for packages of the same name.
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).resolve().parent]
    question_file, answer_file = sys.argv[1:]
    asked = json.loads(Path(question_file).read_text(encoding="utf-8"))
    Path(answer_file).write_text(json.dumps(probe(asked["modules"], asked["questions"])), encoding="utf-8")
