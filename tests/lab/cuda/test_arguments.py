import ctypes
from typing import Any

import numpy as np
import pytest

from ai_research_skills.lab.cuda.arguments import check
from ai_research_skills.lab.cuda.gpu import architecture, values
from ai_research_skills.lab.cuda.signature import parameters_of

TEXT = "__global__ void k(const float* x, float4* out, int n, float a, half h, bool flag) {}"
PARAMETERS = parameters_of(TEXT, "k")


def good() -> list[Any]:
    return [np.zeros(8, "float32"), np.zeros(8, "float32"), 8, 1.5, 2.0, True]


@pytest.mark.parametrize(
    ("place", "value", "error", "message"),
    [
        (0, np.zeros(8), ValueError, r"`float\* x` of k points to float32, not float64"),
        (0, 3.0, TypeError, r"`float\* x` of k is a pointer, not float"),
        (0, np.zeros((4, 4), "float32")[:, 1], ValueError, "not contiguous"),
        (0, np.zeros(0, "float32"), ValueError, "empty"),
        (
            1,
            np.zeros(7, "float32"),
            ValueError,
            r"`float4\* out` of k reads 16 bytes at a time, but the array has 28",
        ),
        (2, 2.5, TypeError, "`int n` of k is a whole number, not 2.5"),
        (2, 2**31, ValueError, "`int n` of k cannot hold 2147483648"),
        (3, np.zeros(2, "float32"), TypeError, "`float a` of k is a number, not ndarray"),
        (4, 1e6, ValueError, "`half h` of k cannot hold"),
    ],
)
def test_a_wrong_argument_is_named(place: int, value: Any, error: type[Exception], message: str) -> None:
    arguments = good()
    arguments[place] = value
    with pytest.raises(error, match=message):
        check("k", PARAMETERS, arguments)


def test_a_wrong_count_lists_the_parameters() -> None:
    with pytest.raises(
        ValueError, match=r"k takes 6 arguments \(float\* x, float4\* out, int n, .*\), not 5"
    ):
        check("k", PARAMETERS, good()[:5])


def test_a_view_at_an_odd_address_is_no_vector() -> None:
    whole = np.zeros(64, "float32")
    start = (-whole.ctypes.data // 4) % 4
    with pytest.raises(ValueError, match="multiple of 16 bytes"):
        check("k", PARAMETERS, [good()[0], whole[start + 1 : start + 9], *good()[2:]])


def test_the_gpu_gets_each_number_in_its_own_type() -> None:
    handler = pytest.importorskip("cuda.core._kernel_arg_handler", reason="cuda-core is for Linux")
    arguments = good()
    holder = handler.ParamHolder(values(check("k", PARAMETERS, arguments)))
    places = (ctypes.c_void_p * 6).from_address(holder.ptr)
    assert ctypes.c_uint64.from_address(places[0]).value == arguments[0].ctypes.data
    assert ctypes.c_int32.from_address(places[2]).value == 8
    assert ctypes.c_float.from_address(places[3]).value == 1.5
    assert ctypes.c_uint16.from_address(places[4]).value == 0x4000
    assert ctypes.c_bool.from_address(places[5]).value is True


def test_architectures_of_devices() -> None:
    assert [architecture(each) for each in ((8, 9), (9, 0), (10, 0))] == ["sm_89", "sm_90a", "sm_100a"]
