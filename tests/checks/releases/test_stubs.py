"""A stub says to a type checker what the file says, and no more."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from ai_research_skills.checks.releases.stubs import stubbed

MODULE, PACKAGE = Path("toolbox/core.py"), Path("toolbox/__init__.py")

CASES = [
    ("def f(x: int = 1, *rest: int, y: str = 'a', **more: Any) -> int:\n    return x", "...", "return x"),
    ("async def f():\n    await g()", "async def f():\n    ...", "await"),
    ("def f(): return 1; pass\nx = 1", "def f(): ...\nx = 1", "return"),
    ("def f():\n    @g\n    def h(): pass\n    return h", "def f():\n    ...", "@g"),
    (
        "@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(x: str) -> str: ...",
        "def f(x: str) -> str:",
        "-",
    ),
    (
        "class A:\n    @property\n    def p(self) -> int:\n        return self.q",
        "@property\n    def p(self)",
        "q",
    ),
    ("class A:\n    x: int = 1\n    def m(self):\n        return 2", "x: int = 1", "return 2"),
    ("class A:\n    def m(self, v):\n        w = B(v)\n        self.w: C = w", "w = B(v)", "-"),
    (
        "class A:\n    def m(this):\n        for i in range(3):\n            this.w, t = i, i",
        "this.w, t",
        "-",
    ),
    ("class A:\n    def m(self):\n        with g() as self.h:\n            pass", "as self.h", "-"),
    ("class A:\n    def m(self, o):\n        o.w = self.w", "...", "o.w"),
    ("def f(self):\n    self.w = 1", "...", "self.w"),
    ("class A(Protocol):\n    @abstractmethod\n    def m(self):\n        return 1", "return 1", "-"),
    ("def f():\n    global g\n    g = 1", "g = 1", "-"),
    ("def __getattr__(name):\n    return _LAZY[name]", "return _LAZY[name]", "-"),
    ("if TYPE_CHECKING:\n    import a\nelse:\n    def f():\n        return 1", "import a", "return 1"),
    (
        "try:\n    import a\nexcept ImportError:\n    def a():\n        return 1",
        "except ImportError:",
        "return 1",
    ),
    ("match v:\n    case 1:\n        def f():\n            return 1", "case 1:", "return 1"),
    ("def f():\n    from toolbox import core", "...", "import"),
    ('"""Text."""\nfrom __future__ import annotations', "from __future__", "Text"),
    ('class A:\n    """Text."""\n    x = 1\n    """More."""', "x = 1", "ext"),
    ('class A:\n    def m(self):\n        """Text."""\n        self.x = 1', "self.x = 1", "Text"),
    (
        '__all__ = ["a"]\nX = {"b": 1}\n__all__ += ["c"]',
        '__all__ = ["a"]\nX = {"b": 1}\n__all__ += ["c"]',
        "-",
    ),
    ("é = 'ü'\r\ndef f():\r\n    return 'ä' + é\r\nx = é", "    ...\r\nx = é", "ä"),
]


@pytest.mark.parametrize(("source", "kept", "dropped"), CASES)
def test_what_is_kept_and_what_is_dropped(source: str, kept: str, dropped: str) -> None:
    found = stubbed(source, MODULE)
    ast.parse(found)
    assert kept in found
    assert dropped == "-" or dropped not in found


def test_what_a_package_imports_anywhere_stays() -> None:
    source = "def f():\n    from toolbox import core"
    assert stubbed(source, PACKAGE) == source


@pytest.mark.parametrize("source", ["print 'old'", "def f(:", "x = '\0'", "(" * 300])
def test_what_does_not_parse_stays(source: str) -> None:
    assert stubbed(source, MODULE) == source


def test_signatures_survive_word_by_word() -> None:
    source = dedent(
        """
        class A(Base[int], metaclass=M):
            def __init__(
                self,
                a: int,  # first
                *,
                b: str = "x:y",
            ) -> None:
                super().__init__(a)
        """
    )
    assert stubbed(source, MODULE) == source.replace("super().__init__(a)", "...")
