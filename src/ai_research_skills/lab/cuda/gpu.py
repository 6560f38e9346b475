"""Launches a compiled kernel on the GPU, on torch's current stream, without waiting for it."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import Any

from ai_research_skills.lab.cuda.arguments import Argument
from ai_research_skills.lab.cuda.host import Dim
from ai_research_skills.lab.cuda.nvrtc import compile_kernel

STATIC_SHARED_BYTES = 48 * 1024
"""Dynamic shared memory beyond this must be asked for (CUDA C++ Programming Guide, compute capability 7.x and up)."""


class TorchStream:
    """Torch's current stream in the words of the protocol that `cuda.core.launch` takes."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        """Version of the protocol, and the address of the stream."""
        return 0, self.handle


def launch(
    text: str, kernel: str, *, grid: Dim, block: Dim, arguments: Sequence[Argument], shared_bytes: int = 0
) -> None:
    """Enqueue `kernel`; the first time it is compiled for the current device.

    Raises:
        ValueError: A pointer argument is not on the current CUDA device.
        CompileError: NVRTC did not take the text.
    """
    torch: Any = importlib.import_module("torch")
    core: Any = importlib.import_module("cuda.core")
    device = torch.cuda.current_device()
    for each in arguments:
        if each.parameter.pointer and not (each.on_gpu() and each.value.device.index == device):
            raise ValueError(f"argument `{each.parameter}` is not on CUDA device {device} → pass x.cuda()")
    ready = _loaded(text, kernel, device)
    if shared_bytes > STATIC_SHARED_BYTES:
        ready.attributes.max_dynamic_shared_size_bytes = shared_bytes
    config = core.LaunchConfig(grid=grid, block=block, shmem_size=shared_bytes)
    core.launch(TorchStream(torch.cuda.current_stream().cuda_stream), config, ready, *values(arguments))


def values(arguments: Sequence[Argument]) -> list[Any]:
    """Arguments as `cuda.core.launch` packs them: addresses as int, numbers as numpy scalars of their exact type."""
    numpy: Any = importlib.import_module("numpy")
    return [
        each.address() if each.parameter.pointer else numpy.dtype(each.dtype).type(each.value)
        for each in arguments
    ]


def architecture(capability: tuple[int, int]) -> str:
    """Architecture of a device, with the features that only it has (`sm_90a` has wgmma, `sm_90` does not)."""
    major, minor = capability
    return f"sm_{major}{minor}{'a' if major >= 9 else ''}"


@functools.cache
def _loaded(text: str, kernel: str, device: int) -> Any:
    """The kernel on `device`, whose context torch has made current."""
    torch: Any = importlib.import_module("torch")
    core: Any = importlib.import_module("cuda.core")
    core.Device(device).set_current()
    compiled = compile_kernel(text, kernel, architecture(torch.cuda.get_device_capability(device)))
    return core.ObjectCode.from_cubin(compiled.cubin, name=kernel).get_kernel(compiled.symbol)
