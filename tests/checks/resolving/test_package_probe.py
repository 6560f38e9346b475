"""What installed packages answer: who takes a keyword, and which members a class has."""

from __future__ import annotations

import doctest
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from ai_research_skills.checks.resolving.package_probe import EXISTS, MISSING, UNSEEN, probe
from ai_research_skills.checks.resolving.sightings import Question

TOOLS = """
import enum
import functools
from dataclasses import dataclass
from typing import TypedDict

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Unpack


def end(*, speed=1): ...

def passes(**kwargs):
    return end(**kwargs)

def copies(**kwargs):
    options = dict(kwargs, extra=1)
    return end(**options)

def gives(**kwargs):
    return reads_mapping(kwargs)

def reads_mapping(options):
    return options.get("speed")

def swallows(**kwargs): ...

def keeps(**kwargs):
    STORE.update(kwargs)
    return end(**kwargs)

def imports_inside(**kwargs):
    from probed_tools import end as there
    return there(**kwargs)


class Options(TypedDict, total=False):
    speed: int

def spells(**kwargs: Unpack[Options]): ...


def renamed(old):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            kwargs.pop(old, None)
            return function(*args, **kwargs)
        return wrapper
    return decorate

@renamed("old_speed")
def decorated(speed=1): ...


def choosing(kind):
    init = kind.__init__
    @functools.wraps(init)
    def __init__(self, *args, **kwargs):
        own = {key: value for key, value in kwargs.items() if key in kind.__annotations__}
        init(self, *args, **own)
    kind.__init__ = __init__
    return kind

@choosing
@dataclass
class Chosen:
    speed: int = 1

class Baseplate:
    def __init__(self, *, speed=1):
        self.speed = speed

def replacement(self, steps): ...

Baseplate.run = replacement

class Derived(Baseplate):
    def __init__(self, *, size=1, **kwargs):
        super().__init__(**kwargs)
        self.a, self.b = 1, 2
        setattr(self, "made", 3)

class Sets:
    level: int = 0
    def __init__(self, **kwargs):
        for name, value in kwargs.items():
            setattr(self, name, value)

class Slotted:
    __slots__ = ("slot",)

class Dynamic:
    def __getattr__(self, name):
        return 1

class Colour(enum.Enum):
    RED = 1

@dataclass
class Data:
    speed: int = 1

class Ignores(BaseModel):
    speed: int = 1
    named: int = Field(1, alias="called")

class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    named: int = Field(1, alias="called")

    def __init__(self, **data):
        super().__init__(**data)

class Bin:
    def __init__(self, **data):
        for key, value in data.items():
            object.__setattr__(self, key, value)

class Odd:
    model_fields = property(lambda self: ())
    real = 1

class OutputChecker:
    own = 1

class Keeps(BaseModel):
    model_config = ConfigDict(extra="allow")

class Prepares(BaseModel):
    @model_validator(mode="before")
    @classmethod
    def prepare(cls, values):
        values.pop("legacy", None)
        return values

class Wraps(Ignores):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)


def __getattr__(name):
    if name == "Gone":
        raise ImportError("Gone was removed in 2.0")
    if name == "Extra":
        raise ImportError("Extra needs `pip install extra`")
    raise AttributeError(name)
"""


