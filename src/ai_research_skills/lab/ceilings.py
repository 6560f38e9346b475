"""Measured ceilings: the fastest copy, read and matrix product of the device at hand.

A kernel is held against what the device has been seen to do, in the same minute. On a machine with noisy
neighbours a ceiling from another minute may lie below an honest kernel, which `lab.record` then refuses as
impossible. So let both run in one race, and hold the median of the kernel against the best run of the ceiling.
The kernel itself is never one of the ceiling's ways: a kernel that skips work could then not be found out.

    timings = measure_together({**copy_ways(x, y), "mine": lambda: kernel(x, y)}, device=device)
    ceiling = fastest("memory", timings, copy_ways(x, y), amount=2 * x.nbytes)
    limit = limit_for(device, ceiling)
    record("mine", timings["mine"].rate(2 * x.nbytes) / 1e9, "GB/s", limit=limit.value, limit_name=limit.name)

`measure_copy`, `measure_read` and `measure_matmul` are for a first look at the machine.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ai_research_skills.lab.datasheets import datasheet
from ai_research_skills.lab.device import Device
from ai_research_skills.lab.figures import ImpossibleFigure
from ai_research_skills.lab.timing import Timing, measure_together

HEADROOM = 1.25
"""How far a measured ceiling may pass its datasheet: cards boost above the published clock, not by a quarter."""

_BLOCK = 2**20
"""Random floats that are repeated on a host: drawing 16 million there takes longer than all the copies."""


@dataclass(frozen=True)
class Ceiling:
    """The most that was measured of one resource.

    Attributes:
        resource: `memory`, or the type whose products were counted: `fp32`, `tf32`, `bf16`, `fp16`, `fp8`.
        name: What won: `copy`, `read`, `bf16 product`.
        value: The best run, in `unit`.
        unit: `GB/s` (10^9 bytes) or `TFLOP/s`.
        how: Which way was the fastest, and at which size.
        samples: Runs of the fastest way.
        spread: Half the distance between the 10th and the 90th percentile of those runs, in `unit`.
    """

    resource: str
    name: str
    value: float
    unit: str
    how: str
    samples: int
    spread: float

    def __str__(self) -> str:
        return f"{self.name}: {self.value:,.4g} {self.unit} at best ({self.how}, {self.samples} runs)"


@dataclass(frozen=True)
class Limit:
    """What stands beside a figure: `record(…, limit=limit.value, limit_name=limit.name)`.

    Attributes:
        value: What the figure cannot pass, in `unit`.
        unit: `GB/s` or `TFLOP/s`.
        name: Where the value comes from.
    """

    value: float
    unit: str
    name: str


def limit_for(device: Device, ceiling: Ceiling) -> Limit:
    """The datasheet's limit on the resource of `ceiling`, or the ceiling itself where there is no datasheet.

    The ceiling also stands where it passes the datasheet, as on a card that boosts above the published clock.

    Raises:
        ImpossibleFigure: The ceiling passes the datasheet by more than `HEADROOM`.
    """
    sheet = datasheet(device)
    published = None
    if sheet is not None:
        published = (
            sheet.bandwidth_gb_s if ceiling.resource == "memory" else sheet.tflops.get(ceiling.resource)
        )
    measured = Limit(ceiling.value, ceiling.unit, f"fastest {ceiling.name} on this device")
    if sheet is None or published is None:
        return measured
    if ceiling.value > published * HEADROOM:
        raise ImpossibleFigure(
            f"{ceiling} is above the {published:,.4g} {ceiling.unit} of the {sheet.name} datasheet "
            "→ a measurement bug: was the result waited for, was it in a cache, are the bytes right?"
        )
    if ceiling.value > published:
        return measured
    return Limit(published, ceiling.unit, f"{sheet.name} datasheet")


def fastest(
    resource: str,
    timings: Mapping[str, Timing],
    ways: Iterable[str],
    *,
    amount: float,
    name: str = "copy",
    size: str = "",
) -> Ceiling:
    """The ceiling that the best run of any of `ways` sets.

    Args:
        resource: `memory`, or the type of the products.
        timings: What `measure_together` returned; may hold contestants too.
        ways: Names in `timings` that do nothing but the work itself; a mapping of them will do.
        amount: Bytes or floating-point operations of one run.
        name: What the work is called.
        size: How large it was, for the record.
    """
    way = min(ways, key=lambda each: timings[each].best)
    unit, scale = ("GB/s", 1e9) if resource == "memory" else ("TFLOP/s", 1e12)
    timing = timings[way]
    return Ceiling(
        resource=resource,
        name=name,
        value=amount / timing.best / scale,
        unit=unit,
        how=f"{way}, {size}" if size else way,
        samples=len(timing.samples),
        spread=timing.rate_spread(amount) / scale,
    )


def copy_ways(source: Any, target: Any) -> dict[str, Callable[[], object]]:
    """Several ways to read every element of `source` once and to write every element of `target` once.

    Which one wins differs between devices, and between sizes on one device.
    """
    torch: Any = importlib.import_module("torch")
    return {
        "copy_": lambda: target.copy_(source),
        "neg": lambda: torch.neg(source, out=target),
        "add": lambda: torch.add(source, 1, out=target),
    }


def read_ways(source: Any) -> dict[str, Callable[[], object]]:
    """Several ways to read every element of the one-dimensional `source` once and to write almost nothing."""
    torch: Any = importlib.import_module("torch")
    return {
        "sum": lambda: torch.sum(source),
        "amax": lambda: torch.amax(source),
        "dot": lambda: torch.dot(source, source),
    }


def matmul_ways(a: Any, b: Any, out: Any) -> dict[str, Callable[[], object]]:
    """The vendor's product of two square matrices, with both layouts of the right one."""
    torch: Any = importlib.import_module("torch")
    transposed = b.t()
    return {
        "mm": lambda: torch.mm(a, b, out=out),
        "mm, right matrix transposed": lambda: torch.mm(a, transposed, out=out),
    }


