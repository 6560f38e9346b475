"""Which kernels a CUDA C++ text defines, and which parameters they take."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

QUALIFIERS = frozenset(
    {"const", "volatile", "__restrict__", "__restrict", "restrict", "__grid_constant__", "struct", "typename"}
)

OPENING = {"(": ")", "[": "]", "{": "}", "<": ">"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kernel.

    Attributes:
        name: As the text has it.
        element: Type without qualifiers, and for a pointer the type it points to: `float`, `unsigned char`.
        pointer: Whether it is a pointer.
    """

    name: str
    element: str
    pointer: bool

    def __str__(self) -> str:
        return f"{self.element}{'*' if self.pointer else ''} {self.name}"


@dataclass(frozen=True)
class Kernel:
    """A `__global__` function.

    Attributes:
        name: Without template arguments.
        parameters: In order.
        template: Names of the template's parameters; empty for a plain function.
    """

    name: str
    parameters: tuple[Parameter, ...]
    template: tuple[str, ...] = ()


@functools.lru_cache(maxsize=64)
def kernels(text: str) -> Mapping[str, Kernel]:
    """The `__global__` functions of `text` by name; of several with one name, the last.

    Every launch asks, so the answer is kept: reading the text takes longer than many a kernel.
    """
    bare = _without_comments(text)
    found = {}
    for match in re.finditer(r"\b__global__\b", bare):
        kernel = _kernel(bare, match.start(), match.end())
        if kernel is not None:
            found[kernel.name] = kernel
    return MappingProxyType(found)


@functools.lru_cache(maxsize=256)
def parameters_of(text: str, expression: str) -> tuple[Parameter, ...]:
    """Parameters of the kernel that `expression` names, `scale` or `sgemm<64, 8>`; template types are filled in.

    Raises:
        ValueError: No such kernel, or template arguments where there is no template, or none where there is one.
    """
    name, opened, rest = expression.partition("<")
    known = kernels(text)
    kernel = known.get(name.strip())
    if kernel is None:
        listed = ", ".join(sorted(known)) or "none"
        raise ValueError(f"no kernel {name.strip()!r} in this source → it defines {listed}")
    if bool(kernel.template) != bool(opened):
        example = f"{kernel.name}<{', '.join(kernel.template)}>" if kernel.template else kernel.name
        raise ValueError(f"kernel expression {expression!r} does not fit → write it as {example!r}")
    values = _split(rest.strip().removesuffix(">")) if opened else []
    filled: Mapping[str, str] = dict(zip(kernel.template, values, strict=False))
    return tuple(
        Parameter(each.name, filled.get(each.element, each.element), each.pointer)
        for each in kernel.parameters
    )


def _without_comments(text: str) -> str:
    """Comments and literals blanked, every other character in its place."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    pattern = r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'"
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def _kernel(text: str, start: int, end: int) -> Kernel | None:
    """The function declared around `text[start:end]`, which is `__global__`."""
    at = end
    while match := re.compile(r"\s*([A-Za-z_]\w*|\(|[*&:])").match(text, at):
        at = match.end()
        if match[1] in ("__launch_bounds__", "__attribute__", "alignas"):
            at = _closing(text, text.index("(", at)) + 1
        elif (opening := re.compile(r"\s*\(").match(text, at)) is not None and match[1].isidentifier():
            close = _closing(text, opening.end() - 1)
            listed = text[opening.end() : close]
            return Kernel(match[1], tuple(map(_parameter, _split(listed))), _template_before(text, start))
    return None


def _template_before(text: str, at: int) -> tuple[str, ...]:
    """Names in the `template <...>` that ends before `at`, save for specifiers such as `static`."""
    before = re.sub(r"(?:\s|\bstatic\b|\binline\b|\bextern\b)+$", "", text[:at])
    if not before.endswith(">"):
        return ()
    for match in re.finditer(r"\btemplate\s*<", before):
        if _closing(before, match.end() - 1) == len(before) - 1:
            listed = _split(before[match.end() : -1])
            return tuple(re.findall(r"[A-Za-z_]\w*", each.partition("=")[0])[-1] for each in listed)
    return ()


def _parameter(declaration: str) -> Parameter:
    words = re.findall(r"[A-Za-z_][\w:]*|\*|&|\[|<.*>", declaration.partition("=")[0])
    pointer = "*" in words or "[" in words
    named = [each for each in words if each not in QUALIFIERS and each not in "*&["]
    if len(named) < 2:
        raise ValueError(f"cannot read the parameter {declaration.strip()!r} → give it a type and a name")
    element = " ".join(named[:-1]).removeprefix("std::").removeprefix("::")
    return Parameter(named[-1], element, pointer)


def _split(listed: str) -> list[str]:
    """Parts between the commas that no bracket encloses."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(listed):
        depth += character in "(<[{"
        depth -= character in ")>]}"
        if character == "," and depth == 0:
            parts.append(listed[start:at].strip())
            start = at + 1
    last = listed[start:].strip()
    return [*parts, last] if last and last != "void" else parts


def _closing(text: str, at: int) -> int:
    """Index of the bracket that closes the one at `at`; the end of the text where none does."""
    opening, closing = text[at], OPENING[text[at]]
    depth = 0
    for place in range(at, len(text)):
        depth += text[place] == opening
        depth -= text[place] == closing
        if depth == 0:
            return place
    return len(text)
