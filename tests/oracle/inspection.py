"""The truth about one import, member or keyword: the real package is imported and looked at.

Runs inside the environment under study, so it needs the standard library alone. It knows nothing of the code that
it judges. Where it is not certain it says so: such a use is counted and left out.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import importlib
import inspect
import sys
import textwrap
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

from tests.oracle.forwards import EXISTS, MISSING, UNCERTAIN, Truth, known_forward

FORWARD_DEPTH = 8
"""How many calls a keyword is followed through `**kwargs`."""


def module_truth(name: str) -> tuple[Truth, types.ModuleType | None]:
    """Whether a module can be imported, and the module."""
    top = name.partition(".")[0]
    try:
        return (EXISTS, "imported"), importlib.import_module(name)
    except ModuleNotFoundError as error:
        gone = error.name or ""
        if gone == top:
            return (UNCERTAIN, "package not installed"), None
        if name == gone or name.startswith(f"{gone}."):
            above = sys.modules.get(gone.rpartition(".")[0])
            if above is not None and getattr(above, "__file__", None) is None:
                return (UNCERTAIN, "below a namespace package"), None
            return (MISSING, f"no module {gone}"), None
        return (UNCERTAIN, f"needs {gone}"), None
    except BaseException as error:
        return (UNCERTAIN, f"import fails: {type(error).__name__}"), None


def imported_name_truth(module: types.ModuleType, name: str) -> tuple[Truth, Any]:
    """What `from module import name` does, and the object."""
    try:
        return (EXISTS, "attribute"), getattr(module, name)
    except AttributeError:
        pass
    except BaseException as error:
        return _failed_lookup(error, f"cannot import name '{name}'"), None
    truth, found = module_truth(f"{module.__name__}.{name}")
    return truth, found


def attribute_truth(thing: Any, name: str) -> tuple[Truth, Any]:
    """Whether an object that is at hand has an attribute, and the attribute."""
    try:
        return (EXISTS, "attribute"), getattr(thing, name)
    except AttributeError as error:
        if inspect.ismodule(thing):
            submodule, _ = module_truth(f"{thing.__name__}.{name}")
            if submodule[0] == EXISTS:
                return (UNCERTAIN, "a submodule that the block does not import"), None
            return (submodule if submodule[0] == UNCERTAIN else (MISSING, str(error))), None
        if inspect.isclass(thing) and member_truth(thing, name)[0] != MISSING:
            return (UNCERTAIN, "only instances may have it"), None
        return (MISSING, str(error)), None
    except BaseException as error:
        return _failed_lookup(error, "no attribute"), None


def _failed_lookup(error: BaseException, sign: str) -> Truth:
    if isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError) and sign in str(error):
        return (MISSING, str(error).splitlines()[0])
    return (UNCERTAIN, f"lookup fails: {type(error).__name__}")


@dataclasses.dataclass(frozen=True)
class Written:
    """What the source of a class says of its instances."""

    names: frozenset[str]
    is_open: bool
    """Whether names may be set that the source does not spell out, or there is no source."""


def member_truth(kind: type, name: str) -> Truth:
    """Whether instances of a class have a member."""
    try:
        if hasattr(kind, name):
            return (EXISTS, "on the class")
    except BaseException as error:
        return (UNCERTAIN, f"lookup fails: {type(error).__name__}")
    for base in kind.__mro__[:-1]:
        if name in getattr(base, "__annotations__", {}) or name in written(base).names:
            return (EXISTS, f"set by {base.__name__}")
    if name in getattr(kind, "model_fields", {}) or name in getattr(kind, "__dataclass_fields__", {}):
        return (EXISTS, "field")
    for base in kind.__mro__[:-1]:
        hook = vars(base).get("__getattr__") or vars(base).get("__getattribute__")
        if hook and not _is_known_hook(base):
            return (UNCERTAIN, f"{base.__name__} answers to any name")
        if written(base).is_open:
            return (UNCERTAIN, f"{base.__name__} may set names that its source does not spell out")
    return (MISSING, f"'{kind.__name__}' object has no attribute '{name}'")


def _is_known_hook(base: type) -> bool:
    """`__getattr__` of these finds only what was registered under a name that the source spells out."""
    return (base.__module__, base.__name__) in {
        ("torch.nn.modules.module", "Module"),
        ("pydantic.main", "BaseModel"),
    }


@functools.cache
def written(kind: type) -> Written:
    """The names that the methods of one class set on `self`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        has_python = any(isinstance(part, types.FunctionType) for part in vars(kind).values())
        return Written(frozenset(), has_python and not dataclasses.is_dataclass(kind))
    names: set[str] = set()
    is_open = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_name(node.value, "self"):
            if isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            is_open |= node.attr == "__dict__"
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called in {"setattr", "object.__setattr__"} and _is_name(node.args[0], "self"):
                word = node.args[1]
            elif called.startswith("self.") and called[5:] in {
                "register_buffer",
                "register_parameter",
                "add_module",
            }:
                word = node.args[0]
            elif called == "vars" and _is_name(node.args[0], "self"):
                is_open = True
                continue
            else:
                continue
            if isinstance(word, ast.Constant):
                names.add(str(word.value))
            else:
                is_open = True
    return Written(frozenset(names), is_open)


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def loaded_subclasses(kind: type) -> Iterator[type]:
    """Every class below `kind` that is loaded."""
    below: type
    for below in type.__subclasses__(kind):
        yield below
        yield from loaded_subclasses(below)


