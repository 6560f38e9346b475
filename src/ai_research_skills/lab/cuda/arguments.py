"""Arguments of a launch, checked against the kernel's parameters before anything runs."""

from __future__ import annotations

import importlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ai_research_skills.lab.cuda.signature import Parameter

TYPES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "__half": "float16",
    "__nv_bfloat16": "bfloat16",
    "bool": "bool",
    "char": "int8",
    "signed char": "int8",
    "int8_t": "int8",
    "unsigned char": "uint8",
    "uint8_t": "uint8",
    "short": "int16",
    "int16_t": "int16",
    "unsigned short": "uint16",
    "uint16_t": "uint16",
    "int": "int32",
    "int32_t": "int32",
    "unsigned": "uint32",
    "unsigned int": "uint32",
    "uint32_t": "uint32",
    "long": "int64",
    "long long": "int64",
    "int64_t": "int64",
    "unsigned long": "uint64",
    "unsigned long long": "uint64",
    "uint64_t": "uint64",
    "size_t": "uint64",
}
"""Element type of an array, as numpy and torch name it, for a type of CUDA C++."""

VECTORS = {
    f"{name}{lanes}": (element, lanes)
    for name, element in {
        "float": "float32",
        "int": "int32",
        "uint": "uint32",
        "uchar": "uint8",
        "double": "float64",
        "half": "float16",
        "__half": "float16",
    }.items()
    for lanes in (2, 3, 4)
}
"""Element type and number of elements of a vector type."""

CODES = {
    "float32": "f",
    "float64": "d",
    "float16": "e",
    "bool": "?",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
}
"""Code of the `struct` module for each type that may be passed by value."""


@dataclass(frozen=True)
class Argument:
    """One value that was found to fit its parameter.

    Attributes:
        parameter: What it is for.
        value: A torch tensor, a numpy array, or a Python number.
        dtype: Type of the number, or of the array's elements.
    """

    parameter: Parameter
    value: Any
    dtype: str

    def packed(self) -> bytes:
        """The number in the bytes of its type, and zeros up to eight."""
        return struct.pack("<" + CODES[self.dtype], self.value).ljust(8, b"\0")

    def address(self) -> int:
        """Where the array's first byte is, on whichever device it lives."""
        return int(self.value.data_ptr() if hasattr(self.value, "data_ptr") else self.value.ctypes.data)

    def on_gpu(self) -> bool:
        """Whether this is a tensor on a CUDA device."""
        return bool(getattr(self.value, "is_cuda", False))

    def bytes_view(self) -> Any:
        """The array's memory as a flat numpy array of bytes; a copy where it lives on a GPU."""
        if hasattr(self.value, "data_ptr"):
            torch: Any = importlib.import_module("torch")
            return self.value.detach().cpu().reshape(-1).view(torch.uint8).numpy()
        return self.value.reshape(-1).view("uint8")


def check(kernel: str, parameters: Sequence[Parameter], values: Sequence[Any]) -> tuple[Argument, ...]:
    """Pair `values` with `parameters`.

    A signed array may be passed for an unsigned type of the same width and the other way round, because torch has
    few operations on unsigned tensors. The elements of a type that is not known here are not checked.

    Args:
        kernel: Name for the messages.
        parameters: Of the kernel.
        values: Contiguous torch tensors or numpy arrays for pointers, numbers for the rest.

    Raises:
        ValueError: Wrong count, or a value that its parameter cannot hold; the message names the parameter.
        TypeError: Wrong kind of value.
    """
    if len(parameters) != len(values):
        wanted = ", ".join(map(str, parameters))
        raise ValueError(f"{kernel} takes {len(parameters)} arguments ({wanted}), not {len(values)}")
    arguments = []
    for parameter, value in zip(parameters, values, strict=True):
        where = f"argument `{parameter}` of {kernel}"
        fits = _array if parameter.pointer else _number
        arguments.append(fits(where, parameter, value))
    return tuple(arguments)


def _array(where: str, parameter: Parameter, value: Any) -> Argument:
    if hasattr(value, "data_ptr"):
        contiguous, dtype = value.is_contiguous(), str(value.dtype).removeprefix("torch.")
        size = value.numel() * value.element_size()
    elif hasattr(value, "__array_interface__") and hasattr(value, "flags"):
        contiguous, dtype, size = value.flags.c_contiguous, str(value.dtype), value.nbytes
    else:
        raise TypeError(
            f"{where} is a pointer, not {type(value).__name__} → pass a torch tensor or a numpy array"
        )
    argument = Argument(parameter, value, dtype)
    if not contiguous:
        raise ValueError(f"{where} is not contiguous → pass x.contiguous()")
    if size == 0:
        raise ValueError(f"{where} is empty → pass at least one element")
    element, lanes = VECTORS.get(parameter.element, (TYPES.get(parameter.element), 1))
    if element is not None and dtype.removeprefix("u") != element.removeprefix("u"):
        raise ValueError(f"{where} points to {element}, not {dtype} → pass an array of {element}")
    if element is not None and lanes > 1:
        width = lanes * struct.calcsize(CODES[element])
        if size % width:
            raise ValueError(f"{where} reads {width} bytes at a time, but the array has {size} → pad it")
        if lanes != 3 and argument.address() % min(width, 16):
            raise ValueError(
                f"{where} does not begin at a multiple of {min(width, 16)} bytes → pass a copy of the view"
            )
    return argument


def _number(where: str, parameter: Parameter, value: Any) -> Argument:
    dtype = TYPES.get(parameter.element)
    if dtype not in CODES:
        known = ", ".join(sorted(name for name, each in TYPES.items() if each in CODES))
        raise TypeError(
            f"{where} is of a type that cannot be passed by value → use one of {known}, or a pointer"
        )
    if hasattr(value, "item") and not hasattr(value, "data_ptr") and not getattr(value, "shape", ()):
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"{where} is a number, not {type(value).__name__} → pass an int, a float or a bool")
    whole = "int" in dtype
    if whole and isinstance(value, float):
        raise TypeError(f"{where} is a whole number, not {value} → pass an int")
    try:
        packed = struct.pack("<" + CODES[dtype], value if dtype != "bool" else bool(value))
    except (struct.error, OverflowError):
        raise ValueError(f"{where} cannot hold {value}") from None
    if not whole and math.isinf(struct.unpack("<" + CODES[dtype], packed)[0]) and not math.isinf(value):
        raise ValueError(f"{where} cannot hold {value}")
    return Argument(parameter, value, dtype)
