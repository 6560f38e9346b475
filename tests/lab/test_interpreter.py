"""Each test runs a process of its own: whether Triton interprets is settled when it is first imported."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

Run = Callable[..., str]

HONEST = """
from ai_research_skills.lab.device import Device
from ai_research_skills.lab.interpreter import counted_traffic, guarded, interpret_without_a_gpu, OutOfBounds
assert interpret_without_a_gpu(Device("host", "cpu", 1, 1))
"""

KERNELS = """
import torch
import triton
import triton.language as tl

torch.manual_seed(0)

@triton.jit
def copy(x, y, n, BLOCK: tl.constexpr):
    lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + lane, tl.load(x + lane, mask=lane < n), mask=lane < n)

@triton.jit
def careless(x, y, n, BLOCK: tl.constexpr):
    lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + lane, tl.load(x + lane, mask=lane < n), mask=lane <= n)

@triton.jit
def product(x, y, z, B: tl.constexpr):
    i = tl.arange(0, B)
    at = i[:, None] * B + i[None, :]
    tl.store(z + at, tl.dot(tl.load(x + at), tl.load(y + at)))

@triton.jit
def add(x, y, z, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(z + i, tl.load(x + i) + tl.load(y + i))

@triton.jit
def total(x, y, z, B: tl.constexpr):
    tl.store(z, tl.sum(tl.load(x + tl.arange(0, B)), 0))

@triton.jit
def from_integers(x, y, z, B: tl.constexpr):
    i = tl.arange(0, B)
    tl.store(z + i, i.to(tl.bfloat16))

@triton.jit
def gather_tiles(x, y, rows, columns, B: tl.constexpr):
    source = tl.make_tensor_descriptor(x, [rows, columns], [columns, 1], [B, B])
    target = tl.make_tensor_descriptor(y, [rows, columns], [columns, 1], [B, B])
    at = [tl.program_id(0) * B, tl.program_id(1) * B]
    target.store(at, source.load(at))

@triton.jit
def histogram(x, counts, n, BLOCK: tl.constexpr):
    lane = tl.arange(0, BLOCK)
    tl.atomic_add(counts + tl.load(x + lane, mask=lane < n, other=0), 1, mask=lane < n)
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def execute(code: str, *, head: str = HONEST, fails: bool = False) -> str:
        script = tmp_path / "kernels.py"
        script.write_text(head + KERNELS + textwrap.dedent(code), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
        done = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout + done.stderr

    return execute


def test_upstream_is_still_wrong_where_we_raise(run: Run) -> None:
    """Once this fails, Triton has mended its interpreter and what we forbid can be allowed again."""
    run(
        """
        x, y = (torch.randn(16, 16).bfloat16() for _ in range(2))
        z = torch.empty(16, 16)
        product[(1,)](x, y, z, 16)
        assert not torch.allclose(z, x.float() @ y.float(), atol=1.0)
        for kernel, want in ((add, x[0] + y[0]), (total, x[0].float().sum()), (from_integers, torch.arange(16.0))):
            z = torch.zeros(16, dtype=torch.bfloat16)
            kernel[(1,)](x, y, z, 16)
            got = z[0] if want.dim() == 0 else z
            assert not torch.allclose(got.float(), want.float(), atol=0.1), kernel
        z = torch.zeros(256, dtype=torch.bfloat16)
        x = torch.randn(256)
        copy[(1,)](x, z, 256, 256)
        assert not torch.equal(z, x.bfloat16())
        """,
        head="import os\nos.environ['TRITON_INTERPRET'] = '1'\n",
    )


def test_bfloat16_is_moved_and_rounded_rightly_and_never_computed_on(run: Run) -> None:
    run(
        """
        x, y = (torch.randn(16, 16).bfloat16() for _ in range(2))
        for kernel, name in ((product, "tl.dot"), (add, "arithmetic"), (total, "reduction"), (from_integers, "int32")):
            z = torch.zeros(16, 16, dtype=torch.float32 if kernel is product else torch.bfloat16)
            try:
                kernel[(1,)](x, y, z, 16)
            except Exception as error:
                assert name in str(error) and "upcast with .to(tl.float32)" in str(error), error
                assert not z.any()
            else:
                raise AssertionError(f"{name} on bfloat16 passed")
        product[(1,)](x.half(), y.half(), z := torch.zeros(16, 16), 16)
        assert torch.allclose(z, x.float() @ y.float(), atol=1e-3)

        special = [float("inf"), -float("inf"), 0.0, -0.0, 1e-40, 3.4e38, 1 + 2**-8, 1 + 3 * 2**-8, 255.9999]
        wide = torch.cat([torch.tensor(special), torch.randn(1024 - len(special))])
        narrow, back = torch.zeros(1024, dtype=torch.bfloat16), torch.zeros(1024)
        copy[(1,)](wide, narrow, 1024, 1024)
        assert torch.equal(narrow.view(torch.int16), wide.bfloat16().view(torch.int16))
        copy[(1,)](narrow, back, 1024, 1024)
        assert torch.equal(back, narrow.float())
        copy[(1,)](torch.full((16,), float("nan")), narrow, 16, 16)
        assert narrow[:16].isnan().all()
        """
    )


def test_bytes_are_counted_by_tensor_and_only_where_lanes_are_unmasked(run: Run) -> None:
    run(
        """
        x, y = torch.randn(1000), torch.empty(1000, dtype=torch.float16)
        with counted_traffic(x=x, y=y, z=torch.empty(3)) as outer, counted_traffic() as moved:
            copy[(8,)](x, y, 1000, 128)
        assert (moved.loaded, moved.stored, moved.atomic, moved.total) == (4000, 2000, 0, 6000), moved
        assert (outer.total, outer.each["x"].loaded, outer.each["x"].stored) == (6000, 4000, 0)
        assert (outer.each["y"].stored, outer.each["z"].total) == (2000, 0)
        copy[(8,)](x, y, 1000, 128)
        assert moved.total == 6000, "counted after the block"

        x = torch.randn(40, 48)
        with counted_traffic() as moved:
            gather_tiles[(2, 2)](x, y := torch.zeros(40, 48), 40, 48, 32)
        assert torch.equal(x, y)
        assert moved.loaded == moved.stored == 40 * 48 * 4, moved

        with counted_traffic() as moved:
            histogram[(1,)](torch.randint(0, 8, (100,), dtype=torch.int32), torch.zeros(8, dtype=torch.int32), 100, 128)
        assert (moved.loaded, moved.stored, moved.atomic) == (400, 0, 400), moved
        """
    )


def test_a_lane_outside_the_tensors_is_caught_before_it_writes(run: Run) -> None:
    run(
        """
        x, wide = torch.randn(100), torch.full((2, 104), 7.0)
        window = wide[0, :100]
        with guarded(x=x, window=window):
            copy[(1,)](x, window, 100, 128)
        try:
            with guarded(x=x, window=window):
                careless[(1,)](x, window, 100, 128)
        except OutOfBounds as error:
            assert "store in program (0, 0, 0): 1 of 101 unmasked lanes" in str(error), error
            assert "0 bytes behind the end of window" in str(error), error
        else:
            raise AssertionError("a store beyond the window passed")
        assert (wide[0, 100:] == 7).all()

        columns = torch.zeros(100, 2)[:, 0]
        for tensors, kernel_arguments, what in (
            ({"x": x}, (x, window, 100), "store"),
            ({"window": window}, (x, window, 100), "load"),
            ({"x": x, "columns": columns}, (x, columns, 100), "between the elements of columns"),
        ):
            try:
                with guarded(**tensors):
                    copy[(1,)](*kernel_arguments, 128)
            except OutOfBounds as error:
                assert what in str(error), error
            else:
                raise AssertionError(what)

        counts = torch.zeros(8, dtype=torch.int32)
        try:
            with guarded(x=x, counts=counts):
                histogram[(1,)](torch.tensor([1, 9], dtype=torch.int32), counts, 2, 2)
        except OutOfBounds as error:
            assert "load" in str(error)
        bins = torch.tensor([1, 9], dtype=torch.int32)
        try:
            with guarded(bins=bins, counts=counts):
                histogram[(1,)](bins, counts, 2, 2)
        except OutOfBounds as error:
            assert "atomic" in str(error) and "4 bytes behind the end of counts" in str(error), error
        else:
            raise AssertionError("an atomic beyond the bins passed")
        """
    )


def test_other_errors_of_a_kernel_pass_through_the_guard(run: Run) -> None:
    out = run(
        """
        x = torch.randn(16).bfloat16()
        with guarded(x=x):
            add[(1,)](x, x, x, 16)
        """,
        fails=True,
    )
    assert "WrongInInterpreter" in out


def test_a_triton_that_compiles_is_refused(run: Run) -> None:
    out = run("", head="import triton\n" + HONEST, fails=True)
    assert "restart the kernel" in out
    run("assert interpret_without_a_gpu(Device('host', 'cpu', 1, 1))")


def test_a_gpu_is_left_to_compile() -> None:
    from ai_research_skills.lab.device import Device
    from ai_research_skills.lab.interpreter import interpret_without_a_gpu

    before = os.environ.get("TRITON_INTERPRET")
    assert not interpret_without_a_gpu(Device("gpu", "cuda", 1, 1))
    assert os.environ.get("TRITON_INTERPRET") == before
