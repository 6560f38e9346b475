"""CUDA C++ text that runs on a GPU and on a host, and can be looked into on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ai_research_skills.lab.cuda import findings, gpu, host, traffic
from ai_research_skills.lab.cuda.arguments import Argument, check
from ai_research_skills.lab.cuda.nvrtc import compile_kernel
from ai_research_skills.lab.cuda.signature import Kernel, kernels, parameters_of
from ai_research_skills.lab.machine_code import MachineCode

MOST_THREADS = 1024
"""In a block, on every architecture since compute capability 2.0."""


class HasKind(Protocol):
    """A `lab.Device`, as far as a launch looks at it."""

    @property
    def kind(self) -> Literal["cuda", "cpu"]:
        """Which of the two."""


@dataclass(frozen=True)
class Source:
    """A text of CUDA C++ with one or more `__global__` functions.

    Every method takes the kernel as a name, or for a template as an expression such as `sgemm<64, 8>`; `grid` and
    `block` as an int or up to three; and `arguments` as contiguous tensors or arrays for pointers and numbers for the
    rest. Those are checked against the parameters before anything runs: a wrong one is a ValueError or a TypeError
    that names it. The checks and the trace run on the host on copies, and take CUDA tensors as well.

    Attributes:
        text: What NVRTC and g++ compile; both get the same.
    """

    text: str

    @property
    def kernels(self) -> Mapping[str, Kernel]:
        """The `__global__` functions by name."""
        return kernels(self.text)

    def launch(
        self,
        kernel: str,
        *,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        arguments: Sequence[Any],
        device: HasKind | Literal["cuda", "cpu"],
        shared_bytes: int = 0,
    ) -> None:
        """Run `kernel` and let it write to the arrays among `arguments`.

        On a GPU the launch goes to torch's current stream and returns at once, so events can time it. On a host it
        returns when the kernel has ended; what it printed is printed.

        Args:
            kernel: Name or expression.
            grid: Blocks.
            block: Threads of a block, at most 1024.
            arguments: In the kernel's order.
            device: What `discover` returned, or its kind.
            shared_bytes: Dynamic shared memory of a block.

        Raises:
            CompileError: The text does not compile; it names the line.
            KernelError: On a host, the kernel hangs at a barrier, crashes or does not end.
        """
        checked = self._check(kernel, arguments)
        shape = (_dim("grid", grid), _dim("block", block))
        kind = device if isinstance(device, str) else device.kind
        if kind == "cuda":
            gpu.launch(
                self.text, kernel, grid=shape[0], block=shape[1], arguments=checked, shared_bytes=shared_bytes
            )
            return
        for each in checked:
            if each.on_gpu():
                raise ValueError(
                    f"argument `{each.parameter}` is on a GPU, the launch on the host → pass x.cpu()"
                )
        ran = self._run(kernel, host.PLAIN, shape, checked, shared_bytes, keep=True)
        if ran.printed:
            print(ran.printed, end="")

    def find_races(
        self,
        kernel: str,
        *,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        arguments: Sequence[Any],
        shared_bytes: int = 0,
    ) -> tuple[findings.Finding, ...]:
        """Look for races: two threads at one address, one of them writing, and nothing that orders them.

        Barriers order a block, warp operations their lanes, and nothing orders two blocks; atomics order nothing but
        themselves. The accesses are those that ThreadSanitizer's instrumentation sees, the judge is ours. Whether a
        race is found does not depend on luck: the threads are ordered by their barriers alone, not by when they ran.
        """
        shape = (_dim("grid", grid), _dim("block", block))
        ran = self._run(kernel, host.RACES, shape, self._check(kernel, arguments), shared_bytes)
        return findings.races(self.text, ran)

    def find_bad_accesses(
        self,
        kernel: str,
        *,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        arguments: Sequence[Any],
        shared_bytes: int = 0,
    ) -> tuple[findings.Finding, ...]:
        """Run under AddressSanitizer: accesses outside the arguments and shared arrays, and indices too large."""
        shape = (_dim("grid", grid), _dim("block", block))
        ran = self._run(kernel, host.BOUNDS, shape, self._check(kernel, arguments), shared_bytes)
        return findings.bad_accesses(self.text, ran)

    def trace(
        self,
        kernel: str,
        *,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        arguments: Sequence[Any],
        shared_bytes: int = 0,
    ) -> traffic.Traffic:
        """Count sectors and bank conflicts of every line; `lab.cuda.traffic` says what is modelled."""
        shape = (_dim("grid", grid), _dim("block", block))
        ran = self._run(kernel, host.TRACE, shape, self._check(kernel, arguments), shared_bytes)
        return traffic.read_traffic(self.text, ran)

    def compile_for(self, kernel: str, architecture: str = "sm_90") -> MachineCode:
        """Machine code for `architecture`, made by NVRTC; needs no GPU.

        Raises:
            CompileError: The text does not compile; it names the line.
        """
        parameters_of(self.text, kernel)
        compiled = compile_kernel(self.text, kernel, architecture)
        return MachineCode.from_cubin(
            compiled.cubin, kernel=compiled.symbol, architecture=architecture, ptx=compiled.ptx
        )

    def _check(self, kernel: str, arguments: Sequence[Any]) -> tuple[Argument, ...]:
        return check(kernel, parameters_of(self.text, kernel), arguments)

    def _run(
        self,
        kernel: str,
        mode: host.Mode,
        shape: tuple[host.Dim, host.Dim],
        arguments: Sequence[Argument],
        shared_bytes: int,
        *,
        keep: bool = False,
    ) -> host.Run:
        grid, block = shape
        threads = block[0] * block[1] * block[2]
        if threads > MOST_THREADS:
            raise ValueError(f"a block of {block} has {threads} threads → at most {MOST_THREADS}")
        return host.run(
            self.text,
            kernel,
            mode,
            grid=grid,
            block=block,
            arguments=arguments,
            shared_bytes=shared_bytes,
            keep=keep,
        )


def _dim(name: str, value: int | Sequence[int]) -> host.Dim:
    sizes = (value,) if isinstance(value, int) else tuple(value)
    if not 1 <= len(sizes) <= 3 or any(each < 1 for each in sizes):
        raise ValueError(f"{name} is {value} → give one to three positive numbers")
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z
