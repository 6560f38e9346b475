from typing import Any

import numpy as np
import pytest

from ai_research_skills.lab.cuda import Finding, Source

REVERSE = """__global__ void reverse(const float* x, float* out, int n) {
    __shared__ float tile[64];
    int i = threadIdx.x;
    if (i < n) tile[i] = x[i];
    SYNC;
    if (i < n) out[i] = tile[63 - i];
}
"""

BLOCKS = """__global__ void mark(int* out) {
    __shared__ int tile[32];
    tile[threadIdx.x] = threadIdx.x;
    __syncwarp();
    MARK;
    if (threadIdx.x == 0) tile[0] = tile[31];
}
"""

GUARD = """__global__ void scale(const float* x, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i GUARD n) {
        float value = 2.0f * x[i % 1000];
        out[i] = value;
    }
}
"""

ROWS = """__global__ void rows(float* out) {
    __shared__ float tile[4][33];
    for (int i = threadIdx.x; i < WIDTH; i += 32) tile[1][i] = 0.0f;
    __syncwarp();
    out[threadIdx.x] = tile[1][threadIdx.x];
}
"""


def races(text: str, kernel: str, grid: int, block: int, *arguments: Any) -> tuple[Finding, ...]:
    return Source(text).find_races(kernel, grid=grid, block=block, arguments=arguments)


def test_a_missing_barrier_is_a_race_on_the_tile() -> None:
    x, out = np.ones(64, "float32"), np.zeros(64, "float32")
    (found,) = races(REVERSE.replace("SYNC", ""), "reverse", 1, 64, x, out, 64)
    assert (found.kind, found.where) == ("race", "tile")
    assert {found.line} <= {4, 6}
    assert "line 4" in found.message
    assert "line 6" in found.message
    assert "tile" in found.code
    assert (out == 0).all(), "a check leaves the arguments alone"


WARP_SUM = """__global__ void warp_sum(const float* x, float* sums) {
    float sum = x[blockIdx.x * 64 + threadIdx.x];
    for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
    if (threadIdx.x % 32 == 0) sums[blockIdx.x * 2 + threadIdx.x / 32] = sum;
}
"""


def test_a_shuffle_needs_no_barrier() -> None:
    assert races(WARP_SUM, "warp_sum", 20, 64, np.ones(1280, "float32"), np.zeros(40, "float32")) == ()


def test_a_barrier_mends_it_in_every_block() -> None:
    x, out = np.ones(64, "float32"), np.zeros((20, 64), "float32")
    clean = REVERSE.replace("SYNC", "__syncthreads()").replace("out[i]", "out[64 * blockIdx.x + i]")
    assert races(clean, "reverse", 20, 64, x, out, 64) == ()


def test_a_warp_barrier_orders_its_own_warp_only() -> None:
    x, out = np.ones(64, "float32"), np.zeros(64, "float32")
    (found,) = races(REVERSE.replace("SYNC", "__syncwarp()"), "reverse", 1, 64, x, out, 64)
    assert found.where == "tile"
    small = REVERSE.replace("SYNC", "__syncwarp()").replace("63 - i", "31 - i")
    assert races(small, "reverse", 1, 32, x, out, 32) == ()


@pytest.mark.parametrize("mark", ["out[0] = 1", "out[0] += 1"])
def test_two_blocks_that_write_one_element_race(mark: str) -> None:
    text = BLOCKS.replace("MARK", f"if (threadIdx.x == 5) {mark}")
    found = races(text, "mark", 2, 32, np.zeros(4, "int32"))
    assert {(each.where, each.line) for each in found} == {("out", 5)}
    assert "nothing orders two blocks" in found[0].message


def test_the_size_of_blocks_hides_no_race() -> None:
    x = np.ones(1024, "float32")
    for threads in (256, 1024):
        text = REVERSE.replace("tile[64]", "tile[1024]").replace("63 - i", f"{threads - 1} - i")
        late = text.replace("SYNC", "__syncthreads(); if (i > 0) tile[i] += 1.0f")
        (found,) = races(late, "reverse", 1, threads, x, np.zeros(1024, "float32"), threads)
        assert found.where == "tile"
        assert found.line in {5, 6}
    text = BLOCKS.replace("tile[32]", "tile[512]").replace("__syncwarp()", "__syncthreads()")
    assert {
        each.where
        for each in races(text.replace("MARK", "out[0] += 1"), "mark", 4, 512, np.zeros(4, "int32"))
    } == {"out"}