def keyword_truth(callee: Any, keyword: str, owner: type | None = None, depth: int = FORWARD_DEPTH) -> Truth:
    """Whether a callable takes a keyword: by name, as a field, or through `**kwargs` that can be followed."""
    if inspect.isclass(callee) and hasattr(callee, "model_fields"):
        model = _model_truth(callee, keyword)
        if model:
            return model
    try:
        signature = inspect.signature(callee)
    except (TypeError, ValueError, NameError, AttributeError):
        return _torch_keyword_truth(callee, keyword)
    named = signature.parameters.get(keyword)
    if named and named.kind in {named.POSITIONAL_OR_KEYWORD, named.KEYWORD_ONLY}:
        return (EXISTS, "parameter")
    wrapper = _wrapper_may_take(callee, keyword)
    rest = next((one for one in signature.parameters.values() if one.kind is one.VAR_KEYWORD), None)
    if rest is None:
        if wrapper:
            return (UNCERTAIN, "a decorator may take it")
        return (MISSING, f"unexpected keyword argument '{keyword}'")
    told = known_forward(callee, _unwrapped(callee), keyword)
    if told:
        return told
    if not depth or wrapper:
        return (UNCERTAIN, "vanishes into **kwargs")
    return _forwarded(callee, owner, rest.name, keyword, depth)


def _torch_keyword_truth(callee: Any, keyword: str) -> Truth:
    """Torch's compiled functions have no signature, but torch keeps stand-ins with the same parameters."""
    stand_ins: dict[Any, Any] = getattr(sys.modules.get("torch.overrides"), "get_testing_overrides", dict)()
    stand_in = stand_ins.get(callee) if inspect.isbuiltin(callee) else None
    if stand_in is not None and keyword in inspect.signature(stand_in).parameters:
        return (EXISTS, "parameter of torch's own stand-in")
    return (UNCERTAIN, "no signature")


def _model_truth(kind: Any, keyword: str) -> Truth | None:
    """The answer of a pydantic model that takes its fields and nothing else."""
    fields = kind.model_fields
    config = kind.model_config
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    for name, field in fields.items():
        aliases = _aliases(field)
        if keyword in aliases or (keyword == name and (not aliases or by_name)):
            return (EXISTS, "field")
    if kind.__init__.__qualname__ != "BaseModel.__init__":
        return None
    decorators = getattr(kind, "__pydantic_decorators__", None)
    early = [one for one in getattr(decorators, "model_validators", {}).values() if one.info.mode != "after"]
    if early or kind.__get_pydantic_core_schema__.__qualname__ != "BaseModel.__get_pydantic_core_schema__":
        return (UNCERTAIN, "a validator sees the keywords first")
    extra = config.get("extra") or "ignore"
    if extra == "allow":
        return (UNCERTAIN, "the model keeps unknown fields")
    return (MISSING, f"no field '{keyword}' (extra={extra})")


def _aliases(field: Any) -> set[str]:
    alias = field.validation_alias or field.alias
    choices = getattr(alias, "choices", [alias] if alias else [])
    return {choice if isinstance(choice, str) else str(choice) for choice in choices}


