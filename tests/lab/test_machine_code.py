import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="reads cubins with the tools of the Triton wheel")

from ai_research_skills.lab.machine_code import MachineCode, _tool

HEAD = ".version 8.4\n.target sm_90\n.address_size 64\n"
LIVE = 64


def entry(name: str, body: str) -> str:
    registers = ".reg .f32 %f<128>; .reg .b64 %a, %l, %d; .reg .b32 %i; .reg .pred %p;"
    return (
        f".visible .entry {name}(.param .u64 x)\n{{ {registers}\n"
        f"ld.param.u64 %a, [x]; cvta.to.global.u64 %a, %a;\n{body}\nret; }}\n"
    )


SPILLING = "\n".join(
    [f"ld.volatile.global.f32 %f{i}, [%a+{4 * i}];" for i in range(LIVE)]
    + [f"st.volatile.global.f32 [%a+{4 * i}], %f{LIVE - 1 - i};" for i in range(LIVE)]
)
LOCAL_ARRAY = """.local .align 8 .b8 store[64];
mov.u64 %l, store; ld.volatile.global.f32 %f1, [%a]; ld.volatile.global.b32 %i, [%a+4];
st.local.f32 [%l+8], %f1; st.local.v2.f32 [%l], {%f1, %f1};
mul.wide.u32 %d, %i, 4; add.u64 %l, %l, %d;
ld.local.f32 %f2, [%l]; st.volatile.global.f32 [%a], %f2;"""
SHARED = """.shared .align 4 .b8 tile[1200];
mov.u32 %i, %tid.x; setp.eq.u32 %p, %i, 0;
@%p ld.volatile.global.v4.f32 {%f1, %f2, %f3, %f4}, [%a];
ld.volatile.global.f32 %f5, [%a+64];
st.volatile.shared.f32 [tile+400], %f5; ld.volatile.shared.f32 %f6, [tile+800];
st.volatile.global.f32 [%a], %f6;"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[bytes, str]]:
    folder = tmp_path_factory.mktemp("ptx")

    def assemble(*entries: str, architecture: str = "sm_90", registers: int = 255) -> tuple[bytes, str]:
        source, target = Path(folder, "k.ptx"), Path(folder, "k.cubin")
        source.write_text(HEAD.replace("sm_90", architecture) + "".join(entries), encoding="utf-8")
        limit = f"--maxrregcount={registers}"
        command = [str(_tool("ptxas")), "-v", limit, f"-arch={architecture}", str(source), "-o", str(target)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return target.read_bytes(), done.stdout + done.stderr

    return assemble


def test_spills_are_those_that_the_assembler_reports(build: Callable[..., tuple[bytes, str]]) -> None:
    cubin, log = build(entry("spilling", SPILLING), registers=32)
    stores, loads = map(int, re.findall(r"(\d+) bytes spill", log))
    assert stores > 0
    code = MachineCode.from_cubin(cubin, kernel="spilling", architecture="sm_90")
    assert code.spill_bytes == stores + loads
    assert code.registers == int(re.findall(r"Used (\d+) registers", log)[0])

    roomy = MachineCode.from_cubin(
        build(entry("spilling", SPILLING))[0], kernel="spilling", architecture="sm_90"
    )
    assert roomy.spill_bytes == 0
    assert roomy.registers > LIVE


def test_a_local_array_counts_though_nothing_is_spilled(build: Callable[..., tuple[bytes, str]]) -> None:
    cubin, log = build(entry("table", LOCAL_ARRAY))
    assert "0 bytes spill stores, 0 bytes spill loads" in log
    code = MachineCode.from_cubin(cubin, kernel="table", architecture="sm_90")
    assert code.spill_bytes == 4 + 8 + 4
    assert code.stack_bytes == 64


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90"])
def test_shared_memory_is_the_kernels_own(build: Callable[..., tuple[bytes, str]], architecture: str) -> None:
    cubin, _ = build(entry("sharing", SHARED), architecture=architecture)
    code = MachineCode.from_cubin(cubin, kernel="sharing", architecture=architecture)
    assert code.shared_bytes == 1200
    more = MachineCode.from_cubin(
        cubin, kernel="sharing", architecture=architecture, dynamic_shared_bytes=4096
    )
    assert more.shared_bytes == 1200 + 4096


def test_instructions_are_counted_by_prefix_whatever_their_predicate(
    build: Callable[..., tuple[bytes, str]],
) -> None:
    code = MachineCode.from_cubin(build(entry("sharing", SHARED))[0], kernel="sharing", architecture="sm_90")
    assert (code.count("LDG"), code.count("LDG.E.128"), code.count("STG"), code.count("LDS")) == (2, 1, 1, 1)
    assert code.count("HGMMA") == 0
    assert any("@" in line for line in code.lines("LDG.E.128"))
    assert code.mix()["LDG"] == 2
    assert sum(code.mix().values()) == len(code.instructions) == len(code.sass.splitlines())
    assert not code.instructions[-1].startswith("NOP")
    assert str(code).startswith(
        f"sharing for sm_90: {code.registers} registers, 0 bytes spilled, 1,200 bytes shared"
    )


def test_kernels_are_found_by_either_name(build: Callable[..., tuple[bytes, str]]) -> None:
    nothing = "st.global.u64 [%a], %a;"
    names = ("_Z5scalePf", "_ZN4deep4loopEPf", "_Z4tileILi4EEvPf", "_Z4tileILi8EEvPf", "plain")
    cubin, _ = build(*(entry(name, nothing) for name in names))
    for name in ("_Z5scalePf", "scale", "loop", "_Z4tileILi8EEvPf", "plain"):
        assert MachineCode.from_cubin(cubin, kernel=name, architecture="sm_90").kernel == name
    with pytest.raises(ValueError, match=r"tile names 2 kernels.*_Z4tileILi4EEvPf, _Z4tileILi8EEvPf"):
        MachineCode.from_cubin(cubin, kernel="tile", architecture="sm_90")
    with pytest.raises(ValueError, match=r"no kernel scal → it has loop, plain, scale"):
        MachineCode.from_cubin(cubin, kernel="scal", architecture="sm_90")
    with pytest.raises(ValueError, match="'hopper' is no architecture"):
        MachineCode.from_cubin(cubin, kernel="plain", architecture="hopper")


def test_what_is_no_cubin_is_refused() -> None:
    with pytest.raises(ValueError, match="give it a cubin"):
        MachineCode.from_cubin(b"no cubin", kernel="k", architecture="sm_90")


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="no cuobjdump → install triton"):
        MachineCode.from_cubin(b"", kernel="k", architecture="sm_90")