def measure_copy(device: Device, *, size_bytes: int | None = None) -> Ceiling:
    """The fastest copy of `size_bytes`, counting the bytes read and the bytes written.

    Args:
        device: What `discover` returned.
        size_bytes: Bytes of one side; by default 1 GiB on a GPU, or what fits, and 64 MiB on a host. Make it
            larger where the last-level cache is larger than that.
    """
    source = random_values(device, _floats(device, size_bytes))
    torch: Any = importlib.import_module("torch")
    ways = copy_ways(source, torch.empty_like(source))
    timings = measure_together(ways, device=device, budget=device.choose(cpu=0.3, cuda=2.0))
    return fastest("memory", timings, ways, amount=2 * source.nbytes, size=f"{source.nbytes / 2**20:.0f} MiB")


def measure_read(device: Device, *, size_bytes: int | None = None) -> Ceiling:
    """The fastest reduction of `size_bytes`, counting the bytes read. Arguments as in `measure_copy`."""
    source = random_values(device, _floats(device, size_bytes))
    ways = read_ways(source)
    timings = measure_together(ways, device=device, budget=device.choose(cpu=0.3, cuda=2.0))
    size = f"{source.nbytes / 2**20:.0f} MiB"
    return fastest("memory", timings, ways, amount=source.nbytes, name="read", size=size)


def measure_matmul(device: Device, dtype: Any, size: int | None = None) -> Ceiling:
    """The vendor library's fastest product of two `size` x `size` matrices of normal random numbers.

    Zeros would be wrong: a chip that flips fewer bits draws less power and clocks higher.

    Args:
        device: What `discover` returned.
        dtype: `torch.float32` (counted as `tf32` where PyTorch is set to use it), `bfloat16`, `float16`, or
            `float8_e4m3fn`.
        size: Rows and columns; by default 8192 on a GPU and 1024 on a host, 256 for the emulated types there.

    Raises:
        ValueError: `dtype` is none of these.
    """
    torch: Any = importlib.import_module("torch")
    resource = _resource(torch, device, dtype)
    if size is None:
        slow = resource in {"fp16", "fp8"}
        size = device.choose(cpu=256 if slow else 1024, cuda=8192)
    a, b = (random_values(device, size * size).reshape(size, size).to(dtype) for _ in range(2))
    ways: Mapping[str, Callable[[], object]]
    if resource == "fp8":
        one = torch.ones((), device=device.kind)
        # PyTorch has no public product of 8-bit floats; the right matrix has to be column-major.
        ways = {
            "_scaled_mm": lambda: torch._scaled_mm(
                a,
                b.t(),
                scale_a=one,
                scale_b=one,
                out_dtype=torch.bfloat16,
                use_fast_accum=device.kind == "cuda",
            )
        }
    else:
        ways = matmul_ways(a, b, torch.empty_like(a))
    timings = measure_together(ways, device=device, budget=device.choose(cpu=0.3, cuda=2.0))
    name = f"{resource} product"
    return fastest(resource, timings, ways, amount=2.0 * size**3, name=name, size=f"{size:,} x {size:,}")


def random_values(device: Device, count: int) -> Any:
    """`count` normal random float32 on the device; on a host those after the first million repeat."""
    torch: Any = importlib.import_module("torch")
    block = torch.randn(device.choose(cpu=min(count, _BLOCK), cuda=count), device=device.kind)
    return block if block.numel() == count else block.repeat(-(-count // _BLOCK))[:count].clone()


def _floats(device: Device, size_bytes: int | None) -> int:
    default = device.choose(cpu=64 * 2**20, cuda=min(2**30, max(device.memory_bytes // 16, 2**20)))
    return (default if size_bytes is None else size_bytes) // 4


def _resource(torch: Any, device: Device, dtype: Any) -> str:
    if dtype == torch.float32 and device.kind == "cuda":
        return "tf32" if torch.backends.cuda.matmul.fp32_precision == "tf32" else "fp32"
    names = {
        torch.float32: "fp32",
        torch.bfloat16: "bf16",
        torch.float16: "fp16",
        torch.float8_e4m3fn: "fp8",
    }
    if dtype not in names:
        raise ValueError(f"no ceiling for products of {dtype} → choose one of {', '.join(map(str, names))}")
    return names[dtype]
