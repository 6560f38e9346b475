import math
from typing import Any

import pytest

from ai_research_skills.lab.correctness import (
    Error,
    StrayStore,
    poisoned,
    poisoned_like,
    run_poisoned,
    unit_roundoff,
    unwritten,
    worst,
)

torch = pytest.importorskip("torch")


def doubles(*values: float) -> Any:
    return torch.tensor(values, dtype=torch.float64)


def test_the_worst_element_is_found_and_related_to_the_largest_reference() -> None:
    reference = doubles(1.0, -8.0, 0.0, 2.0).reshape(2, 2)
    result = reference + doubles(0.0, 0.5, -1.0, 0.25).reshape(2, 2)
    assert worst(result.float(), reference) == Error(1.0, 0.125, (1, 0))


def test_the_error_is_computed_in_float64() -> None:
    reference = doubles(2.0**24 + 1)
    assert worst(reference.float(), reference).absolute == 1.0
    assert worst(reference, reference) == Error(0.0, 0.0, (0,))


@pytest.mark.parametrize(("result", "reference"), [(math.nan, 1.0), (math.nan, math.nan), (math.inf, 1.0)])
def test_nan_and_stray_infinities_are_infinitely_wrong(result: float, reference: float) -> None:
    found = worst(doubles(0.0, result), doubles(0.0, reference))
    assert (found.absolute, found.where) == (math.inf, (1,))


def test_equal_infinities_agree_and_do_not_set_the_scale() -> None:
    found = worst(doubles(-math.inf, 4.5), doubles(-math.inf, 4.0))
    assert found == Error(0.5, 0.125, (1,))
    assert worst(doubles(math.inf), doubles(-math.inf)).absolute == math.inf


def test_a_reference_of_zeros_leaves_no_relative_error_but_none_or_infinite() -> None:
    assert worst(doubles(0.0), doubles(0.0)).relative == 0.0
    assert worst(doubles(1e-9), doubles(0.0)).relative == math.inf


@pytest.mark.parametrize(
    ("result", "reference", "message"),
    [
        (torch.zeros(2, 1), torch.zeros(2, dtype=torch.float64), "shape"),
        (torch.zeros(0), torch.zeros(0, dtype=torch.float64), "at least one element"),
        (torch.zeros(2), torch.zeros(2), "float64"),
    ],
)
def test_what_cannot_be_compared_is_refused(result: Any, reference: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        worst(result, reference)


def test_integers_are_compared_exactly() -> None:
    assert worst(torch.tensor([3, 5], dtype=torch.uint8), torch.tensor([3, 6])).absolute == 1.0


def test_unit_roundoff() -> None:
    assert unit_roundoff(torch.float32) == 2.0**-24
    assert unit_roundoff(torch.float16) == 2.0**-11
    assert unit_roundoff(torch.bfloat16) == 2.0**-8
    assert unit_roundoff(torch.float8_e4m3fn) == 2.0**-4


@pytest.mark.parametrize(
    "dtype",
    [
        torch.float64,
        torch.float32,
        torch.bfloat16,
        torch.float16,
        torch.float8_e4m3fn,
        torch.float8_e5m2,
        torch.int8,
        torch.uint8,
        torch.int32,
        torch.int64,
    ],
)
def test_every_element_not_written_is_counted(dtype: Any) -> None:
    out = poisoned((3, 4), dtype)
    assert unwritten(out) == 12
    out[1] = 1
    assert unwritten(out) == 8


def test_poison_keeps_shape_type_and_strides() -> None:
    like = torch.zeros(2, 3, dtype=torch.float16).t()
    out = poisoned_like(like)
    assert (out.shape, out.dtype, out.stride(), unwritten(out)) == (like.shape, like.dtype, like.stride(), 6)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float4_e2m1fn_x2])
def test_a_type_without_a_spare_value_is_refused(dtype: Any) -> None:
    with pytest.raises(ValueError, match="no value to spare"):
        poisoned((2,), dtype)


@pytest.mark.parametrize("pad", [0, 3])
def test_a_kernel_that_keeps_to_its_output_gets_it_back(pad: int) -> None:
    out = run_poisoned(lambda out: out[..., :4].fill_(2.0), (2, 3, 5), torch.float16, pad=pad)
    assert out.shape == (2, 3, 5)
    assert out.is_contiguous() == (pad == 0)
    assert out[..., :4].eq(2.0).all()
    assert unwritten(out) == 2 * 3


def test_a_guarded_output_is_as_aligned_as_vector_loads_need() -> None:
    assert run_poisoned(lambda out: out.zero_(), (4, 4), torch.float32).data_ptr() % 64 == 0


def test_a_store_behind_the_end_is_caught() -> None:
    def kernel(out: Any) -> None:
        out.as_strided((13,), (1,), out.storage_offset()).fill_(0.0)

    with pytest.raises(StrayStore, match=r"1 elements outside the \(3, 4\) output .* element 12"):
        run_poisoned(kernel, (3, 4), torch.float32)


def test_a_store_before_the_start_is_caught_even_if_it_is_nan() -> None:
    def kernel(out: Any) -> None:
        out.as_strided((1,), (1,), out.storage_offset() - 1).fill_(math.nan)

    with pytest.raises(StrayStore, match="element -1"):
        run_poisoned(kernel, (3, 4), torch.float32)


def test_a_store_behind_a_row_is_caught_by_padding() -> None:
    def kernel(out: Any) -> None:
        out.as_strided((3, 5), out.stride(), out.storage_offset()).fill_(0.0)

    with pytest.raises(StrayStore, match=r"3 elements .* row 0, column 4"):
        run_poisoned(kernel, (3, 4), torch.float32, pad=2)


def test_a_stray_store_is_caught_by_a_single_changed_byte() -> None:
    def kernel(out: Any) -> None:
        out.as_strided((5,), (1,), out.storage_offset()).fill_(0xA5)

    with pytest.raises(StrayStore):
        run_poisoned(kernel, (4,), torch.int32)
