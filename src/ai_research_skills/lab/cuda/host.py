"""Runs a kernel on the host: g++ compiles the cell against our shim, and a program of its own runs the grid.

A kernel that crashes or hangs takes that program with it and nothing else.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ai_research_skills.lab.cuda.arguments import Argument
from ai_research_skills.lab.cuda.nvrtc import CompileError

CELL = "/cell.cu"
"""File name under which compilers and sanitizers speak of the cell's text."""

SECONDS = 120.0
"""After which a running kernel is given up."""

Dim = tuple[int, int, int]

COMMON = ("-std=c++20", "-no-pie", "-w", "-fno-exceptions")

# One lane's load or store must stay one access. Splitting a struct would make four of a float4, vectorising one of four.
# addr2line of binutils 2.40 takes the cell for the file around it in the tables of DWARF 5.
SEEN = (
    "-O1",
    "-gdwarf-4",
    "-fno-tree-sra",
    "-fno-ipa-sra",
    "-fno-tree-vectorize",
    "-fno-tree-slp-vectorize",
    "-fno-omit-frame-pointer",
)


@dataclass(frozen=True)
class Mode:
    """One way to compile and watch a kernel.

    Attributes:
        name: Also the macro `GPU_<NAME>` of the shim.
        flags: For the cell.
        link: For the linker.
        runtime: Files of the shim to link with.
    """

    name: str
    flags: tuple[str, ...]
    link: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ("fibres.cpp",)


PLAIN = Mode("plain", ("-O2",))
RACES = Mode("races", (*SEEN, "-fsanitize=thread"), runtime=("fibres.cpp", "races.cpp"))
BOUNDS = Mode(
    "bounds",
    (*SEEN, "-fsanitize=address,bounds", "-fsanitize-recover=address,bounds"),
    ("-fsanitize=address,undefined",),
)
TRACE = Mode("trace", (*SEEN, "-fsanitize=thread"), runtime=("fibres.cpp", "trace.cpp"))

ENVIRONMENT = {
    "ASAN_OPTIONS": "halt_on_error=0:redzone=2048:detect_leaks=0:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=0",
}


class KernelError(RuntimeError):
    """A kernel that cannot end as it should: a barrier that not all threads reach, a crash, or no end at all."""


@dataclass(frozen=True)
class Variable:
    """A `__shared__` variable, or the memory of a pointer argument.

    Attributes:
        name: In the cell.
        start: Address in the program that ran.
        bytes: Its size.
        shared: Whether it is shared memory.
    """

    name: str
    start: int
    bytes: int
    shared: bool


@dataclass(frozen=True)
class Run:
    """What a program left behind.

    Attributes:
        program: The executable.
        printed: Standard output.
        complaints: Standard error: the sanitizers' reports.
        sites: The tracer's lines, split into words.
        races: Likewise those of the detector of races.
        variables: Buffers first, then shared variables, each in their order.
    """

    program: Path
    printed: str
    complaints: str
    sites: tuple[tuple[str, ...], ...]
    races: tuple[tuple[str, ...], ...]
    variables: tuple[Variable, ...]

    def variable_at(self, address: int) -> Variable | None:
        """The variable that holds `address`."""
        inside = (each for each in self.variables if each.start <= address < each.start + each.bytes)
        return next(inside, None)


