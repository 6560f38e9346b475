"""The oracle itself, on small made-up modules: what it is sure of, and where it says that it is not."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tests.oracle.inspection import keyword_truth, member_truth
from tests.oracle.measure import Compared, drawn, score
from tests.oracle.pages import foreign_blocks, half
from tests.oracle.reading import Use, read_block

TOOLBOX = """
from dataclasses import dataclass

@dataclass
class Settings:
    depth: int = 1

class Saw:
    def __init__(self, teeth: int = 3) -> None:
        self.teeth = teeth
    def cut(self, board: str, *, slowly: bool = False) -> "Board":
        return Board()
    @property
    def blade(self) -> "Board":
        return Board()

class FineSaw(Saw):
    def polish(self): ...

class Board:
    def sand(self, grit=80): ...

class Anything:
    def __getattr__(self, name): return name

def shop() -> Saw:
    return FineSaw()

def build(kind, **options):
    return Saw(**options)

def keep(**options):
    return dict(options)

def __getattr__(name):
    if name == "lazy":
        return Board
    raise AttributeError(f"module 'toolbox' has no attribute {name!r}")
"""


@pytest.fixture(autouse=True)
def toolbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "toolbox"
    folder.mkdir()
    (folder / "__init__.py").write_text(TOOLBOX)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "toolbox"]:
        del sys.modules[name]


def truths(source: str, *prelude: str) -> dict[str, str]:
    return {use.symbol: use.truth for use in read_block(source, prelude, frozenset({"toolbox"}))}


def test_imports_are_judged_by_importing() -> None:
    found = truths("import toolbox.shed\nfrom toolbox import Saw, Axe, lazy\nimport json\nimport uninstalled")
    assert found == {
        "toolbox.shed": "missing",
        "toolbox.Saw": "exists",
        "toolbox.Axe": "missing",
        "toolbox.lazy": "exists",
    }


def test_an_instance_has_what_its_class_sets_and_nothing_else() -> None:
    found = truths("saw = toolbox.Saw()\nsaw.teeth\nsaw.weight\nsaw.cut('oak').sand()", "import toolbox")
    assert found["saw.teeth"] == "exists"
    assert found["saw.weight"] == "missing"
    assert found["saw.cut('oak').sand"] == "exists"


def test_an_annotated_result_may_be_of_a_derived_class() -> None:
    found = truths("saw = toolbox.shop()\nsaw.polish\nsaw.paint", "import toolbox")
    assert found["saw.polish"] == "uncertain"
    assert found["saw.paint"] == "missing"


def test_a_class_that_answers_to_any_name_is_left_out() -> None:
    assert truths("toolbox.Anything().x", "import toolbox")["toolbox.Anything().x"] == "uncertain"


def test_keywords_are_judged_by_signature_and_followed_where_they_go_to_one_place() -> None:
    source = "toolbox.Saw(teeth=1, colour=2)\ntoolbox.build(1, teeth=1, colour=2)\ntoolbox.keep(x=1)"
    assert truths(source, "import toolbox") == {
        "toolbox.Saw": "exists",
        "toolbox.Saw(teeth=...)": "exists",
        "toolbox.Saw(colour=...)": "missing",
        "toolbox.build": "exists",
        "toolbox.build(teeth=...)": "exists",
        "toolbox.build(colour=...)": "missing",
        "toolbox.keep": "exists",
        "toolbox.keep(x=...)": "uncertain",
    }


def test_a_name_about_which_branches_disagree_is_forgotten() -> None:
    source = "if x:\n    tool = toolbox.Saw()\nelse:\n    tool = toolbox.Board()\ntool.sand()"
    assert "tool.sand" not in truths(source, "import toolbox")


def test_a_parameter_hides_the_name_outside() -> None:
    found = truths(
        "saw = toolbox.Saw()\ndef f(saw):\n    saw.weight\ndef g():\n    saw.teeth", "import toolbox"
    )
    assert "saw.weight" not in found
    assert found["saw.teeth"] == "exists"


def test_pydantic_fields_go_by_their_aliases() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(populate_by_name=True)
        size: int = Field(1, alias="width")

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")

    class Plain(BaseModel):
        size: int = Field(1, alias="width")

    assert [keyword_truth(Model, name)[0] for name in ("size", "width", "depth")] == [
        "exists",
        "exists",
        "missing",
    ]
    assert [keyword_truth(Plain, name)[0] for name in ("size", "width")] == ["missing", "exists"]
    assert keyword_truth(Open, "depth")[0] == "uncertain"
    assert member_truth(Model, "size")[0] == "exists"


def test_a_decorator_that_speaks_of_a_keyword_may_take_it() -> None:
    def renamed(old: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
        def decorate(function: Callable[..., int]) -> Callable[..., int]:
            @functools.wraps(function)
            def call(*args: int, **kwargs: int) -> int:
                kwargs.pop(old, None)
                return function(*args, **kwargs)

            return call

        return decorate

    @renamed("size")
    def make(width: int = 1) -> int:
        return width

    assert keyword_truth(make, "size")[0] == "uncertain"
    assert keyword_truth(make, "depth")[0] == "missing"


def test_a_block_sees_the_imports_above_it_once(tmp_path: Path) -> None:
    page = "# T\n\n```python\nimport toolbox as tb\n```\n\n```python\ntb.Saw()\n```\n\n```python\n)\n```\n"
    for name in ("one", "two"):
        (tmp_path / "lib" / name).mkdir(parents=True)
        (tmp_path / "lib" / name / "SKILL.md").write_text(page)
    first, second = foreign_blocks([tmp_path / "lib"])
    assert (first.prelude, second.prelude) == ((), ("import toolbox as tb",))
    assert second.example.line == 7


def test_the_sample_is_the_same_every_time_and_spread_over_packages(tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text("```python\nimport toolbox\n```\n")
    blocks = foreign_blocks([tmp_path])
    uses = [Use("import", line, package, "s", "t", "exists", "") for package in "ab" for line in range(9)]
    sample = drawn([(0, use) for use in uses], blocks, 6, 1)
    assert sample == drawn([(0, use) for use in reversed(uses)], blocks, 6, 1)
    assert sorted(use.package for _, use in sample) == list("aaabbb")
    assert {half(1, f"page{number}") for number in range(20)} == {"A", "B"}


def test_the_figures() -> None:
    def one(truth: str, said: str) -> Compared:
        return Compared("p:1", "A", Use("import", 1, "a", said + truth, said + truth, truth, ""), said, "")

    figures = score(
        "import",
        [
            one("missing", "drift"),
            one("missing", "verified"),
            one("exists", "drift"),
            one("exists", "unverified"),
        ],
    )
    assert (figures.precision, figures.recall, figures.unverified) == (0.5, 0.5, 1)
