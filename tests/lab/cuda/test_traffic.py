from typing import Any

import numpy as np
import pytest

from ai_research_skills.lab.cuda import Source, Traffic

COPY = """template <int STRIDE>
__global__ void strided(const float* x, float* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    out[i] = x[i * STRIDE];
}

__global__ void vectors(const float4* x, float4* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float4 v = x[i];
    v.x += v.w;
    out[i] = v;
}

__global__ void on_stack(const float* x, float* out, int n) {
    float many[64];
    for (int i = 0; i < 64; ++i) many[(i * 7 + n) % 64] = x[i];
    out[threadIdx.x] = many[(threadIdx.x * n) % 64];
}

__global__ void count(int* out) { atomicAdd(out, 1); }
"""

TRANSPOSE = """template <int WIDTH>
__global__ void transpose(const float* x, float* out) {
    __shared__ float tile[32][WIDTH];
    tile[threadIdx.y][threadIdx.x] = x[threadIdx.y * 32 + threadIdx.x];
    __syncthreads();
    out[threadIdx.y * 32 + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}

__global__ void wide(float* out) {
    __shared__ float4 tile[64];
    tile[threadIdx.x] = make_float4(1, 2, 3, 4);
    __syncwarp();
    float4 v = tile[0];
    out[threadIdx.x] = v.x + tile[2 * threadIdx.x].y;
}
"""


def trace(text: str, kernel: str, grid: Any, block: Any, *arguments: Any) -> Traffic:
    return Source(text).trace(kernel, grid=grid, block=block, arguments=arguments)


def zeros(count: int) -> Any:
    return np.zeros(count, "float32")


@pytest.mark.parametrize(("stride", "sectors"), [(1, 4), (2, 8), (32, 32)])
def test_a_stride_costs_sectors(stride: int, sectors: int) -> None:
    traffic = trace(COPY, f"strided<{stride}>", 2, 64, zeros(128 * stride), zeros(128))
    load, store = traffic.by_line(4)
    assert (load.kind, load.space, load.where, load.requests, load.bytes) == ("load", "global", "x", 4, 512)
    assert load.per_request == sectors
    assert load.efficiency == 4 / sectors
    assert (store.kind, store.where, store.per_request) == ("store", "out", 4)
    assert traffic.global_bytes_moved == 4 * (sectors + 4) * 32
    assert load.code == "out[i] = x[i * STRIDE];"


def test_four_floats_are_one_access() -> None:
    traffic = trace(COPY, "vectors", 1, 64, zeros(256), zeros(256))
    assert [(each.line, each.kind, each.requests, each.per_request) for each in traffic.accesses] == [
        (9, "load", 2, 16),
        (11, "store", 2, 16),
    ]
    assert traffic.global_sectors_per_request == 16


def test_the_stack_of_a_thread_does_not_count() -> None:
    traffic = trace(COPY, "on_stack", 1, 32, zeros(64), zeros(32), 3)
    assert {(each.where, each.requests, each.per_request) for each in traffic.accesses} == {
        ("x", 64, 1),
        ("out", 1, 4),
    }


def test_an_atomic_is_one_request() -> None:
    (access,) = trace(COPY, "count", 1, 32, np.zeros(1, "int32")).accesses
    assert (access.kind, access.requests, access.transactions) == ("atomic", 1, 1)


@pytest.mark.parametrize(("width", "conflicts"), [(32, 31), (33, 0)])
def test_a_column_of_a_tile_meets_in_one_bank(width: int, conflicts: int) -> None:
    traffic = trace(TRANSPOSE, f"transpose<{width}>", 1, (32, 32), zeros(1024), zeros(1024))
    (column,) = (each for each in traffic.by_line(6) if each.space == "shared")
    assert (column.where, column.requests) == ("tile", 32)
    assert column.conflicts_per_request == conflicts
    assert traffic.shared_conflicts == 32 * conflicts
    assert traffic.global_sectors_per_request == 4


def test_wide_accesses_are_served_in_parts() -> None:
    traffic = trace(TRANSPOSE, "wide", 1, 32, zeros(32))
    (store,) = traffic.by_line(11)
    assert (store.transactions, store.conflicts) == (4, 0)
    strided = max(
        (each for each in traffic.by_line(14) if each.space == "shared"), key=lambda each: each.transactions
    )
    assert strided.conflicts_per_request == 7, (
        "32 lanes, 32 bytes apart: four distinct banks, eight words in each"
    )
