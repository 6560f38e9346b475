import contextlib
import sys
import time
import types
from collections.abc import Iterator

import pytest

from ai_research_skills.lab.device import Device
from ai_research_skills.lab.timing import Timing, measure, measure_together

HOST = Device("host", "cpu", 1, 1)
GPU = Device("NVIDIA H200", "cuda", 132, 1)


def test_quantiles_of_a_known_sample() -> None:
    timing = Timing((5.0, 1.0, 3.0, 2.0, 4.0))
    assert (timing.best, timing.median) == (1.0, 3.0)
    assert (timing.low, timing.high) == (pytest.approx(1.4), pytest.approx(4.6))
    assert timing.rate(6) == 2.0
    assert timing.rate_spread(6) == pytest.approx((6 / 1.4 - 6 / 4.6) / 2)


@pytest.mark.parametrize("samples", [(), (1.0, 0.0)])
def test_impossible_samples_are_refused(samples: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Timing(samples)


def test_warmup_is_not_timed() -> None:
    calls: list[int] = []
    timing = measure(lambda: calls.append(1), device=HOST, repeats=7, warmup=3)
    assert len(timing.samples) == 7
    assert len(calls) == 10


def test_the_budget_stops_after_five() -> None:
    timing = measure(lambda: sum(range(2000)), device=HOST, repeats=50, warmup=0, budget=0.0)
    assert len(timing.samples) == 5


def test_functions_take_turns() -> None:
    order: list[str] = []
    timings = measure_together(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, device=HOST, repeats=3, warmup=0
    )
    assert order == ["a", "b"] * 3
    assert set(timings) == {"a", "b"}


def test_nothing_to_time_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to time"):
        measure_together({}, device=HOST)


def test_inner_runs_are_averaged() -> None:
    calls: list[int] = []
    timing = measure(
        lambda: (calls.append(1), time.sleep(2e-3)), device=HOST, repeats=3, warmup=1, budget=0.0, inner=4
    )
    assert len(calls) == 1 + 3 * 4
    assert 2e-3 <= timing.best < 8e-3


def test_no_inner_run_is_refused() -> None:
    with pytest.raises(ValueError, match="one inner run"):
        measure(lambda: None, device=HOST, inner=0)


class FakeTorch:
    """A GPU whose every kernel takes a millisecond, and which runs only while its clock is asked."""

    uint8 = "uint8"

    def __init__(self) -> None:
        self.launched: list[str] = []
        self.recording: list[str] | None = None
        fake = self

        class Event:
            def __init__(self, *, enable_timing: bool) -> None:
                assert enable_timing

            def record(self) -> None:
                self.at = len(fake.launched)

            def synchronize(self) -> None: ...

            def elapsed_time(self, end: "Event") -> float:
                return float(end.at - self.at)

        class Graph:
            kernels: list[str]

            def replay(self) -> None:
                fake.launched += self.kernels

        @contextlib.contextmanager
        def graph(into: Graph) -> Iterator[None]:
            fake.recording = into.kernels = []
            yield
            fake.recording = None

        self.cuda = types.SimpleNamespace(Event=Event, CUDAGraph=Graph, graph=graph, synchronize=lambda: None)

    def launch(self, kernel: str) -> None:
        (self.launched if self.recording is None else self.recording).append(kernel)

    def empty(self, size: int, **_: object) -> types.SimpleNamespace:
        return types.SimpleNamespace(zero_=lambda: self.launch(f"flush {size >> 20} MiB"))


@pytest.mark.parametrize("graph", [False, True])
def test_on_a_gpu_only_the_kernels_are_between_the_events(
    graph: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, launches = FakeTorch(), 0

    def function() -> None:
        nonlocal launches
        launches += 1
        fake.launch("kernel")

    monkeypatch.setitem(sys.modules, "torch", fake)  # type: ignore[arg-type]
    timing = measure(function, device=GPU, repeats=3, warmup=2, inner=5, graph=graph)
    assert timing.samples == (1e-3, 1e-3, 1e-3)
    assert fake.launched.count("flush 256 MiB") == 3
    assert fake.launched[-6:] == ["flush 256 MiB", *["kernel"] * 5]
    assert launches == 2 + (5 if graph else 3 * 5)
