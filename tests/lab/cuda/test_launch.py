from typing import Any

import numpy as np
import pytest
import torch

from ai_research_skills.lab.cuda import CompileError, KernelError, Source

SOURCE = Source(
    r"""#include <cuda_fp16.h>

__global__ void add(const float* x, const float* y, float* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = x[i] + y[i];
}

__global__ void where(int* out, int width, int height) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < width && y < height) out[y * width + x] = 1000 * y + x;
}

template <int T>
__global__ void __launch_bounds__(T * T) sgemm(const float* __restrict__ a, const float* __restrict__ b, float* c, int n) {
    __shared__ float ta[T][T];
    __shared__ float tb[T][T];
    int row = blockIdx.y * T + threadIdx.y, col = blockIdx.x * T + threadIdx.x;
    float sum = 0.0f;
    for (int k = 0; k < n; k += T) {
        ta[threadIdx.y][threadIdx.x] = a[row * n + k + threadIdx.x];
        tb[threadIdx.y][threadIdx.x] = b[(k + threadIdx.y) * n + col];
        __syncthreads();
        for (int i = 0; i < T; ++i) sum += ta[threadIdx.y][i] * tb[i][threadIdx.x];
        __syncthreads();
    }
    c[row * n + col] = sum;
}

__global__ void total(const int* x, int* out, int n) {
    extern __shared__ int sums[];
    int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int sum = i < n ? x[i] : 0;
    for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
    if (lane == 0) sums[warp] = sum;
    __syncthreads();
    if (warp == 0) {
        sum = lane < blockDim.x / 32 ? sums[lane] : 0;
        sum = __reduce_add_sync(0xffffffff, sum);
        if (lane == 0) atomicAdd(out, sum);
    }
}

__global__ void warp(int* out) {
    int lane = threadIdx.x;
    out[lane] = __shfl_xor_sync(0xffffffff, lane, 5);
    out[32 + lane] = __shfl_up_sync(0xffffffff, lane, 3, 8);
    out[64 + lane] = __ballot_sync(0xffffffff, lane % 3 == 0);
    if (lane < 16) out[96 + lane] = __shfl_sync(0x0000ffff, lane, lane + 1, 16);
    else out[96 + lane] = __any_sync(0xffff0000, lane == 20);
}

__global__ void halve(const half* x, half* out, float4* sums, int n) {
    int i = threadIdx.x;
    out[i] = __float2half(__half2float(x[i]) * 0.5f);
    float4 v = sums[i];
    v.y += __expf(v.x);
    sums[i] = v;
}

__global__ void unequal(int* out) {
    if (threadIdx.x < 16) {
        __syncthreads();
    }
    out[threadIdx.x] = 1;
}

__global__ void torn(int* out) {
    if (threadIdx.x % 2) out[threadIdx.x] = __shfl_sync(0xffffffff, 1, 0);
    else __syncthreads();
}

__global__ void unset(float* out) {
    __shared__ float tile[32];
    if (out[0] > 0) tile[threadIdx.x] = 1;
    out[threadIdx.x] = tile[threadIdx.x];
}

__global__ void said() { if (threadIdx.x == 1) printf("block %d\n", blockIdx.x); }

__global__ void crash(float* out) { out[1l << 40] = 0; }
"""
)


def launch(kernel: str, grid: Any, block: Any, *arguments: Any, shared_bytes: int = 0) -> None:
    SOURCE.launch(
        kernel, grid=grid, block=block, arguments=arguments, device="cpu", shared_bytes=shared_bytes
    )


def test_a_guard_leaves_the_rest_alone() -> None:
    x, y, out = torch.rand(1000), torch.rand(1000), torch.full((1024,), -1.0)
    launch("add", 4, 256, x, y, out, 1000)
    assert torch.equal(out[:1000], x + y)
    assert (out[1000:] == -1).all()


def test_a_grid_of_two_dimensions() -> None:
    out = np.zeros((5, 7), "int32")
    launch("where", (2, 3), (4, 2), out, 7, 5)
    assert (out == 1000 * np.arange(5)[:, None] + np.arange(7)).all()


