"""What the maker publishes about a device: the limits that a kernel cannot pass.

NVIDIA prints the rates of its tensor cores "with sparsity", which is twice what a dense product can reach. The
figures here are dense: half of what the sheet prints, where it prints only the sparse rate. Rates hold at the
published boost clock and with accumulation in FP32 (INT32 for `int8`), which is what PyTorch uses; a card that
boosts higher, as GeForce cards do, can pass them, and `lab.ceilings.limit_for` then takes what it measured.

What a multiprocessor holds is a matter of its compute capability (table "Technical Specifications per Compute
Capability": https://docs.nvidia.com/cuda/cuda-c-programming-guide/#features-and-technical-specifications).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ai_research_skills.lab.device import Device

_MIB, _KIB = 2**20, 2**10


@dataclass(frozen=True)
class Datasheet:
    """One device as its maker describes it.

    Attributes:
        name: Product, `H200 SXM`.
        bandwidth_gb_s: Memory bandwidth in GB/s, 10^9 bytes.
        tflops: Dense TFLOP/s (TOP/s for `int8`) under `fp32`, `tf32`, `bf16`, `fp16`, `fp8`, `int8`; a type that
            the tensor cores do not know is absent. `fp32` is that of the CUDA cores.
        l2_bytes: Second-level cache. CUDA reports the one at hand as
            `torch.cuda.get_device_properties(0).L2_cache_size`.
        shared_bytes_per_sm: Most shared memory of one multiprocessor; a block gets 1 KiB less from Ampere on.
        registers_per_sm: 32-bit registers of one multiprocessor.
        max_threads_per_sm: Threads that one multiprocessor keeps resident.
        source: Addresses of the maker's documents.
    """

    name: str
    bandwidth_gb_s: float
    tflops: Mapping[str, float]
    l2_bytes: int
    shared_bytes_per_sm: int
    registers_per_sm: int
    max_threads_per_sm: int
    source: tuple[str, ...]


def datasheet(device: Device) -> Datasheet | None:
    """The datasheet of `device`, by the name that CUDA gives it; None for a host and for a GPU not listed.

    Names are compared whole: an `NVIDIA H100 NVL` or a slice of a GPU (`… MIG 3g.71gb`) is none of these.
    """
    return DATASHEETS.get(device.name) if device.kind == "cuda" else None


def _tflops(**dense: float) -> Mapping[str, float]:
    return MappingProxyType(dense)


_HOPPER_PAPER = "https://resources.nvidia.com/en-us-tensor-core/gtc22-whitepaper-hopper"
_ADA_PAPER = "https://images.nvidia.com/aem-dam/Solutions/geforce/ada/nvidia-ada-gpu-architecture.pdf"

_HOPPER_SXM = _tflops(fp32=67, tf32=494.5, bf16=989.5, fp16=989.5, fp8=1979, int8=1979)
"""Half of the 989, 1,979, 1,979, 3,958 and 3,958 that the sheets of H100 and H200 print with sparsity."""

_H200 = Datasheet(
    name="H200 SXM",
    bandwidth_gb_s=4800,
    tflops=_HOPPER_SXM,
    # The H200's sheet is silent. A full GH100 has 60 MB, ten twelfths of which an H100 keeps with five of its
    # six memory stacks; an H200 has all six.
    l2_bytes=60 * _MIB,
    shared_bytes_per_sm=228 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=2048,
    source=("https://www.nvidia.com/en-us/data-center/h200/", _HOPPER_PAPER),
)
_H100_SXM = Datasheet(
    name="H100 SXM",
    bandwidth_gb_s=3350,
    tflops=_HOPPER_SXM,
    l2_bytes=50 * _MIB,
    shared_bytes_per_sm=228 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=2048,
    source=("https://www.nvidia.com/en-us/data-center/h100/", _HOPPER_PAPER),
)
_H100_PCIE = Datasheet(
    name="H100 PCIe",
    bandwidth_gb_s=2000,
    tflops=_tflops(fp32=51, tf32=378, bf16=756.5, fp16=756.5, fp8=1513, int8=1513),
    l2_bytes=50 * _MIB,
    shared_bytes_per_sm=228 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=2048,
    source=("https://www.nvidia.com/en-us/data-center/h100/", _HOPPER_PAPER),
)
_A100 = Datasheet(
    name="A100 80GB SXM",
    bandwidth_gb_s=2039,
    tflops=_tflops(fp32=19.5, tf32=156, bf16=312, fp16=312, int8=624),
    l2_bytes=40 * _MIB,
    shared_bytes_per_sm=164 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=2048,
    source=(
        "https://www.nvidia.com/content/dam/en-zz/Solutions/Data-Center/a100/pdf/"
        "nvidia-a100-datasheet-us-nvidia-1758950-r4-web.pdf",
        "https://images.nvidia.com/aem-dam/en-zz/Solutions/data-center/nvidia-ampere-architecture-whitepaper.pdf",
    ),
)
_L4 = Datasheet(
    name="L4",
    bandwidth_gb_s=300,
    tflops=_tflops(fp32=30.3, tf32=60, bf16=121, fp16=121, fp8=242.5, int8=242.5),
    l2_bytes=48 * _MIB,
    shared_bytes_per_sm=100 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=1536,
    source=("https://www.nvidia.com/en-us/data-center/l4/", _ADA_PAPER),
)
_L40S = Datasheet(
    name="L40S",
    bandwidth_gb_s=864,
    tflops=_tflops(fp32=91.6, tf32=183, bf16=362.05, fp16=362.05, fp8=733, int8=733),
    l2_bytes=96 * _MIB,
    shared_bytes_per_sm=100 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=1536,
    source=("https://www.nvidia.com/en-us/data-center/l40s/", _ADA_PAPER),
)
_T4 = Datasheet(
    name="T4",
    # 320 by the architecture paper, 256 bits at 10 Gbit/s; later product pages round down to 300.
    bandwidth_gb_s=320,
    tflops=_tflops(fp32=8.1, fp16=65, int8=130),
    l2_bytes=4 * _MIB,
    shared_bytes_per_sm=64 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=1024,
    source=(
        "https://www.nvidia.com/en-us/data-center/tesla-t4/",
        "https://images.nvidia.com/aem-dam/en-zz/Solutions/design-visualization/technologies/"
        "turing-architecture/NVIDIA-Turing-Architecture-Whitepaper.pdf",
    ),
)
_RTX_4090 = Datasheet(
    name="GeForce RTX 4090",
    bandwidth_gb_s=1008,
    # With accumulation in FP16 the sheet gives twice as much for fp16 and fp8.
    tflops=_tflops(fp32=82.6, tf32=82.6, bf16=165.2, fp16=165.2, fp8=330.3, int8=660.6),
    l2_bytes=72 * _MIB,
    shared_bytes_per_sm=100 * _KIB,
    registers_per_sm=65536,
    max_threads_per_sm=1536,
    source=(_ADA_PAPER,),
)

DATASHEETS: Mapping[str, Datasheet] = MappingProxyType(
    {
        "NVIDIA H200": _H200,
        "NVIDIA H100 80GB HBM3": _H100_SXM,
        "NVIDIA H100 PCIe": _H100_PCIE,
        "NVIDIA A100-SXM4-80GB": _A100,
        "A100-SXM4-80GB": _A100,
        "NVIDIA L4": _L4,
        "NVIDIA L40S": _L40S,
        "Tesla T4": _T4,
        "NVIDIA T4": _T4,
        "NVIDIA GeForce RTX 4090": _RTX_4090,
    }
)
"""Datasheets by the name that CUDA gives the device; older drivers leave out the maker."""