def test_a_block_after_a_barrier_may_write_what_it_read() -> None:
    text = """__global__ void shift(float* x) {
    for (int round = 0; round < 3; ++round) {
        float next = x[(threadIdx.x + 1) % 256];
        __syncthreads();
        x[threadIdx.x] = next;
        __syncthreads();
    }
}
"""
    assert races(text, "shift", 1, 256, np.arange(256, dtype="float32")) == ()
    once = text.replace("        __syncthreads();\n    }", "    }")
    (found,) = races(once, "shift", 1, 256, np.arange(256, dtype="float32"))
    assert found.where == "x"
    assert "what block (0, 0, 0) thread" in found.message


def test_the_lanes_of_a_shuffle_are_ordered_through_it() -> None:
    text = """__global__ void pass(int* x) {
    if (threadIdx.x == 3) x[0] = 1;
    int one = __shfl_sync(0xffffffff, 1, 3);
    if (threadIdx.x == READER) x[1] = x[0] + one;
}
"""
    assert races(text.replace("READER", "9"), "pass", 1, 64, np.zeros(2, "int32")) == ()
    (found,) = races(text.replace("READER", "40"), "pass", 1, 64, np.zeros(2, "int32"))
    assert (found.where, found.line) == ("x", 4)


def test_neighbouring_bytes_do_not_race() -> None:
    text = """__global__ void bytes(unsigned char* x) {
    x[threadIdx.x OFFSET] = threadIdx.x;
}
"""
    assert races(text.replace("OFFSET", ""), "bytes", 1, 64, np.zeros(64, "uint8")) == ()
    assert races(text.replace("OFFSET", "/ 2"), "bytes", 1, 64, np.zeros(64, "uint8"))


def test_a_variable_of_the_device_is_watched_too() -> None:
    text = """__device__ int counter;
__global__ void count(int* out) {
    counter += 1;
    out[blockIdx.x] = 1;
}
"""
    found = races(text, "count", 2, 1, np.zeros(2, "int32"))
    assert [each.line for each in found] == [3]


def test_atomics_do_not_race() -> None:
    assert races(BLOCKS.replace("MARK", "atomicAdd(out, 1)"), "mark", 30, 32, np.zeros(4, "int32")) == ()


def test_an_atomic_and_a_plain_read_race() -> None:
    text = BLOCKS.replace("MARK", "if (threadIdx.x == 3) atomicAdd(out, 1); else if (out[0] > 9) out[1] = 7")
    assert {each.where for each in races(text, "mark", 1, 32, np.zeros(4, "int32"))} == {"out"}


@pytest.mark.parametrize(("guard", "count"), [("<=", 1), ("<", 0)])
def test_one_thread_too_many_writes_after_the_end(guard: str, count: int) -> None:
    found = Source(GUARD.replace("GUARD", guard)).find_bad_accesses(
        "scale", grid=4, block=256, arguments=[np.ones(1000, "float32"), np.zeros(1000, "float32"), 1000]
    )
    assert len(found) == count
    for each in found:
        assert (each.kind, each.where, each.line) == ("out of bounds", "out", 5)
        assert each.message == "write of size 4, 0 bytes after the 4000-byte argument `out`"
        assert each.code == "out[i] = value;"


@pytest.mark.parametrize(("width", "lines"), [("33", []), ("34", [3])])
def test_a_column_too_many_in_a_shared_row(width: str, lines: list[int]) -> None:
    found = Source(ROWS.replace("WIDTH", width)).find_bad_accesses(
        "rows", grid=2, block=32, arguments=[np.zeros(32, "float32")]
    )
    assert [each.line for each in found] == lines


def test_a_shared_array_that_is_too_small() -> None:
    text = (
        REVERSE.replace("tile[64]", "tile[60]").replace("63 - i", "i % 60").replace("tile[i]", "*(tile + i)")
    )
    (found,) = Source(text.replace("SYNC", "__syncthreads()")).find_bad_accesses(
        "reverse", grid=1, block=64, arguments=[np.ones(64, "float32"), np.zeros(64, "float32"), 64]
    )
    assert (found.where, found.line) == ("tile", 4)
    assert found.message == "write of size 4, 0 bytes after the 240-byte variable `tile`"


def test_an_address_far_from_everything_names_its_line() -> None:
    text = "__global__ void wild(float* x, long long far) {\n    x[0] = 1;\n    x[far] = 2;\n}\n"
    (found,) = Source(text).find_bad_accesses(
        "wild", grid=1, block=1, arguments=[np.zeros(1, "float32"), 1 << 45]
    )
    assert found.line == 3
    assert "far from every array" in found.message