@pytest.mark.parametrize("tile", [8, 16])
def test_a_tiled_product(tile: int) -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.random((64, 64), "float32") for _ in range(2))
    c = np.empty_like(a)
    launch(f"sgemm<{tile}>", (64 // tile, 64 // tile), (tile, tile), a, b, c, 64)
    exact = a.astype("float64") @ b.astype("float64")
    assert np.linalg.norm(c - exact) / np.linalg.norm(exact) < 1e-6


def test_shuffles_dynamic_shared_memory_and_atomics() -> None:
    x, out = torch.arange(1000, dtype=torch.int32), torch.zeros(1, dtype=torch.int32)
    launch("total", 8, 128, x, out, 1000, shared_bytes=4 * 4)
    assert out.item() == 999 * 500


def test_every_lane_hears_the_right_one() -> None:
    out = np.zeros(128, "int32")
    launch("warp", 1, 32, out)
    lane = np.arange(32)
    assert (out[:32] == lane ^ 5).all()
    assert (out[32:64] == np.where(lane % 8 >= 3, lane - 3, lane)).all()
    assert (out[64:96].view("uint32") == sum(1 << each for each in range(0, 32, 3))).all()
    assert (out[96:112] == (lane[:16] + 1) % 16).all()
    assert (out[112:] == 1).all()


def test_half_and_vectors() -> None:
    x, out, sums = torch.arange(4).half(), torch.empty(4).half(), torch.zeros(4, 4)
    launch("halve", 1, 4, x, out, sums, 4)
    assert out.tolist() == [0, 0.5, 1, 1.5]
    assert sums.tolist() == [[0, 1, 0, 0]] * 4


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (
            "unequal",
            r"block \(0, 0, 0\) never ends: 16 of 32 threads wait at __syncthreads\(\) on line 62, 16 have fin",
        ),
        (
            "torn",
            r"16 of 32 threads wait at __syncthreads\(\) on line 69, others at __shfl_sync\(\) on line 68",
        ),
        ("crash", "signal 11.*find_bad_accesses"),
    ],
)
def test_a_kernel_that_cannot_end_well_is_an_error(kernel: str, message: str) -> None:
    with pytest.raises(KernelError, match=message):
        launch(kernel, 1, 32, np.zeros(32, "float32" if kernel == "crash" else "int32"))


def test_shared_memory_begins_as_garbage() -> None:
    out = np.zeros(32, "float32")
    launch("unset", 1, 32, out)
    assert np.isnan(out).all()


def test_what_a_kernel_prints(capsys: pytest.CaptureFixture[str]) -> None:
    launch("said", 2, 32)
    assert capsys.readouterr().out == "block 0\nblock 1\n"


def test_one_array_may_be_passed_twice_but_not_in_parts() -> None:
    x = np.ones(64, "float32")
    launch("add", 1, 64, x, x, x, 64)
    assert (x == 2).all()
    with pytest.raises(ValueError, match="overlaps another one"):
        launch("add", 1, 8, x[:32], x[16:48], np.zeros(8, "float32"), 8)


def test_a_launch_that_no_gpu_would_take() -> None:
    with pytest.raises(ValueError, match="2048 threads"):
        launch("said", 1, (32, 64))
    with pytest.raises(ValueError, match="grid is 0"):
        launch("said", 0, 32)


def test_both_compilers_name_the_line_of_an_error() -> None:
    wrong = Source("__global__ void k(float* x) {\n    x[0] = 1;\n    x[1] = undefined_name;\n}\n")
    with pytest.raises(CompileError, match=r"(?s)line 3 of the cell.*undefined_name") as host:
        wrong.launch("k", grid=1, block=1, arguments=[np.zeros(2, "float32")], device="cpu")
    with pytest.raises(CompileError, match=r"(?s)line 3 of the cell.*undefined_name") as device:
        wrong.compile_for("k")
    assert host.value.line == device.value.line == 3


def test_without_a_compiler_the_way_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"apt-get install g\+\+"):
        Source("__global__ void fresh() {}").launch("fresh", grid=1, block=1, arguments=[], device="cpu")


def test_the_same_text_becomes_machine_code() -> None:
    code = SOURCE.compile_for("sgemm<16>")
    assert code.registers > 0
    assert code.spill_bytes == 0
    assert code.shared_bytes >= 2 * 16 * 16 * 4
    assert SOURCE.compile_for("halve").count("LDG.E.128") == 1
    assert SOURCE.compile_for("add").count("LDG.E.128") == 0
