"""Timing that survives a second look: medians with their spread, a cold cache, the device waited for."""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ai_research_skills.lab.device import Device

FLUSH_BYTES = 256 * 2**20
"""Bytes written between two runs on a GPU; several times the second-level cache of any GPU we know."""

FEWEST_SAMPLES = 5


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs of one function, sorted.

    Attributes:
        samples: Seconds of each run, ascending; at least one.
    """

    samples: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.samples or min(self.samples) <= 0:
            raise ValueError(f"a timing needs positive samples, not {self.samples}")
        object.__setattr__(self, "samples", tuple(sorted(self.samples)))

    @property
    def median(self) -> float:
        """Seconds; half of the runs took longer."""
        return statistics.median(self.samples)

    @property
    def best(self) -> float:
        """Seconds of the fastest run: what the hardware can do, so this is what ceilings are made of."""
        return self.samples[0]

    @property
    def low(self) -> float:
        """Seconds; one run in ten was faster."""
        return self._quantile(0.1)

    @property
    def high(self) -> float:
        """Seconds; one run in ten was slower."""
        return self._quantile(0.9)

    def rate(self, amount: float) -> float:
        """`amount` per second at the median."""
        return amount / self.median

    def rate_spread(self, amount: float) -> float:
        """Half the distance between the rates at `low` and at `high`."""
        return (amount / self.low - amount / self.high) / 2

    def _quantile(self, share: float) -> float:
        place = share * (len(self.samples) - 1)
        below = int(place)
        above = min(below + 1, len(self.samples) - 1)
        return self.samples[below] + (place - below) * (self.samples[above] - self.samples[below])


def measure(
    function: Callable[[], object],
    *,
    device: Device,
    repeats: int = 20,
    warmup: int = 2,
    budget: float = 2.0,
    inner: int = 1,
    graph: bool = False,
) -> Timing:
    """Time `function`, which takes no arguments and enqueues all its work on the current stream.

    On a GPU each run is timed by a pair of CUDA events after 256 MiB were overwritten, so that it finds a
    cold second-level cache and the launch of the first kernel is hidden behind that write. On a host it is
    `time.perf_counter`, without a flush: make the data larger than the last-level cache.

    CUDA events resolve about 0.5 microseconds
    (https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__EVENT.html), so a kernel of a few microseconds
    needs `inner` runs between two events. Only the first of them finds a cold cache. If launching takes longer
    than running, what is measured is the host: `graph=True` records the runs once and replays them.

    Args:
        function: The work.
        device: What `discover` returned.
        repeats: Most runs that are timed; at least one.
        warmup: Runs before the first timed one, for compilation and page faults.
        budget: Seconds after which no further run starts once there are five.
        inner: Runs of `function` per sample; the sample is their mean.
        graph: On a GPU, replay the `inner` runs as one CUDA graph. `function` must then not wait for the device,
            and must find everything compiled after `warmup` runs; on a host this changes nothing.
    """
    timings = measure_together(
        {"": function},
        device=device,
        repeats=repeats,
        warmup=warmup,
        budget=budget,
        inner=inner,
        graph=graph,
    )
    return timings[""]


def measure_together(
    functions: Mapping[str, Callable[[], object]],
    *,
    device: Device,
    repeats: int = 20,
    warmup: int = 2,
    budget: float = 2.0,
    inner: int = 1,
    graph: bool = False,
) -> dict[str, Timing]:
    """Time several functions in turn, run by run, so that a slow moment of the machine meets all of them.

    This is how a thing is compared with its ceiling: both see the same neighbours and the same clocks.

    Args:
        functions: The work under the name of its timing.
        device: What `discover` returned.
        repeats: Most rounds that are timed; at least one.
        warmup: Untimed rounds before them.
        budget: Seconds after which no further round starts once there are five.
        inner: As in `measure`.
        graph: As in `measure`.
    """
    if min(repeats, inner) < 1 or not functions:
        raise ValueError("nothing to time → give at least one function, one repeat and one inner run")
    once = _cuda_timer() if device.kind == "cuda" else _host_seconds
    for _ in range(warmup):
        for function in functions.values():
            function()
    record = _recorded if graph and device.kind == "cuda" else _repeated
    batches = {name: record(function, inner) for name, function in functions.items()}
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    start = time.perf_counter()
    for done in range(repeats):
        if done >= FEWEST_SAMPLES and time.perf_counter() - start > budget:
            break
        for name, batch in batches.items():
            seconds[name].append(once(batch) / inner)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def _repeated(function: Callable[[], object], times: int) -> Callable[[], object]:
    if times == 1:
        return function

    def batch() -> None:
        for _ in range(times):
            function()

    return batch


def _recorded(function: Callable[[], object], times: int) -> Callable[[], object]:
    """A CUDA graph of `times` runs, and the call that replays it."""
    torch: Any = importlib.import_module("torch")
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(times):
            function()
    graph.replay()
    replay: Callable[[], object] = graph.replay
    return replay


def _host_seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _cuda_timer() -> Callable[[Callable[[], object]], float]:
    torch: Any = importlib.import_module("torch")
    cache = torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")

    def seconds(function: Callable[[], object]) -> float:
        start = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        cache.zero_()
        start.record()
        function()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / 1e3

    return seconds
