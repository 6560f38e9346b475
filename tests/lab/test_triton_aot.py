"""Kernels are compiled in processes that interpret, and in ones that do not: it must make no difference."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.lab import triton_aot

pytest.importorskip("triton")

KERNELS = """
import triton
import triton.language as tl
from triton.language import cdiv

LOG2E = tl.constexpr(1.4426950408889634)
KIND = tl.float32

@triton.jit
def softmax(x, y, columns, stride, BLOCK: tl.constexpr):
    lane = tl.arange(0, BLOCK)
    at = tl.program_id(0) * stride + lane
    row = tl.load(x + at, mask=lane < columns, other=-float("inf"))
    e = tl.exp2((row - tl.max(row, 0)) * LOG2E)
    tl.store(y + at, e / tl.sum(e, 0), mask=lane < columns)

@triton.jit
def tile_of(program, n, BN: tl.constexpr = 128):
    return program // cdiv(n, BN), program % tl.cdiv(n, BN)

@triton.autotune(configs=[triton.Config({"BK": 64}, num_warps=8)], key=["k"])
@triton.heuristics({"BM": lambda arguments: 128})
@triton.jit
def matmul(a, b, c, m, n, k, BM: tl.constexpr, BK: tl.constexpr, BN: tl.constexpr = 128):
    i, j = tile_of(tl.program_id(0), n)
    rows, columns, inner = i * BM + tl.arange(0, BM), j * BN + tl.arange(0, BN), tl.arange(0, BK)
    total = tl.zeros((BM, BN), KIND)
    for start in range(0, k, BK):
        left = tl.load(a + rows[:, None] * k + start + inner[None, :])
        right = tl.load(b + (start + inner)[:, None] * n + columns[None, :])
        total = tl.dot(left, right, total)
    tl.store(c + rows[:, None] * n + columns[None, :], total.to(c.dtype.element_ty))

@triton.jit
def persistent(a, b, c, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, PROGRAMS: tl.constexpr):
    left = tl.make_tensor_descriptor(a, [m, k], [k, 1], [BM, BK])
    right = tl.make_tensor_descriptor(b, [n, k], [k, 1], [BN, BK])
    out = tl.make_tensor_descriptor(c, [m, n], [n, 1], [BM, BN])
    for tile in tl.range(tl.program_id(0), tl.cdiv(m, BM) * tl.cdiv(n, BN), PROGRAMS):
        i, j = tile_of(tile, n, BN)
        total = tl.zeros((BM, BN), tl.float32)
        for step in range(0, tl.cdiv(k, BK)):
            total = tl.dot(left.load([i * BM, step * BK]), right.load([j * BN, step * BK]).T, total)
        out.store([i * BM, j * BN], total.to(tl.float16))

@triton.jit
def misspelt(x, y, BLOCK: tl.constexpr):
    tl.store(y + tl.arange(0, BLOCK), tl.lode(x + tl.arange(0, BLOCK)))

TABLE = {"a": 1}

@triton.jit
def uncopied(x, BLOCK: tl.constexpr):
    tl.store(x, TABLE)
"""

NOTEBOOK = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell()
shell.run_cell("import triton\\nimport triton.language as tl").raise_error()
shell.run_cell('''
@triton.jit
def twice(x):
    return x * 2

@triton.jit
def doubled(x, y, scale, BLOCK: tl.constexpr, THEN: tl.constexpr):
    lane = tl.arange(0, BLOCK)
    value = THEN(tl.load(x + lane))
    if scale is not None:
        value *= tl.load(scale)
    tl.store(y + lane, value)
''').raise_error()
doubled, twice = shell.user_ns["doubled"], shell.user_ns["twice"]
"""

ASK = """
import json, sys
import kernels
from ai_research_skills.lab.triton_aot import CompileError, Specialization, compile_all, compile_for

def matmul(kind, **more):
    pointers = {name: f"*{kind}" for name in "abc"}
    integers = dict.fromkeys("mnk", "i32")
    constants = {"BM": 128, "BK": 64}
    return Specialization(kernels.matmul, pointers | integers, constants, warps=8, aligned=list("abcmnk"), **more)

row = {"x": "*fp32", "y": "*fp32", "columns": "i32", "stride": "i32"}
four = ("x", "y", "columns", "stride")
half = {"a": "*fp16", "b": "*fp16", "c": "*fp16", "m": "i32", "n": "i32", "k": "i32"}
tiles = {"BM": 128, "BN": 128, "BK": 64, "PROGRAMS": 132}
asked = {
    "softmax": Specialization(kernels.softmax, row, {"BLOCK": 1024}, aligned=four),
    "unaligned": Specialization(kernels.softmax, row, {"BLOCK": 1024}),
    "fp16": matmul("fp16"),
    "bf16": matmul("bf16"),
    "ampere": matmul("fp16", architecture="sm_80"),
    "persistent": Specialization(kernels.persistent, half, tiles, warps=8, aligned=list("abcmnk")),
    "cell": Specialization(
        doubled, {"x": "*fp32", "y": "*fp32"}, {"scale": None, "BLOCK": 128, "THEN": twice}, warps=1
    ),
    "tight": Specialization(kernels.softmax, row, {"BLOCK": 8192}, warps=4, options={"maxnreg": 32}),
}
built = dict(zip(asked, compile_all(list(asked.values()))))
counted = ("LDG.E.128", "LDGSTS", "HGMMA", "HMMA", "UTMALDG", "UTMASTG")
answer = {
    name: {"spills": code.spill_bytes, "shared": code.shared_bytes, "sass": code.sass, "name": code.kernel,
           "entry": ".entry " + code.kernel in code.ptx, **{each: code.count(each) for each in counted}}
    for name, code in built.items()
}
try:
    compile_for(kernels.misspelt, signature={"x": "*fp32", "y": "*fp32"}, constants={"BLOCK": 128})
except CompileError as error:
    answer["refused"] = str(error)
answer["wrong"] = []
for kernel, signature, constants, more in (
    (kernels.softmax, row, {}, {}),
    (kernels.softmax, row, {"BLOCK": 8, "BLOK": 8}, {}),
    (kernels.softmax, row, {"BLOCK": 8, "stride": 1}, {}),
    (kernels.softmax, row, {"BLOCK": 8}, {"aligned": ["BLOCK"]}),
    (kernels.softmax, row, {"BLOCK": 8}, {"architecture": "hopper"}),
    (kernels.uncopied, {"x": "*fp32"}, {"BLOCK": 8}, {}),
    (print, {}, {}, {}),
):
    try:
        compile_for(kernel, signature=signature, constants=constants, **more)
    except ValueError as error:
        answer["wrong"].append(str(error))
answer["cached"] = compile_all([asked["fp16"]])[0] is built["fp16"]
print(json.dumps(answer))
"""


