"""Triton's interpreter, made honest: no silent bfloat16 arithmetic, counted bytes, guarded memory.

The interpreter of Triton 3.9 keeps bfloat16 as its bits in a uint16 and computes on those bits as integers
([triton#11584](https://github.com/triton-lang/triton/issues/11584) reports it for `tl.dot`). Measured with 3.9.0 on
normally distributed operands, against PyTorch on the same bits:

| in bfloat16 | interpreter of 3.9.0 | after `interpret_without_a_gpu` |
| --- | --- | --- |
| load, store, mask, `tl.where`, `tl.trans`, `tl.abs`, `tl.max`, cast to fp16, fp32, int32 | right | right |
| cast from fp32 or fp16, `tl.full` | cuts off instead of rounding: twice the error | rounds to nearest even |
| subnormal values in casts | wrong or zero | right |
| `tl.dot` | wrong by nine orders of magnitude | raises |
| `/` | wrong | right |
| `+`, `-`, `*`, unary `-`, `<`, `tl.maximum` | wrong or NaN | raises |
| `tl.sum`, `tl.cumsum`, other reductions and scans | wrong | raises |
| cast from an integer or from fp64 | wrong | raises |
| `tl.exp`, `tl.atomic_add` | raises | raises |

So bfloat16 may rest in memory and arithmetic belongs in fp32, which is what a careful kernel does anyway. Where the
operands of `tl.dot` are bfloat16 on a GPU, use fp16 on a host or upcast them. `padding_option="nan"` of a bfloat16
tensor descriptor is not covered: it pads with zeros. Nor does the interpreter find races: programs run one by one.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ai_research_skills.lab.device import Device

ADVICE = (
    "Triton's interpreter computes on the bits of bfloat16 as if they were integers and would return garbage → "
    "upcast with .to(tl.float32) first, or use fp16 on a host"
)

Access = Callable[[str, Any, int], None]
"""Sees `load`, `store` or `atomic`, the addresses of the unmasked lanes (uint64 array), and bytes of each lane."""


class WrongInInterpreter(Exception):
    """An operation whose result would be wrong in Triton's interpreter and right on a GPU."""


class OutOfBounds(Exception):
    """An unmasked lane of a kernel touches an address that belongs to none of the guarded tensors."""


def interpret_without_a_gpu(device: Device) -> bool:
    """Have Triton interpret kernels where there is no GPU; call it before Triton is imported.

    On a host this sets `TRITON_INTERPRET=1`, imports Triton, and replaces what its interpreter gets wrong in
    bfloat16 (see the module) by an error. On a GPU it does nothing.

    Args:
        device: What `discover` returned.

    Returns:
        Whether kernels are interpreted.

    Raises:
        RuntimeError: Triton was imported before, to compile.
    """
    if device.kind != "cpu":
        return False
    if "triton" not in sys.modules:
        os.environ["TRITON_INTERPRET"] = "1"
    if not importlib.import_module("triton").knobs.runtime.interpret or not _library_is_interpreted():
        raise RuntimeError(
            "Triton was imported before, and its library is set to compile for a GPU → "
            "restart the kernel and call interpret_without_a_gpu before the first import of Triton"
        )
    _forbid_bfloat16_arithmetic()
    return True


@dataclass
class MovedBytes:
    """Bytes that kernels asked for; lanes that are masked off, or padded by a tensor descriptor, ask for none.

    Attributes:
        loaded: Bytes loaded, each time they are.
        stored: Bytes stored.
        atomic: Bytes of the operands of atomic operations.
        each: The same for every tensor that was named.
    """

    loaded: int = 0
    stored: int = 0
    atomic: int = 0
    each: dict[str, MovedBytes] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Bytes in all."""
        return self.loaded + self.stored + self.atomic

    def add(self, access: str, amount: int) -> None:
        """Count `amount` bytes of a `load`, a `store` or an `atomic`."""
        name = {"load": "loaded", "store": "stored", "atomic": "atomic"}[access]
        setattr(self, name, getattr(self, name) + amount)


@contextlib.contextmanager
def counted_traffic(**tensors: Any) -> Iterator[MovedBytes]:
    """Count the bytes that interpreted kernels load and store inside the block.

    These are the bytes that the kernel asks for: what caches save and what sectors waste is not in them.

    Args:
        tensors: CPU tensors under the names by which `each` counts them apart; the range from a tensor's first to
            its last element counts as its own.
    """
    moved = MovedBytes(each={name: MovedBytes() for name in tensors})
    ranges = {name: _span(tensor) for name, tensor in tensors.items()}

    def count(access: str, addresses: Any, width: int) -> None:
        moved.add(access, addresses.size * width)
        for name, (first, end) in ranges.items():
            inside = int(((addresses >= first) & (addresses < end)).sum())
            moved.each[name].add(access, inside * width)

    with _watched(count):
        yield moved


@contextlib.contextmanager
def guarded(**tensors: Any) -> Iterator[None]:
    """Raise where an interpreted kernel touches memory outside the given tensors, before it does.

    The check is exact to the byte and knows views: in a window of a wider tensor the columns beside it are outside.
    It proves that the masks are right for these shapes. On a GPU such an access may go unnoticed for long, and in
    the unguarded interpreter it reads or overwrites memory of this very process.

    Args:
        tensors: Every CPU tensor that the kernels may touch, by name. Each costs a byte per byte of its storage.

    Raises:
        OutOfBounds: Says how many lanes of which program go astray, and how far from which tensor.
    """
    regions = {
        name: (tensor.untyped_storage().data_ptr(), _owned(tensor)) for name, tensor in tensors.items()
    }
    builder = _interpreter().interpreter_builder

    def check(access: str, addresses: Any, width: int) -> None:
        astray = addresses
        for base, owned in regions.values():
            astray = astray[~_inside(astray, width, base, owned)]
        if astray.size:
            lanes = f"{astray.size} of {addresses.size} unmasked lanes" if addresses.size > 1 else "the lane"
            place = _place(int(astray[0]), tensors)
            raise OutOfBounds(
                f"{access} in program {builder.grid_idx}: {lanes} outside every guarded tensor, the first {place} → "
                "mask it, or name the tensor that it should touch"
            )

    try:
        with _watched(check):
            yield
    except _interpreter().InterpreterError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, OutOfBounds):
                raise cause from None
            cause = cause.__cause__
        raise


@contextlib.contextmanager
def _watched(see: Access) -> Iterator[None]:
    # All memory traffic passes through these four; descriptors, gathers and atomic loads end in the first two.
    builder = _interpreter().interpreter_builder

    def report(access: str, pointers: Any, mask: Any) -> None:
        numpy: Any = importlib.import_module("numpy")
        addresses = numpy.asarray(pointers.data, dtype=numpy.uint64)
        if mask is not None:
            addresses = addresses[numpy.broadcast_to(mask.data, addresses.shape)]
        see(access, addresses.ravel(), max(1, pointers.get_element_ty().primitive_bitwidth // 8))

    def load(original: Any, pointers: Any, mask: Any, *rest: Any, **named: Any) -> Any:
        report("load", pointers, mask)
        return original(pointers, mask, *rest, **named)

    def store(original: Any, pointers: Any, value: Any, mask: Any, *rest: Any, **named: Any) -> Any:
        report("store", pointers, mask)
        return original(pointers, value, mask, *rest, **named)

    def update(original: Any, operation: Any, pointers: Any, value: Any, mask: Any, *rest: Any) -> Any:
        report("atomic", pointers, mask)
        return original(operation, pointers, value, mask, *rest)

    def swap(original: Any, pointers: Any, *rest: Any) -> Any:
        report("atomic", pointers, None)
        return original(pointers, *rest)

    with contextlib.ExitStack() as stack:
        for name, wrapper in (
            ("create_masked_load", load),
            ("create_masked_store", store),
            ("create_atomic_rmw", update),
            ("create_atomic_cas", swap),
        ):
            stack.enter_context(_replaced(builder, name, functools.partial(wrapper, getattr(builder, name))))
        yield


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _interpreter() -> Any:
    return importlib.import_module("triton.runtime.interpreter")


def _library_is_interpreted() -> bool:
    standard: Any = importlib.import_module("triton.language.standard")
    return isinstance(standard.cdiv, _interpreter().InterpretedFunction)


def _span(tensor: Any) -> tuple[int, int]:
    first = int(tensor.data_ptr())
    if tensor.numel() == 0:
        return first, first
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    last = sum((size - 1) * stride for size, stride in steps)
    return first, first + (last + 1) * tensor.element_size()


def _owned(tensor: Any) -> Any:
    """For each byte of the tensor's storage, whether an element of the tensor has it (bool array)."""
    torch: Any = importlib.import_module("torch")
    numpy: Any = importlib.import_module("numpy")
    size = tensor.element_size()
    elements = torch.zeros(tensor.untyped_storage().nbytes() // size, dtype=torch.bool)
    elements.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).fill_(True)
    return numpy.repeat(elements.numpy(), size)


