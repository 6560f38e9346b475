"""The machine that a notebook runs on, found out and never configured."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

Choice = TypeVar("Choice")

DEVICE_MIME = "application/vnd.ai-research-skills.device+json"
"""Media type under which a displayed `Device` stands in a notebook's output."""

LIBRARIES = ("torch", "triton", "cuda-core", "numba", "numba-cuda", "numpy", "matplotlib")
"""Distributions whose versions decide what a notebook measures."""


@dataclass(frozen=True)
class Device:
    """The accelerator, or the host where there is none.

    Attributes:
        name: Marketing name, `NVIDIA H200` or the host's processor model.
        kind: `cuda` or `cpu`; also what `torch.device` takes.
        units: Streaming multiprocessors of a GPU, or the CPUs this process may use.
        memory_bytes: Memory of the GPU, or of the host; 0 where the host does not say.
        capability: Compute capability of a GPU, `(9, 0)` for Hopper; None on a host.
        driver: Version of the GPU driver; None on a host or where `nvidia-smi` is missing.
        cuda: CUDA version that torch was built for; None on a host.
        python: Version of the interpreter.
        libraries: Version of each installed distribution of `LIBRARIES`.
    """

    name: str
    kind: Literal["cuda", "cpu"]
    units: int
    memory_bytes: int
    capability: tuple[int, int] | None = None
    driver: str | None = None
    cuda: str | None = None
    python: str = field(default_factory=platform.python_version)
    libraries: Mapping[str, str] = field(default_factory=dict)

    def choose(self, *, cpu: Choice, cuda: Choice) -> Choice:
        """The value for this kind of device: sizes small enough for a host, or production shapes."""
        return cuda if self.kind == "cuda" else cpu

    def as_json(self) -> dict[str, Any]:
        """Plain data; `capability` is a list and `libraries` a dict."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain["capability"] = list(self.capability) if self.capability else None
        plain["libraries"] = dict(self.libraries)
        return plain

    def __str__(self) -> str:
        unit = "multiprocessors" if self.kind == "cuda" else "CPUs"
        parts = [f"{self.name} ({self.kind}, {self.units} {unit}, {self.memory_bytes / 2**30:.0f} GiB)"]
        if self.capability:
            parts.append(f"compute capability {self.capability[0]}.{self.capability[1]}")
        if self.cuda:
            parts.append(f"driver {self.driver or 'unknown'}, CUDA {self.cuda}")
        versions = (f"{name} {version}" for name, version in sorted(self.libraries.items()))
        parts.append(", ".join((f"Python {self.python}", *versions)))
        return "\n".join(parts)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": str(self), DEVICE_MIME: self.as_json()}


def discover() -> Device:
    """Find the device: the first CUDA device that torch sees, else the host.

    `CUDA_VISIBLE_DEVICES=""` is the way to force the host. Needs no torch: without it there is only the host.
    """
    libraries = MappingProxyType(dict(_versions()))
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        torch = None
    if torch is not None and torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        return Device(
            name=properties.name,
            kind="cuda",
            units=properties.multi_processor_count,
            memory_bytes=properties.total_memory,
            capability=(properties.major, properties.minor),
            driver=_driver(),
            cuda=torch.version.cuda,
            libraries=libraries,
        )
    return Device(
        name=_processor(),
        kind="cpu",
        units=_usable_cpus(),
        memory_bytes=_host_memory(),
        libraries=libraries,
    )


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in LIBRARIES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


def _driver() -> str | None:
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return None
    query = [smi, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = answer.stdout.split()
    return lines[0] if lines else None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown processor"


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _host_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0