@pytest.fixture(scope="module", params=["0", "1"], ids=["compiling", "interpreting"])
def answer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("kernels")
    Path(folder, "kernels.py").write_text(KERNELS, encoding="utf-8")
    Path(folder, "ask.py").write_text(NOTEBOOK + ASK, encoding="utf-8")
    cache = {"TRITON_CACHE_DIR": str(folder / "cache"), "IPYTHONDIR": str(folder / "ipython")}
    environment = {**os.environ, **cache, "TRITON_INTERPRET": request.param}
    done = subprocess.run(
        [sys.executable, str(folder / "ask.py")], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return read


def test_a_row_is_loaded_sixteen_bytes_at_a_time_only_if_it_is_aligned(answer: dict[str, Any]) -> None:
    assert answer["softmax"]["LDG.E.128"] == 2
    assert answer["unaligned"]["LDG.E.128"] == 0
    assert answer["softmax"]["name"] == "softmax"
    assert answer["softmax"]["entry"]
    assert 0 < answer["softmax"]["shared"] < 1024


@pytest.mark.parametrize("kind", ["fp16", "bf16"])
def test_a_matmul_uses_the_tensor_cores_of_its_architecture(answer: dict[str, Any], kind: str) -> None:
    code = answer[kind]
    assert code["HGMMA"] > 0
    assert code["LDGSTS"] > 0, "the loads must be pipelined"
    assert code["spills"] == 0
    assert code["shared"] == 3 * 2 * 128 * 64 * 2, "three stages of two fp16 tiles of 128 by 64"
    assert ("BF16" in code["sass"]) == (kind == "bf16")
    assert answer["ampere"]["HGMMA"] == 0 < answer["ampere"]["HMMA"]


def test_descriptors_become_bulk_copies_in_a_persistent_loop(answer: dict[str, Any]) -> None:
    code = answer["persistent"]
    assert min(code["UTMALDG"], code["UTMASTG"], code["HGMMA"]) > 0
    assert code["LDGSTS"] == code["spills"] == 0


def test_a_cell_brings_its_helpers_and_the_functions_it_is_given(answer: dict[str, Any]) -> None:
    assert answer["cell"]["LDG.E.128"] == 1
    assert "FADD" in answer["cell"]["sass"] or "FMUL" in answer["cell"]["sass"]


def test_too_few_registers_spill(answer: dict[str, Any]) -> None:
    assert answer["tight"]["spills"] > 0


def test_what_triton_says_is_passed_on(answer: dict[str, Any]) -> None:
    assert answer["refused"].startswith("misspelt: ")
    assert "lode" in answer["refused"]


def test_wrong_parameters_are_refused_before_compiling(answer: dict[str, Any]) -> None:
    for message, part in zip(
        answer["wrong"],
        (
            "softmax also needs BLOCK",
            "softmax has no BLOK",
            "stride of softmax is an argument and a constant",
            "BLOCK of softmax is a constant",
            "'hopper' is no architecture",
            "TABLE is a dict, which cannot be copied",
            "is no kernel → decorate it with @triton.jit",
        ),
        strict=True,
    ):
        assert part in message


def test_nothing_is_compiled_twice(answer: dict[str, Any]) -> None:
    assert answer["cached"]


@pytest.mark.parametrize(("cpus", "processes"), [(2, 1), (16, 4), (64, 7)])
def test_several_processes_answer_in_the_order_of_the_programs(
    monkeypatch: pytest.MonkeyPatch, cpus: int, processes: int
) -> None:
    asked: list[list[str]] = []

    def answered(programs: list[str]) -> list[dict[str, str]]:
        asked.append(programs)
        return [{"name": program} for program in programs]

    monkeypatch.setattr(triton_aot, "_answers_of_one_process", answered)
    monkeypatch.setattr(os, "cpu_count", lambda: cpus)
    assert [each["name"] for each in triton_aot._answers(list("abcdefg"))] == list("abcdefg")
    assert len(asked) == processes