def _inside(addresses: Any, width: int, base: int, owned: Any) -> Any:
    numpy: Any = importlib.import_module("numpy")
    offsets = addresses.astype(numpy.int64) - base
    inside = (offsets >= 0) & (offsets + width <= owned.size)
    inside[inside] = owned[offsets[inside]] & owned[offsets[inside] + width - 1]
    return inside


def _place(address: int, tensors: dict[str, Any]) -> str:
    if not tensors:
        return "anywhere, for none was named"
    distances = []
    for name, tensor in tensors.items():
        first, end = _span(tensor)
        if address < first:
            distances.append((first - address, f"{first - address:,} bytes before {name}"))
        elif address >= end:
            distances.append((address - end + 1, f"{address - end:,} bytes behind the end of {name}"))
        else:
            distances.append((0, f"between the elements of {name}"))
    return min(distances)[1]


def _forbid_bfloat16_arithmetic() -> None:
    module: Any = _interpreter()
    language: Any = importlib.import_module("triton.language")
    builder = module.interpreter_builder
    if "create_dot" in vars(builder):
        return
    narrow = language.bfloat16

    def forbid(name: str, what: str) -> None:
        original = getattr(builder, name)

        @functools.wraps(original)
        def refusing(*arguments: Any, **named: Any) -> Any:
            if any(
                isinstance(each, module.TensorHandle) and each.dtype.scalar == narrow for each in arguments
            ):
                raise WrongInInterpreter(f"{what} on bfloat16: {ADVICE}")
            return original(*arguments, **named)

        setattr(builder, name, refusing)

    for name, what in (
        ("create_dot", "tl.dot"),
        ("binary_op", "arithmetic or a comparison"),
        ("unary_op", "arithmetic"),
        ("create_idiv", "a division"),
        ("create_fma", "tl.fma"),
        ("create_clampf", "tl.clamp"),
        ("create_rsqrt", "tl.rsqrt"),
        ("create_erf", "tl.erf"),
        ("create_histogram", "tl.histogram"),
    ):
        forbid(name, what)
    builder.cast_impl = functools.partial(_cast, builder.cast_impl)
    builder.create_fp_to_fp = functools.partial(_convert, builder.create_fp_to_fp)

    apply = module.ReduceScanOpInterface.apply

    def refusing_reduction(self: Any, operands: Any) -> Any:
        several = operands if isinstance(operands, tuple) else (operands,)
        if any(each.dtype == narrow for each in several):
            raise WrongInInterpreter(f"a reduction or scan of bfloat16: {ADVICE}")
        return apply(self, operands)

    module.ReduceScanOpInterface.apply = refusing_reduction


def _cast(original: Any, source: Any, kind: Any) -> Any:
    language: Any = importlib.import_module("triton.language")
    module: Any = _interpreter()
    old, new = source.dtype.scalar, kind.scalar
    if (old, new) == (language.bfloat16, language.float32):
        return module.TensorHandle(_widened(source.data), new)
    if (old, new) == (language.float32, language.bfloat16):
        return module.TensorHandle(_rounded(source.data), new)
    if old != new and language.bfloat16 in (old, new):
        raise WrongInInterpreter(f"a cast from {old} to {new}: {ADVICE}")
    return original(source, kind)


def _convert(original: Any, source: Any, kind: Any, rounding: Any) -> Any:
    language: Any = importlib.import_module("triton.language")
    nearest = importlib.import_module("triton._C.libtriton").ir.ROUNDING_MODE.RTNE
    pair = (source.dtype.scalar, kind.scalar)
    if pair == (language.float32, language.bfloat16) and rounding in (None, nearest):
        return _interpreter().interpreter_builder.cast_impl(source, kind)
    return original(source, kind, rounding)


def _widened(bits: Any) -> Any:
    numpy: Any = importlib.import_module("numpy")
    return (bits.astype(numpy.uint32) << 16).view(numpy.float32)


def _rounded(values: Any) -> Any:
    """Bits of the nearest bfloat16, ties to even, as a GPU rounds; NaN stays NaN."""
    numpy: Any = importlib.import_module("numpy")
    bits = numpy.ascontiguousarray(values, dtype=numpy.float32).view(numpy.uint32)
    nearest = ((bits + numpy.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)
    return numpy.where(numpy.isnan(values), numpy.uint16(0x7FC0), nearest)
