"""What the compiler made of a kernel: its registers, its local and shared memory, its instructions.

A cubin is read with `cuobjdump` of the Triton wheel, so it needs neither a GPU nor a CUDA toolkit, and the numbers
mean the same whether the kernel was written in Triton or in CUDA C++.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

RESERVED_SHARED_BYTES = 1024
"""Shared memory of each block that the driver keeps for itself from compute capability 9.0 on, as `cuobjdump`
counts it; `ptxas -v` does not, and neither does `MachineCode`."""

FIRST_COUNTED_RESERVE = 90
"""Architecture from which `cuobjdump` counts the driver's reserve."""

INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(.*?)\s*;\s+/\* 0x", re.MULTILINE)
FUNCTION = re.compile(r"^\s*Function : (\S+)\s*$", re.MULTILINE)
RESOURCES = re.compile(
    r"^\s*Function (\S+):\s*\n\s*REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)", re.MULTILINE
)
PREDICATE = re.compile(r"^@!?U?P\w+\s+")
LOCAL_ACCESS = re.compile(r"^(?:STL|LDL)(?:\.|$)")
IDENTIFIER = re.compile(r"L?(\d+)")


@dataclass(frozen=True)
class MachineCode:
    """One compiled kernel.

    Attributes:
        kernel: The name that was asked for.
        architecture: What it was compiled for, `sm_90`.
        registers: 32-bit registers of each thread.
        spill_bytes: Bytes that the kernel's STL and LDL instructions (stores to and loads from local memory) move
            for one thread when each is executed once. Where no array of the kernel lives in local memory this equals
            the sum of "spill stores" and "spill loads" of `ptxas -v`; an array with an index that is not known at
            compile time does live there, and its accesses are counted too. A call of a function that was not
            inlined saves registers the same way.
        shared_bytes: Shared memory of each block, without the kilobyte that the driver reserves: arrays of a fixed
            size, and dynamic ones where the compiler fixes their size (Triton does; CUDA C++ leaves it to the launch).
        ptx: The PTX that the instructions come from; empty where only a cubin was there.
        sass: One instruction a line, as `0160  @!P1 LDG.E.128 R8, desc[UR6][R14.64]`, without the NOPs that pad the end.
        stack_bytes: Frame in local memory of each thread, for spills and for arrays.
    """

    kernel: str
    architecture: str
    registers: int
    spill_bytes: int
    shared_bytes: int
    ptx: str = field(repr=False)
    sass: str = field(repr=False)
    stack_bytes: int = 0

    @classmethod
    def from_cubin(
        cls, cubin: bytes, *, kernel: str, architecture: str, ptx: str = "", dynamic_shared_bytes: int = 0
    ) -> MachineCode:
        """Read one kernel of a cubin.

        Args:
            cubin: The file that `ptxas`, `nvcc -cubin`, NVRTC or Triton wrote.
            kernel: Name of the kernel as the cubin has it (`_Z5saxpyfPKfPf`), or as the source has it (`saxpy`).
            architecture: What the cubin was compiled for, `sm_90`.
            ptx: PTX to keep with it.
            dynamic_shared_bytes: Shared memory that the launch adds; a cubin does not know it.

        Raises:
            ValueError: There is no such kernel, several have this name (instances of a template), or the bytes are
                no cubin.
            FileNotFoundError: The installed Triton brings no `cuobjdump`.
        """
        report = _cuobjdump(cubin)
        resources = {name: tuple(map(int, rest)) for name, *rest in RESOURCES.findall(report)}
        symbol = _symbol(kernel, tuple(resources))
        registers, stack, shared, local = resources[symbol]
        sections = FUNCTION.split(report)
        instructions = INSTRUCTION.findall(dict(zip(sections[1::2], sections[2::2], strict=True))[symbol])
        while instructions and instructions[-1][1] == "NOP":
            instructions.pop()
        if _number(architecture) >= FIRST_COUNTED_RESERVE:
            shared = max(0, shared - RESERVED_SHARED_BYTES)
        return cls(
            kernel=kernel,
            architecture=architecture,
            registers=registers,
            spill_bytes=sum(_local_bytes(text) for _, text in instructions),
            shared_bytes=shared + dynamic_shared_bytes,
            ptx=ptx,
            sass="\n".join(f"{offset}  {text}" for offset, text in instructions),
            stack_bytes=stack + local,
        )

    @property
    def instructions(self) -> tuple[str, ...]:
        """The mnemonics in order, with their suffixes and without predicates: `LDG.E.128`, `FFMA`, `EXIT`."""
        return tuple(_mnemonic(line.split(maxsplit=1)[1]) for line in self.sass.splitlines())

    def count(self, mnemonic_prefix: str) -> int:
        """Number of instructions whose mnemonic starts with `mnemonic_prefix`, predicated or not.

        `LDG` counts every load from global memory and `LDG.E.128` those of 16 bytes; `LDS` counts `LDSM` too, and
        `LDS.` does not. It counts what is written, not what is executed: a loop's body counts once.
        """
        return sum(each.startswith(mnemonic_prefix) for each in self.instructions)

    def mix(self) -> dict[str, int]:
        """Number of instructions by the first part of their mnemonic (`LDG`, `FFMA`), most frequent first."""
        return dict(Counter(each.partition(".")[0] for each in self.instructions).most_common())

    def lines(self, mnemonic_prefix: str) -> tuple[str, ...]:
        """The lines of `sass` whose mnemonic starts with `mnemonic_prefix`."""
        pairs = zip(self.instructions, self.sass.splitlines(), strict=True)
        return tuple(line for mnemonic, line in pairs if mnemonic.startswith(mnemonic_prefix))

    def __str__(self) -> str:
        return (
            f"{self.kernel} for {self.architecture}: {self.registers} registers, {self.spill_bytes:,} bytes spilled, "
            f"{self.shared_bytes:,} bytes shared, {len(self.instructions):,} instructions"
        )


