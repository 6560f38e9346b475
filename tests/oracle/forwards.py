"""Where the keywords go that vanish into `**kwargs`: what is known by hand, and certain.

Each entry was tried once with a keyword that no release has; where the package refused it with an error about that
keyword, what is listed is all that it takes.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

EXISTS, MISSING, UNCERTAIN = "exists", "missing", "uncertain"

Truth = tuple[str, str]
"""One of the three words above, and how it was found."""

_ARTISTS = {
    "plot": "matplotlib.lines:Line2D",
    "axhline": "matplotlib.lines:Line2D",
    "axvline": "matplotlib.lines:Line2D",
    "scatter": "matplotlib.collections:PathCollection",
    "bar": "matplotlib.patches:Rectangle",
    "barh": "matplotlib.patches:Rectangle",
    "axvspan": "matplotlib.patches:Rectangle",
    "axhspan": "matplotlib.patches:Rectangle",
    "fill_between": "matplotlib.collections:FillBetweenPolyCollection",
    "imshow": "matplotlib.image:AxesImage",
    "text": "matplotlib.text:Text",
    "set_title": "matplotlib.text:Text",
    "set_xlabel": "matplotlib.text:Text",
    "set_ylabel": "matplotlib.text:Text",
    "suptitle": "matplotlib.text:Text",
    "title": "matplotlib.text:Text",
    "xlabel": "matplotlib.text:Text",
    "ylabel": "matplotlib.text:Text",
}
"""What the further keywords of a plotting function are properties of."""

_FIGURE = ("matplotlib.pyplot:subplots", "matplotlib.figure:Figure", "matplotlib.pyplot:figure")
_SAVING = ("matplotlib.backend_bases:FigureCanvasBase.print_figure", "matplotlib.figure:Figure.savefig")
_LEGEND = ("matplotlib.legend:Legend",)
_DRAWING = tuple(
    f"networkx:{name}"
    for name in ("draw_networkx", "draw_networkx_nodes", "draw_networkx_edges", "draw_networkx_labels")
)
_FORWARDS: dict[tuple[str, str], tuple[tuple[str, ...], bool]] = {
    ("matplotlib.pyplot", "subplots"): (_FIGURE, False),
    ("matplotlib.pyplot", "savefig"): (_SAVING, False),
    ("matplotlib.figure", "savefig"): (_SAVING, False),
    ("matplotlib.pyplot", "legend"): (_LEGEND, True),
    ("matplotlib.axes._axes", "legend"): (_LEGEND, True),
    ("networkx.drawing.nx_pylab", "draw"): (_DRAWING, True),
    ("networkx.drawing.nx_pylab", "draw_networkx"): (_DRAWING, True),
}
"""By module and name: callables whose parameters a function takes, and whether it takes no others."""

_READ = {"bar": {"xerr", "yerr", "ecolor", "capsize", "error_kw", "log"}}
"""Keywords that a plotting function reads from `**kwargs` itself."""
_READ["barh"] = _READ["bar"]


def known_forward(callee: Any, function: Any, keyword: str) -> Truth | None:
    """What is known of a keyword that `callee` has no parameter for; `function` is what its decorators hide."""
    if inspect.isclass(callee):
        return _distribution(callee, keyword)
    home = str(getattr(function, "__module__", ""))
    name = str(getattr(function, "__name__", ""))
    if (home, name) in _FORWARDS:
        addresses, is_complete = _FORWARDS[home, name]
        if any(keyword in _parameters(_at(address)) for address in addresses):
            return (EXISTS, f"parameter of {addresses[0]}")
        return (MISSING, f"no parameter of {', '.join(addresses)}") if is_complete else None
    if home in {"matplotlib.axes._axes", "matplotlib.axes._base", "matplotlib.pyplot", "matplotlib.figure"}:
        return _plotting(name, keyword)
    return None


def _plotting(name: str, keyword: str) -> Truth | None:
    axes = _at("matplotlib.axes:Axes")
    methods = [getattr(axes, word) for word in (name, f"set_{name}") if hasattr(axes, word)]
    if keyword in _READ.get(name, ()) or any(keyword in _parameters(method) for method in methods):
        return (EXISTS, "parameter of the method of Axes")
    if name not in _ARTISTS:
        return None
    kind = _at(_ARTISTS[name])
    aliases = _at("matplotlib.artist:ArtistInspector")(kind).aliasd.values()
    taken = _parameters(kind.set) | _parameters(kind) | {alias for names in aliases for alias in names}
    if keyword in taken:
        return (EXISTS, f"property of {kind.__name__}")
    return (MISSING, f"{kind.__name__}.set() got an unexpected keyword argument '{keyword}'")


def _distribution(kind: type, keyword: str) -> Truth | None:
    """A distribution of PyMC hands on to its own `dist` what `__new__` does not take."""
    above = {f"{base.__module__}.{base.__name__}" for base in kind.__mro__}
    if "pymc.distributions.distribution.Distribution" not in above:
        return None
    taken = _parameters(kind.__new__) | _parameters(getattr(kind, "dist", kind.__new__))
    return (EXISTS, "parameter of dist") if keyword in taken else None


def _parameters(callee: Any) -> set[str]:
    return {
        name
        for name, one in inspect.signature(callee).parameters.items()
        if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}
    }


def _at(address: str) -> Any:
    module, _, path = address.partition(":")
    thing: Any = importlib.import_module(module)
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing
