"""Compiles a cell for a GPU architecture with NVIDIA's run-time compiler, which needs no GPU."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "cell.cu"


class CompileError(ValueError):
    """A text that a compiler did not take.

    Attributes:
        line: Of the first error in the cell; 0 where the compiler names none.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line

    @classmethod
    def from_compiler(cls, output: str, file: str) -> CompileError:
        """Read the output of g++ or NVRTC, both of which call the cell `file`."""
        match = re.search(
            rf"^{re.escape(file)}(?::(\d+)(?::\d+)?|\((\d+)\)): (?:fatal |catastrophic )?error", output, re.M
        )
        line = int(match[1] or match[2]) if match else 0
        place = f"line {line} of the cell" if line else "the cell"
        return cls(f"{place} does not compile → {output.strip()}", line)


@dataclass(frozen=True)
class Compiled:
    """One kernel for one architecture.

    Attributes:
        symbol: Name of the kernel in `cubin`.
        cubin: Machine code.
        ptx: The assembly before it.
    """

    symbol: str
    cubin: bytes
    ptx: str


@functools.lru_cache(maxsize=256)
def compile_kernel(text: str, kernel: str, architecture: str) -> Compiled:
    """Compile `text` for `architecture`, `sm_90`, and find `kernel`, a name expression such as `sgemm<64, 8>`.

    Raises:
        CompileError: NVRTC did not take the text or the expression.
        ModuleNotFoundError: The bindings are not installed.
    """
    nvrtc = _bindings()
    program = _done(nvrtc, nvrtc.nvrtcCreateProgram(text.encode(), FILE.encode(), 0, [], []))
    try:
        _done(nvrtc, nvrtc.nvrtcAddNameExpression(program, kernel.encode()))
        options = [
            f"--gpu-architecture={architecture}",
            "--std=c++20",
            "--generate-line-info",
            *(f"-I{each}" for each in _includes()),
        ]
        (status,) = nvrtc.nvrtcCompileProgram(program, len(options), [each.encode() for each in options])
        if int(status):
            log = _bytes(nvrtc, nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
            raise CompileError.from_compiler(log.rstrip(b"\0 ").decode(errors="replace"), FILE)
        symbol = _done(nvrtc, nvrtc.nvrtcGetLoweredName(program, kernel.encode())).decode()
        ptx = _bytes(nvrtc, nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program).rstrip(b"\0").decode()
        cubin = _bytes(nvrtc, nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    return Compiled(symbol, cubin, ptx)


def _bytes(nvrtc: Any, size: Any, read: Any, program: Any) -> bytes:
    buffer = b" " * int(_done(nvrtc, size(program)))
    _done(nvrtc, read(program, buffer))
    return buffer


def _done(nvrtc: Any, answer: tuple[Any, ...]) -> Any:
    status, *values = answer
    if int(status):
        raise RuntimeError(f"NVRTC failed: {nvrtc.nvrtcGetErrorString(status)[1].decode()}")
    return values[0] if values else None


def _bindings() -> Any:
    try:
        return importlib.import_module("cuda.bindings.nvrtc")
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("no CUDA bindings → pip install 'ai-research-skills[lab]'") from missing


def _includes() -> list[str]:
    """Folders with `cuda_fp16.h` and its like, which come with the wheels that torch and cuda-core depend on."""
    found = importlib.util.find_spec("nvidia")
    roots = list(found.submodule_search_locations or ()) if found else []
    folders = [folder for root in roots for folder in Path(root).glob("cu[0-9]*/include")]
    return [str(each) for folder in folders for each in (folder, folder / "cccl") if each.is_dir()]