def _cuobjdump(cubin: bytes) -> str:
    tool = _tool("cuobjdump")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel.cubin")
        path.write_bytes(cubin)
        done = subprocess.run(
            [str(tool), "-res-usage", "-sass", str(path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    if done.returncode or not FUNCTION.search(done.stdout):
        detail = (done.stderr or done.stdout).replace(str(path), "the cubin").strip() or "it holds no kernel"
        raise ValueError(f"cuobjdump cannot read these {len(cubin):,} bytes: {detail} → give it a cubin")
    return done.stdout


def _tool(name: str) -> Path:
    # `find_spec` does not import Triton, which would settle for good whether kernels are interpreted.
    found = importlib.util.find_spec("triton")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder, "backends", "nvidia", "bin", name)
        if path.is_file():
            return path
    raise FileNotFoundError(f"there is no {name} → install triton 3.9.0 for Linux, whose wheel brings it")


def _symbol(kernel: str, symbols: tuple[str, ...]) -> str:
    if kernel in symbols:
        return kernel
    named = [symbol for symbol in symbols if _plain(symbol) == kernel]
    if len(named) == 1:
        return named[0]
    if named:
        raise ValueError(f"{kernel} names {len(named)} kernels → ask for one of {', '.join(sorted(named))}")
    known = ", ".join(sorted(map(_plain, symbols)))
    raise ValueError(f"the cubin has no kernel {kernel} → it has {known}")


def _plain(symbol: str) -> str:
    # Itanium C++ ABI: `_Z`, then length and name; nested names stand between `N` and `E`, the kernel's own last.
    if not symbol.startswith("_Z"):
        return symbol
    rest, name = symbol[2:], symbol
    nested = rest.startswith("N")
    rest = rest.removeprefix("N")
    while found := IDENTIFIER.match(rest):
        end = found.end() + int(found[1])
        name, rest = rest[found.end() : end], rest[end:]
        if not nested:
            break
    return name


def _number(architecture: str) -> int:
    found = re.fullmatch(r"(?:sm|compute)_(\d+)[af]?", architecture)
    if found is None:
        raise ValueError(f"{architecture!r} is no architecture → write it as sm_90 or sm_90a")
    return int(found[1])


def _mnemonic(instruction: str) -> str:
    return PREDICATE.sub("", instruction).split(maxsplit=1)[0]


def _local_bytes(instruction: str) -> int:
    mnemonic = _mnemonic(instruction)
    if not LOCAL_ACCESS.match(mnemonic):
        return 0
    widths = {"128": 16, "64": 8, "U16": 2, "S16": 2, "U8": 1, "S8": 1}
    return next((widths[part] for part in mnemonic.split(".")[1:] if part in widths), 4)