def run(
    text: str,
    kernel: str,
    mode: Mode,
    *,
    grid: Dim,
    block: Dim,
    arguments: Sequence[Argument],
    shared_bytes: int = 0,
    keep: bool = False,
    seconds: float = SECONDS,
) -> Run:
    """Compile `kernel` and run it on a copy of the arguments.

    Args:
        text: The cell.
        kernel: Its name, with template arguments if it has any.
        mode: How to compile.
        grid: Blocks in x, y and z.
        block: Threads in x, y and z.
        arguments: As `arguments.check` returned them.
        shared_bytes: Dynamic shared memory.
        keep: Whether the arrays take what the kernel wrote.
        seconds: After which it is given up.

    Raises:
        CompileError: g++ did not take the text.
        KernelError: The kernel did not end as it should.
        FileNotFoundError: There is no g++.
    """
    program = build(text, kernel, mode)
    shared = shared_variables(program)
    launch, buffers, places = launch_file(arguments, shared, grid, block, shared_bytes)
    with tempfile.TemporaryDirectory(dir=_workshop()) as folder:
        given, written, report = (Path(folder, name) for name in ("launch", "buffers", "report"))
        given.write_bytes(launch)
        command = [str(program), str(given), str(written), str(report)]
        try:
            ended = _execute(command, seconds)
        except subprocess.TimeoutExpired:
            raise KernelError(
                f"{kernel} did not end within {seconds:g} s → look for a loop without end"
            ) from None
        told = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
        for line in told:
            if line.startswith("error "):
                raise KernelError(f"{kernel}: {line.removeprefix('error ')}")
        if ended.returncode and "AddressSanitizer" not in ended.stderr:
            raise KernelError(f"{kernel} died ({_cause(ended)}) → find_bad_accesses names the line")
        if keep:
            _write_back(written.read_bytes(), buffers)
    starts = [int(line.split()[2], 16) for line in told if line.startswith("buffer ")]
    named = {
        place: each.parameter.name for each, place in zip(arguments, places, strict=True) if place is not None
    }
    held = [Variable(named[at], start, len(buffers[at]), shared=False) for at, start in enumerate(starts)]
    sites, races = (
        tuple(tuple(line.split()) for line in told if line.startswith(f"{kind} "))
        for kind in ("site", "race")
    )
    return Run(program, ended.stdout, ended.stderr, sites, races, (*held, *shared))