def _wrapper_may_take(callee: Any, keyword: str) -> bool:
    """Whether a decorator that takes any keyword speaks of this one, in its closure or in its code."""
    if inspect.isclass(callee):
        hooks = (type(callee).__dict__.get("__call__"), callee.__new__, callee.__init__)
        return any(_wrapper_may_take(hook, keyword) for hook in hooks if isinstance(hook, types.FunctionType))
    function = getattr(callee, "__func__", callee)
    while hasattr(function, "__wrapped__"):
        if isinstance(function, types.FunctionType):
            cells = []
            for cell in function.__closure__ or ():
                try:
                    cells.append(cell.cell_contents)
                except ValueError:
                    continue
            words = [*function.__code__.co_consts, *cells, *function.__code__.co_varnames]
            if any(_speaks_of(word, keyword) for word in words):
                return True
        else:
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def _speaks_of(word: Any, keyword: str) -> bool:
    if isinstance(word, str):
        return keyword in word
    if isinstance(word, (list, tuple, set, frozenset, dict)):
        return any(_speaks_of(one, keyword) for one in word)
    return False


def _forwarded(callee: Any, owner: type | None, rest: str, keyword: str, depth: int) -> Truth:
    """Where all that a function does with `**kwargs` is to pass it on once, what the next one says."""
    if inspect.isclass(callee):
        owner = callee
        init = callee.__init__
        callee = init if isinstance(init, types.FunctionType) else None
    function = _unwrapped(callee)
    if not isinstance(function, types.FunctionType):
        return (UNCERTAIN, "vanishes into **kwargs")
    spelt = _spelt_out(function, rest)
    if keyword in spelt:
        return (EXISTS, "annotated **kwargs")
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return (UNCERTAIN, "vanishes into **kwargs")
    mentions = [node for node in ast.walk(tree) if _is_name(node, rest)]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if (
            isinstance(call.func, ast.Attribute)
            and _is_name(call.func.value, rest)
            and call.func.attr in {"pop", "get"}
            and call.args
            and isinstance(call.args[0], ast.Constant)
            and call.args[0].value == keyword
        ):
            return (EXISTS, "read from **kwargs")
    onward = [
        call for call in calls for part in call.keywords if part.arg is None and _is_name(part.value, rest)
    ]
    if len(mentions) != 1 or len(onward) != 1:
        return (UNCERTAIN, "vanishes into **kwargs")
    target = _callee_of(onward[0].func, function, owner)
    if target is None:
        return (UNCERTAIN, "vanishes into **kwargs")
    return keyword_truth(*target[:1], keyword, target[1], depth - 1)


def _unwrapped(function: Any) -> Any:
    """The function behind a method and its decorators, or None where something only pretends to be one."""
    try:
        return inspect.unwrap(getattr(function, "__func__", function))
    except Exception:
        return None


def _spelt_out(function: types.FunctionType, rest: str) -> set[str]:
    """The keys of a typed dictionary that annotates `**kwargs`."""
    try:
        annotation = get_type_hints(function).get(rest)
    except Exception:
        return set()
    return {key for one in get_args(annotation) for key in getattr(one, "__annotations__", {})}


def _callee_of(
    node: ast.expr, function: types.FunctionType, owner: type | None
) -> tuple[Any, type | None] | None:
    names = ast.unparse(node).split(".")
    if names[0] == "super()" and owner is not None and len(names) == 2:
        holder = _holder(function, owner)
        if holder is None:
            return None
        above = owner.__mro__[owner.__mro__.index(holder) + 1 :]
        kind = next((one for one in above if names[1] in vars(one)), None)
        if kind is None or kind is object:
            return None
        found = vars(kind)[names[1]]
        return getattr(found, "__func__", found), owner
    value: Any
    if names[0] in {"self", "cls"} and owner is not None:
        value = owner
    elif names[0] in function.__globals__:
        value = function.__globals__[names[0]]
    else:
        return None
    for name in names[1:]:
        value = getattr(value, name, None)
    return (value, owner if names[0] in {"self", "cls"} else None) if callable(value) else None


def _holder(function: types.FunctionType, owner: type) -> type | None:
    for kind in owner.__mro__:
        own = vars(kind).get(function.__name__)
        if own is not None and _unwrapped(own) is function:
            return kind
    return None


def returned_class(function: Any, owner: type | None) -> type | None:
    """The one plain class that the annotation of a callable says it returns."""
    function = _unwrapped(function)
    if not isinstance(function, types.FunctionType):
        return None
    raw = function.__annotations__.get("return")
    if raw in {"Self", "typing.Self"} or getattr(raw, "__name__", "") == "Self":
        return owner
    try:
        kind = get_type_hints(function).get("return")
    except Exception:
        return None
    if isinstance(kind, types.UnionType) or get_origin(kind) is Union:
        choices = [one for one in get_args(kind) if one is not type(None)]
        kind = choices[0] if len(choices) == 1 else None
    kind = get_origin(kind) or kind
    return (
        kind
        if inspect.isclass(kind) and kind is not object and kind.__module__ not in {"builtins", "typing"}
        else None
    )