@pytest.fixture(scope="module", autouse=True)
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "probed_tools.py").write_text(textwrap.dedent(TOOLS), encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("probed_tools", None)


def ask(
    *path: str,
    keywords: tuple[str, ...] = (),
    positional: int | None = None,
    classes: tuple[str, ...] = (),
    packages: tuple[str, ...] = (),
) -> str:
    module = "" if classes else "probed_tools"
    question = Question(module, path, classes, keywords, positional, packages=packages)
    (found,) = probe(["probed_tools"], [asdict(question)])
    return found


@pytest.mark.parametrize(
    ("callee", "keyword", "answer"),
    [
        ("passes", "speed", EXISTS),
        ("passes", "velocity", MISSING),
        ("copies", "speed", EXISTS),
        ("copies", "velocity", UNSEEN),
        ("gives", "speed", EXISTS),
        ("gives", "velocity", UNSEEN),
        ("swallows", "speed", UNSEEN),
        ("keeps", "velocity", UNSEEN),
        ("imports_inside", "speed", EXISTS),
        ("imports_inside", "velocity", MISSING),
        ("spells", "speed", EXISTS),
        ("spells", "velocity", UNSEEN),
        ("decorated", "speed", EXISTS),
        ("decorated", "old_speed", EXISTS),
        ("decorated", "velocity", MISSING),
        ("Derived", "speed", EXISTS),
        ("Derived", "velocity", MISSING),
        ("Sets", "level", EXISTS),
        ("Sets", "velocity", UNSEEN),
        ("Data", "speed", EXISTS),
        ("Data", "velocity", MISSING),
        ("Chosen", "speed", EXISTS),
        ("Chosen", "velocity", UNSEEN),
        ("Ignores", "speed", EXISTS),
        ("Ignores", "called", EXISTS),
        ("Ignores", "named", UNSEEN),
        ("Ignores", "velocity", MISSING),
        ("Aliased", "named", EXISTS),
        ("Aliased", "called", EXISTS),
        ("Aliased", "velocity", MISSING),
        ("Keeps", "velocity", UNSEEN),
        ("Prepares", "legacy", EXISTS),
        ("Prepares", "velocity", UNSEEN),
        ("Wraps", "speed", EXISTS),
        ("Wraps", "velocity", MISSING),
    ],
)
def test_a_keyword_is_followed_to_whoever_reads_it(callee: str, keyword: str, answer: str) -> None:
    assert ask(callee, keywords=(keyword,)) == answer


@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [
        ("Baseplate", "speed", EXISTS),
        ("Baseplate", "size", MISSING),
        ("Baseplate", "b", EXISTS),
        ("Derived", "a", EXISTS),
        ("Derived", "made", EXISTS),
        ("Slotted", "slot", EXISTS),
        ("Slotted", "other", MISSING),
        ("Dynamic", "other", UNSEEN),
        ("Sets", "other", UNSEEN),
        ("Colour", "RED", EXISTS),
        ("Colour", "BLUE", MISSING),
        ("Data", "speed", EXISTS),
        ("Ignores", "speed", EXISTS),
        ("Bin", "anything", UNSEEN),
        ("Odd", "__name__", EXISTS),
        ("Odd", "real", EXISTS),
        ("Odd", "unreal", MISSING),
        ("NoSuchClass", "speed", UNSEEN),
    ],
)
def test_members_are_found_wherever_a_class_gets_them(kind: str, name: str, answer: str) -> None:
    assert ask(name, classes=(kind,)) == answer


def test_a_class_is_looked_for_in_the_package_that_its_value_comes_from() -> None:
    name = (doctest.OutputChecker.__name__,)
    assert ask("own", classes=name, packages=("probed_tools",)) == EXISTS
    assert ask("check_output", classes=name, packages=("doctest",)) == EXISTS
    assert ask("check_output", classes=name, packages=("probed_tools",)) == MISSING


@pytest.mark.parametrize(("name", "answer"), [("Gone", MISSING), ("Extra", UNSEEN), ("Nothing", MISSING)])
def test_a_farewell_is_no_missing_dependency(name: str, answer: str) -> None:
    assert ask(name) == answer


@pytest.mark.parametrize(("positional", "answer"), [(0, MISSING), (1, EXISTS), (2, MISSING)])
def test_a_method_binds_its_own_instance_even_under_another_name(positional: int, answer: str) -> None:
    assert ask("run", classes=("Baseplate",), positional=positional) == answer
    assert ask("reads_mapping", positional=positional) == answer