def build(text: str, kernel: str, mode: Mode) -> Path:
    """The executable for `kernel`; built once for each text, kernel and mode of this process.

    Raises:
        CompileError: g++ did not take the text.
        FileNotFoundError: There is no g++.
    """
    key = hashlib.sha256("\0".join((text, kernel, *mode.flags, mode.name)).encode()).hexdigest()[:24]
    program = _workshop() / f"{mode.name}-{key}"
    if program.exists():
        return program
    source, compiled = program.with_suffix(".cpp"), program.with_suffix(".o")
    source.write_text(host_text(text, kernel), encoding="utf-8")
    objects = [_workshop() / f"{mode.name}-{name}.o" for name in mode.runtime]
    jobs = [_compile(source, compiled, mode.flags)]
    for name, built in zip(mode.runtime, objects, strict=True):
        if not built.exists():
            jobs.append(_compile(_shim() / name, built, ("-O2", f"-DGPU_{mode.name.upper()}=1")))
    answers = [job.communicate()[1] for job in jobs]
    for job, answer in zip(jobs, answers, strict=True):
        if job.returncode:
            raise CompileError.from_compiler(answer, CELL)
    parts = [str(compiled), *map(str, objects)]
    linked = subprocess.run(
        [_compiler(), "-no-pie", *mode.link, *parts, "-o", str(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    if linked.returncode:
        raise CompileError.from_compiler(linked.stderr, CELL)
    return program


def host_text(text: str, kernel: str) -> str:
    """The cell as g++ gets it: every line where it was, inside a namespace that keeps its names to itself.

    Lines with `#include` move in front. `extern __shared__ T name[];` becomes a pointer, as there is no way to say
    this with a macro. Nothing else changes.
    """
    include = re.compile(r"^[ \t]*#[ \t]*include\b.*$", re.MULTILINE)
    includes = include.findall(text)
    body = include.sub("", text)
    dynamic = r"\bextern\s+__shared__\s+(?:(?:alignas|__align__)\s*\([^)]*\)\s*)?([\w:\s]+?)\s*\b(\w+)\s*\[\s*\]\s*;"
    body = re.sub(dynamic, r"\1* const \2 = static_cast<\1*>(gpu_dynamic_shared());", body)
    return "\n".join(
        (
            '#include "gpu.hpp"',
            *includes,
            "namespace {",
            f'#line 1 "{CELL}"',
            body,
            "}",
            '#line 1 "/launch.cpp"',
            f"void gpu_call(void** arguments) {{ gpu_invoke(&{kernel}, arguments); }}",
            "",
        )
    )


def launch_file(
    arguments: Sequence[Argument], shared: Sequence[Variable], grid: Dim, block: Dim, shared_bytes: int
) -> tuple[bytes, list[Any], list[int | None]]:
    """What `main` of fibres.cpp reads: words of eight bytes, and buffers padded to whole words.

    Returns:
        The file, the arrays' bytes in the order of the buffers, and for each argument the number of its buffer.

    Raises:
        ValueError: Two arguments are parts of one array and overlap without being the same.
    """
    buffers: list[Any] = []
    spans: list[tuple[int, int]] = []
    places: list[int | None] = []
    passed = []
    for each in arguments:
        if not each.parameter.pointer:
            places.append(None)
            passed += [struct.pack("<Q", 0), each.packed()]
            continue
        view = each.bytes_view()
        span = (each.address(), each.address() + len(view))
        if span not in spans:
            if any(start < span[1] and span[0] < end for start, end in spans):
                raise ValueError(
                    f"argument `{each.parameter}` overlaps another one → pass the whole array to both"
                )
            spans.append(span)
            buffers.append(view)
        places.append(spans.index(span))
        passed += [struct.pack("<QQ", 1, spans.index(span))]
    parts = [struct.pack("<8Q", *grid, *block, shared_bytes, len(buffers))]
    for view in buffers:
        parts += [struct.pack("<Q", len(view)), view.tobytes(), b"\0" * (-len(view) % 8)]
    parts += [struct.pack("<Q", len(arguments)), *passed, struct.pack("<Q", len(shared))]
    parts += [struct.pack("<QQ", each.start, each.bytes) for each in shared]
    return b"".join(parts), buffers, places


@functools.cache
def shared_variables(program: Path) -> tuple[Variable, ...]:
    """The `__shared__` variables of a program: what is static in a function and private to the cell."""
    table = subprocess.run(["nm", "-S", str(program)], capture_output=True, text=True, check=True).stdout
    rows = re.findall(r"^(\w+) (\w+) [bd] (_ZZ\S+)$", table, re.MULTILINE)
    symbols = "\n".join(symbol for _, _, symbol in rows)
    plain = subprocess.run(
        ["c++filt"], input=symbols, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return tuple(
        Variable(name.rpartition("::")[2], int(start, 16), int(size, 16), shared=True)
        for (start, size, _), name in zip(rows, plain, strict=True)
    )


def lines_of(program: Path, addresses: Sequence[int]) -> dict[int, int]:
    """Line of the cell for each address of an instruction; 0 where it belongs to none."""
    if not addresses:
        return {}
    command = ["addr2line", "-i", "-a", "-e", str(program), *(f"{each:#x}" for each in addresses)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = dict.fromkeys(addresses, 0)
    address = 0
    for line in answer.splitlines():
        if line.startswith("0x"):
            address = int(line, 16)
        elif (match := re.match(rf"{re.escape(CELL)}:(\d+)", line)) and not lines[address]:
            lines[address] = int(match[1])
    return lines


def _execute(command: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **ENVIRONMENT},
        timeout=seconds,
        check=False,
    )


def _cause(ended: subprocess.CompletedProcess[str]) -> str:
    if ended.returncode < 0:
        return f"signal {-ended.returncode}"
    last = ended.stderr.strip().splitlines()
    return last[-1] if last else f"exit status {ended.returncode}"


def _write_back(written: bytes, buffers: Sequence[Any]) -> None:
    numpy: Any = importlib.import_module("numpy")
    at = 0
    for view in buffers:
        view[:] = numpy.frombuffer(written, dtype="uint8", count=len(view), offset=at)
        at += len(view)


def _compile(source: Path, built: Path, flags: Sequence[str]) -> subprocess.Popen[str]:
    command = [_compiler(), *COMMON, *flags, f"-I{_shim()}", f"-I{_shim() / 'include'}"]
    return subprocess.Popen(
        [*command, "-c", str(source), "-o", str(built)], stderr=subprocess.PIPE, text=True
    )


def _compiler() -> str:
    found = shutil.which("g++")
    if found is None:
        raise FileNotFoundError("no g++ to compile CUDA C++ for the host → apt-get install g++, or use a GPU")
    return found


def _shim() -> Path:
    return Path(str(resources.files("ai_research_skills.lab.cuda") / "shim"))


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="cuda-on-host-")


def _workshop() -> Path:
    """Where this process keeps what it built; gone when it ends."""
    return Path(_folder().name)
