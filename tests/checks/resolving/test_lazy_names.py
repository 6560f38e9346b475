"""What a module says that it makes on request, and what it refuses: read from its text."""

from __future__ import annotations

import ast

import pytest

from ai_research_skills.checks.resolving.lazy_names import lazy_names

MADE = {
    "a test for one name": "def __getattr__(name):\n    if name == 'A':\n        return 1\n    raise AttributeError(name)",
    "a set": "NAMES = {'A', 'C'}\ndef __getattr__(name):\n    if name in NAMES:\n        return 1\n    raise AttributeError",
    "a mapping that is looked up": "WHERE = {'A': 'x'}\ndef __getattr__(name):\n    try:\n        m = WHERE[name]\n    except KeyError:\n        raise AttributeError(name)\n    return load(m)",
    "a guard that comes first": "WHERE = {'A': 'x'}\ndef __getattr__(name):\n    if name not in WHERE:\n        raise AttributeError(name)\n    return load(WHERE[name])",
    "an import structure": "import sys\n_import_structure = {'sub': ['A']}\n_import_structure['more'] = ['C']\nsys.modules[__name__] = _LazyModule(_import_structure)",
    "what is added to one": "_import_structure = {}\n_import_structure['sub'].extend(['A'])",
    "lazy_loader": "import lazy_loader as lazy\n__getattr__, __dir__, __all__ = lazy.attach(__name__, submod_attrs={'sub': ['A']})",
}


@pytest.mark.parametrize("text", MADE.values(), ids=MADE)
def test_a_name_that_a_module_makes_is_read(text: str) -> None:
    found = lazy_names(ast.parse(text))
    assert "A" in found.made
    assert found.is_lazy
    assert not found.is_open
    assert "B" not in found.made | found.refused


def test_a_name_that_is_kept_only_to_be_refused_is_not_made() -> None:
    text = """
REMOVED = {"Old": "use New"}
def __getattr__(name):
    if name in REMOVED:
        raise ImportError(REMOVED[name])
    if name == "New":
        return 1
    raise AttributeError(name)
"""
    found = lazy_names(ast.parse(text))
    assert found.made == {"New"}
    assert found.refused == {"Old"}


@pytest.mark.parametrize(
    "body",
    ["return getattr(other, name)", "for x in y:\n        return x", "if is_known(name):\n        return 1"],
)
def test_a_module_that_makes_more_than_it_spells_out_stays_open(body: str) -> None:
    assert lazy_names(ast.parse(f"def __getattr__(name):\n    {body}")).is_open


def test_a_plain_module_makes_nothing() -> None:
    assert not lazy_names(ast.parse("def f(): ...\nx = 1")).is_lazy
