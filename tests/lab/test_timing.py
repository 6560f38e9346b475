import pytest

from ai_research_skills.lab.device import Device
from ai_research_skills.lab.timing import Timing, measure, measure_together

HOST = Device("host", "cpu", 1, 1)


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
