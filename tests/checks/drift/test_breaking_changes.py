"""Of all that changed between two releases, what a skill uses is told, and only as much as is sure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.checks.drift.breaking_changes import Changes, breaking_changes
from ai_research_skills.checks.drift.used_symbols import UsedSymbols, used_symbols
from tests.conftest import SKILL

OLD = {
    "toolbox/__init__.py": """
from typing import TYPE_CHECKING

_structure = {"lazy": ["Lazy"]}
if TYPE_CHECKING:
    from .lazy import Lazy
from .core import *
from .settings import Settings


def connect(host, *, retries=1, timeout=5): ...


def gone(): ...


def unused(x, y): ...
""",
    "toolbox/core.py": """
class Base:
    def save(self, path): ...


class Machine(Base):
    def run(self, steps, *, verbose=False): ...
    def stop(self): ...
""",
    "toolbox/lazy.py": "class Lazy:\n    def __init__(self, *, size=1): ...\n",
    "toolbox/settings.py": """
from dataclasses import dataclass


@dataclass
class Parent:
    depth: int = 1


@dataclass
class Settings(Parent):
    speed: int = 1
    colour: str = "red"
    shape: str = "round"
""",
    "toolbox/huge.py": "this is not Python",
}
NEW = {
    "toolbox/__init__.py": """
from .core import *
from .settings import Settings


def connect(host, port, *, timeout=9): ...


def unused(): ...


def __getattr__(name): ...
""",
    "toolbox/core.py": """
class Base:
    def save(self, path): ...
    def stop(self): ...


class Machine(Base):
    def run(self, steps): ...
""",
    "toolbox/moved/lazy.py": "class Lazy:\n    def __init__(self): ...\n",
    "toolbox/settings.py": """
from dataclasses import dataclass


@dataclass
class Settings:
    speed: int = 2
    shape: str = "round"
""",
}
PLACE = [(Path("SKILL.md"), 7)]


def compare(tmp_path: Path, *names: str, **keywords: str) -> Changes:
    """The changes to `names`; a keyword argument names what it is given to."""
    used = UsedSymbols(
        names=dict.fromkeys(names, PLACE),
        keywords={(f"toolbox.{called}", word): PLACE for word, called in keywords.items()},
    )
    for release, files in (("old", OLD), ("new", NEW)):
        for name, text in files.items():
            (tmp_path / release / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / release / name).write_text(text)
    return breaking_changes(used, [tmp_path / "old"], [tmp_path / "new"], ["toolbox"])


def said(changes: Changes) -> list[str]:
    return [change.sentence for change in changes.found]


def test_a_removed_keyword_is_told_if_it_is_used_and_a_new_default_if_it_is_not(tmp_path: Path) -> None:
    found = said(compare(tmp_path, "toolbox.connect", retries="connect"))
    assert found == [
        "`toolbox.connect`: parameter `retries` was removed",
        "`toolbox.connect`: the default of `timeout` was `5` and is `9`",
        "`toolbox.connect`: parameter `port` is new and must be given",
    ]
    assert said(compare(tmp_path, "toolbox.connect", timeout="connect", port="connect")) == []


def test_what_nobody_uses_is_not_told(tmp_path: Path) -> None:
    assert said(compare(tmp_path, "toolbox.Machine.save")) == []


def test_the_fields_of_a_dataclass_are_its_parameters_those_of_its_bases_too(tmp_path: Path) -> None:
    found = said(compare(tmp_path, "toolbox.Settings", colour="Settings", depth="Settings"))
    assert "`toolbox.Settings`: parameter `colour` was removed" in found
    assert "`toolbox.Settings`: parameter `depth` was removed" in found
    assert "`toolbox.Settings`: the default of `speed` was `1` and is `2`" in found


def test_a_method_that_moved_to_a_base_is_not_removed(tmp_path: Path) -> None:
    assert said(compare(tmp_path, "toolbox.Machine.stop")) == []
    found = compare(tmp_path, "toolbox.Machine.run", verbose="Machine.run")
    assert said(found) == ["`toolbox.Machine.run`: parameter `verbose` was removed"]


def test_a_name_is_removed_only_if_no_file_defines_it(tmp_path: Path) -> None:
    assert said(compare(tmp_path, "toolbox.gone")) == ["`toolbox.gone` was removed"]
    moved = compare(tmp_path, "toolbox.Lazy", size="Lazy")
    assert said(moved) == ["`toolbox.Lazy`: parameter `size` was removed"]


def test_what_is_nowhere_in_the_old_release_is_not_seen(tmp_path: Path) -> None:
    found = compare(tmp_path, "toolbox.Nowhere", "elsewhere.thing")
    assert found.unseen == ("toolbox.Nowhere",)
    assert not found.found


def test_time_is_bounded_and_what_was_left_out_is_named(tmp_path: Path) -> None:
    compare(tmp_path)
    used = UsedSymbols(names={"toolbox.gone": PLACE})
    found = breaking_changes(used, [tmp_path / "old"], [tmp_path / "new"], ["toolbox"], budget=-1)
    assert found == Changes(late=("toolbox.gone",))


@pytest.fixture
def used(tmp_path: Path, write_skill: Callable[..., Path]) -> Callable[[str], UsedSymbols]:
    def read(body: str) -> UsedSymbols:
        head = SKILL.format(name="example", title="Example").partition("```python")[0]
        write_skill(text=head + body)
        (skill,) = load_skills(tmp_path).skills
        return used_symbols(skill)

    return read


def test_names_are_followed_from_imports_through_assignments(used: Callable[[str], UsedSymbols]) -> None:
    body = """```python
import toolbox.core as core
from toolbox import Settings as S, connect

machine = core.Machine(S(speed=3))
machine.run(steps=2)
connection = connect("host")
connection.close()
machine = 3
machine.bit_length()
```
"""
    found = used(body)
    assert set(found.names) == {
        "toolbox.core",
        "toolbox.Settings",
        "toolbox.connect",
        "toolbox.core.Machine",
        "toolbox.core.Machine.run",
    }
    assert set(found.keywords) == {("toolbox.Settings", "speed"), ("toolbox.core.Machine.run", "steps")}
    ((path, line),) = found.names["toolbox.core.Machine.run"]
    assert (path.name, line) == ("SKILL.md", 26)
