from dataclasses import replace

import pytest

from ai_research_skills.lab import ceilings
from ai_research_skills.lab.ceilings import (
    Ceiling,
    copy_ways,
    fastest,
    limit_for,
    matmul_ways,
    measure_copy,
    measure_matmul,
    measure_read,
    random_values,
    read_ways,
)
from ai_research_skills.lab.device import Device
from ai_research_skills.lab.figures import ImpossibleFigure, record
from ai_research_skills.lab.timing import Timing, measure_together

torch = pytest.importorskip("torch")

HOST = Device("host", "cpu", 1, 2**30)
H200 = Device("NVIDIA H200", "cuda", 132, 2**37)
COPY = Ceiling("memory", "copy", 4300.0, "GB/s", "copy_, 1,024 MiB", 20, 5.0)


def test_the_best_run_of_any_way_sets_the_ceiling() -> None:
    timings = {"a": Timing((0.5, 0.2, 0.3)), "b": Timing((0.4, 0.25)), "mine": Timing((0.1,))}
    found = fastest("memory", timings, ("a", "b"), amount=2e9, size="1 GiB")
    assert (found.value, found.unit, found.how, found.samples) == (10.0, "GB/s", "a, 1 GiB", 3)
    assert found.spread == pytest.approx(timings["a"].rate_spread(2e9) / 1e9)


def test_products_are_counted_in_tflops() -> None:
    assert fastest("bf16", {"mm": Timing((0.5,))}, ["mm"], amount=4e12).unit == "TFLOP/s"
    assert fastest("bf16", {"mm": Timing((0.5,))}, ["mm"], amount=4e12).value == 8.0


def test_every_way_to_copy_moves_every_element() -> None:
    source = torch.randn(100)
    for name, way in copy_ways(source, target := torch.empty(100)).items():
        target.fill_(float("nan"))
        way()
        expected = {"copy_": source, "neg": -source, "add": source + 1}[name]
        assert torch.equal(target, expected), name


def test_every_way_to_read_depends_on_every_element() -> None:
    for index in (0, 99):
        source = torch.zeros(100)
        ways = read_ways(source)
        source[index] = 2.0
        assert {name: float(way()) for name, way in ways.items()} == {"sum": 2.0, "amax": 2.0, "dot": 4.0}  # type: ignore[arg-type]


def test_both_products_are_products() -> None:
    a, b, out = torch.randn(8, 8), torch.randn(8, 8), torch.empty(8, 8)
    for way, want in zip(matmul_ways(a, b, out).values(), (a @ b, a @ b.t()), strict=True):
        way()
        assert torch.allclose(out, want, atol=1e-5)


@pytest.mark.parametrize("count", [10, 2**20 + 7])
def test_random_values_are_never_constant(count: int) -> None:
    values = random_values(HOST, count)
    assert values.shape == (count,)
    assert values.is_contiguous()
    assert float(values[: 2**20].std()) > 0.1
    assert float(values[-10:].std()) > 0.1


def test_a_copy_counts_both_directions_and_a_read_counts_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ceilings, "measure_together", lambda ways, **_: dict.fromkeys(ways, Timing((1e-3,))))
    assert measure_copy(HOST, size_bytes=10**6).value == pytest.approx(2.0)
    assert measure_read(HOST, size_bytes=10**6).value == pytest.approx(1.0)
    assert measure_matmul(HOST, torch.float32, 100).value == pytest.approx(2e6 / 1e-3 / 1e12)


def test_ceilings_of_this_machine_are_plausible() -> None:
    assert 0.1 < measure_copy(HOST, size_bytes=2**22).value < 10_000
    assert 0.1 < measure_read(HOST, size_bytes=2**22).value < 10_000
    found = [
        measure_matmul(HOST, dtype, 64) for dtype in (torch.float32, torch.bfloat16, torch.float8_e4m3fn)
    ]
    assert [each.resource for each in found] == ["fp32", "bf16", "fp8"]
    assert all(0 < each.value < 1000 for each in found)


def test_a_type_without_products_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        measure_matmul(HOST, torch.int32, 8)


def test_the_datasheet_stands_where_there_is_one() -> None:
    limit = limit_for(H200, COPY)
    assert (limit.value, limit.unit, limit.name) == (4800, "GB/s", "H200 SXM datasheet")
    product = Ceiling("bf16", "bf16 product", 780.0, "TFLOP/s", "mm", 20, 1.0)
    assert limit_for(H200, product).value == 989.5


def test_the_measured_ceiling_stands_elsewhere() -> None:
    limit = limit_for(HOST, COPY)
    assert (limit.value, limit.name) == (4300.0, "fastest copy on this device")
    unlisted = Ceiling("fp8", "fp8 product", 90.0, "TFLOP/s", "mm", 20, 1.0)
    assert limit_for(replace(H200, name="Tesla T4"), unlisted).value == 90.0


def test_a_card_that_boosts_higher_is_held_against_itself_and_a_bug_is_refused() -> None:
    assert limit_for(H200, replace(COPY, value=4900.0)).name == "fastest copy on this device"
    with pytest.raises(ImpossibleFigure, match="H200 SXM datasheet"):
        limit_for(H200, replace(COPY, value=9000.0))


def test_a_kernel_and_its_ceiling_run_in_one_race() -> None:
    x = random_values(HOST, 2**20)
    y = torch.empty_like(x)
    ways = copy_ways(x, y)
    timings = measure_together({**ways, "mine": lambda: torch.mul(x, 2, out=y)}, device=HOST, budget=0.2)
    limit = limit_for(HOST, fastest("memory", timings, ways, amount=2 * x.nbytes))
    mine = timings["mine"].rate(2 * x.nbytes) / 1e9
    figure = record("mine", mine, limit.unit, limit=limit.value, limit_name=limit.name)
    assert figure.fraction is not None
    assert 0 < figure.fraction <= 1.02
