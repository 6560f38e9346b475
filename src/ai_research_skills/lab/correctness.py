"""Is the kernel right? Outputs that betray what was not written, and the error against float64."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_GUARD_BYTES = 256
"""Guard before an output; a multiple of every alignment that a vector load or a bulk copy asks for."""

_GUARD = 0xA5
"""Byte of the guards: no plausible result repeats it, and unlike NaN it can be compared."""


class StrayStore(AssertionError):
    """A kernel wrote outside its output."""


@dataclass(frozen=True)
class Error:
    """The largest deviation of a result from its reference.

    Attributes:
        absolute: Largest absolute difference; infinite where either side is NaN.
        relative: `absolute` divided by the largest finite magnitude of the reference.
        where: Index of the element with the largest difference.
    """

    absolute: float
    relative: float
    where: tuple[int, ...]

    def __str__(self) -> str:
        return f"absolute {self.absolute:.2g}, relative {self.relative:.2g}, worst at {self.where}"


def worst(result: Any, reference: Any) -> Error:
    """Compare a result with a reference that was computed in float64 from the same inputs.

    Relative errors are relative to the largest reference, not to each element: where terms cancel, an element
    near zero has no small relative error in any arithmetic. Equal infinities agree; NaN never does.

    Args:
        result: Real tensor of any type.
        reference: float64 tensor of the same shape, or integers, which float64 carries exactly up to 2^53.

    Raises:
        ValueError: The shapes differ, there is no element, or the reference is a narrower float.
    """
    torch: Any = importlib.import_module("torch")
    result, reference = torch.as_tensor(result), torch.as_tensor(reference)
    if result.shape != reference.shape or not result.numel():
        raise ValueError(
            f"result {tuple(result.shape)} against reference {tuple(reference.shape)} "
            "→ compare tensors of one shape, with at least one element"
        )
    if result.is_complex() or (reference.dtype.is_floating_point and reference.dtype != torch.float64):
        raise ValueError(
            f"result {result.dtype}, reference {reference.dtype} → compute a real reference in float64, "
            "or its own rounding is blamed on the result"
        )
    want = reference.to(result.device, torch.float64)
    have = result.to(torch.float64)
    difference = (have - want).abs()
    difference = (
        difference.masked_fill(difference.isnan(), math.inf).masked_fill(have == want, 0.0).reshape(-1)
    )
    place = int(difference.argmax())
    absolute = float(difference[place])
    scale = float(want.abs().masked_fill(~want.isfinite(), 0.0).max())
    relative = 0.0 if absolute == 0 else absolute / scale if scale else math.inf
    index = torch.unravel_index(torch.tensor(place), result.shape)
    return Error(absolute, relative, tuple(int(each) for each in index))


def unit_roundoff(dtype: Any) -> float:
    """Largest relative error of one rounding to nearest in `dtype`: 2^-24 for float32, 2^-8 for bfloat16.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 2.1.
    """
    torch: Any = importlib.import_module("torch")
    return float(torch.finfo(dtype).eps) / 2


def poisoned(shape: Sequence[int], dtype: Any, device: Any = "cpu") -> Any:
    """A tensor that no correct kernel leaves as it is: NaN, or the most extreme integer of its type.

    The sentinel of a signed type is its minimum, of an unsigned one its maximum.

    Raises:
        ValueError: `dtype` has no value to spare (`bool`, four-bit floats).
    """
    torch: Any = importlib.import_module("torch")
    return torch.empty(tuple(shape), dtype=dtype, device=device).fill_(_poison(dtype))


def poisoned_like(x: Any) -> Any:
    """A `poisoned` tensor with the shape, type, device and, where `x` is dense, the strides of `x`."""
    torch: Any = importlib.import_module("torch")
    return torch.empty_like(x).fill_(_poison(x.dtype))


def unwritten(result: Any) -> int:
    """How many elements of a once `poisoned` tensor still hold the poison.

    A kernel that computes NaN, or the sentinel, counts as one that did not write: choose inputs whose results
    are finite.
    """
    torch: Any = importlib.import_module("torch")
    if result.dtype.is_floating_point or result.dtype.is_complex:
        narrow = result.dtype.itemsize == 1
        return int((result.to(torch.float32) if narrow else result).isnan().sum())
    return int((result == _poison(result.dtype)).sum())


def run_poisoned(
    kernel: Callable[[Any], object], shape: Sequence[int], dtype: Any, device: Any = "cpu", *, pad: int = 0
) -> Any:
    """Run `kernel(out)` on a poisoned output with guards around it, and return the output.

    What was not written shows as NaN (or as the sentinel: `unwritten`), what was written beside the output
    raises. The kernel must have been waited for: PyTorch's own stream order suffices. A kernel of `lab.cuda` on a
    host works on a copy of exactly the output, so there `find_bad_accesses` has to look for what is written beside it.

    Args:
        kernel: Takes the output, and writes all of it.
        shape: Shape of the output, at least one dimension.
        dtype: Type of the output.
        device: Where the output lies.
        pad: Guard elements after every row. 0 makes the output contiguous; more makes its rows
            `shape[-1] + pad` apart, which catches a store behind the end of a row but needs a kernel that
            takes strides.

    Raises:
        StrayStore: An element outside the output was written.
    """
    torch: Any = importlib.import_module("torch")
    size = dtype.itemsize
    pitch = shape[-1] + pad
    strides = [1]
    for extent in reversed(shape[1:]):
        strides.insert(0, strides[0] * (pitch if len(strides) == 1 else extent))
    rows = math.prod(shape[:-1])
    front = _GUARD_BYTES // size
    total = 2 * front + rows * pitch
    memory = torch.full((total * size,), _GUARD, dtype=torch.uint8, device=device)
    out = memory.view(dtype).as_strided(tuple(shape), strides, front)
    out.fill_(_poison(dtype))
    kernel(out)
    inside = torch.zeros(total, dtype=torch.bool, device=device)
    inside.as_strided(tuple(shape), strides, front).fill_(True)
    stray = ((memory.view(total, size) != _GUARD).any(1) & ~inside).nonzero().reshape(-1) - front
    if stray.numel():
        first = int(stray[0])
        row, column = divmod(first, pitch)
        place = f"row {row}, column {column}" if 0 <= first < rows * pitch else f"element {first}"
        raise StrayStore(
            f"{stray.numel()} elements outside the {tuple(shape)} output were written, the first at {place} "
            "→ check the mask of the store"
        )
    return out


def _poison(dtype: Any) -> float | int:
    torch: Any = importlib.import_module("torch")
    if dtype == torch.bool or (dtype.is_floating_point and "float4" in str(dtype)):
        raise ValueError(f"{dtype} has no value to spare for poison → test the kernel with a wider type")
    if dtype.is_floating_point or dtype.is_complex:
        return math.nan
    limits = torch.iinfo(dtype)
    return int(limits.min if limits.min < 0 else limits.max)
