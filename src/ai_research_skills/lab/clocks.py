"""Clocks, power and temperature of the GPU: why the same kernel was slower today."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import asdict, dataclass

_QUERY = "clocks.sm,clocks.mem,clocks.max.sm,power.draw,power.limit,temperature.gpu"


@dataclass(frozen=True)
class Clocks:
    """What `nvidia-smi` says of a GPU at one moment.

    Attributes:
        sm_mhz: Clock of the multiprocessors, in MHz.
        memory_mhz: Clock of the memory, in MHz.
        sm_max_mhz: Highest clock of the multiprocessors, in MHz.
        power_watts: Power drawn, in watts.
        power_limit_watts: Power at which the clocks are lowered, in watts.
        temperature_celsius: Temperature of the chip, in degrees Celsius.
    """

    sm_mhz: float
    memory_mhz: float
    sm_max_mhz: float
    power_watts: float
    power_limit_watts: float
    temperature_celsius: float

    def as_json(self) -> dict[str, float]:
        """Plain data, with the attributes as keys."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"SM {self.sm_mhz:.0f} of {self.sm_max_mhz:.0f} MHz, memory {self.memory_mhz:.0f} MHz, "
            f"{self.power_watts:.0f} of {self.power_limit_watts:.0f} W, {self.temperature_celsius:.0f} °C"
        )


def read_clocks() -> Clocks | None:
    """Ask `nvidia-smi` about the first visible GPU; None on a host, or where a number is missing.

    An idle GPU lowers its clocks within a second: ask while it works, before the notebook waits for the result.
    """
    smi = shutil.which("nvidia-smi")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if smi is None or visible == "":
        return None
    command = [smi, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    if visible:
        command += ["-i", visible.split(",")[0]]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return Clocks(*map(float, answer.stdout.splitlines()[0].split(",")))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError, TypeError):
        # A slice of a GPU or a virtual one answers [N/A], an old driver does not know every field.
        return None
