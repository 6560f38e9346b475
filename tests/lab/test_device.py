import json
import shutil
import subprocess
import sys

import pytest

from ai_research_skills.lab import device as module
from ai_research_skills.lab.device import DEVICE_MIME, Device, discover


def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)


def test_without_torch_there_is_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    without_torch(monkeypatch)
    found = discover()
    assert found.kind == "cpu"
    assert found.name
    assert found.units >= 1
    assert found.capability is None
    assert found.cuda is None


def test_a_cuda_device_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        name, multi_processor_count, total_memory, major, minor = "NVIDIA H200", 132, 150 * 10**9, 9, 0

    class Torch:
        class cuda:
            @staticmethod
            def is_available() -> bool:
                return True

            @staticmethod
            def get_device_properties(_: int) -> Properties:
                return Properties()

        class version:
            cuda = "13.2"

    monkeypatch.setitem(sys.modules, "torch", Torch)
    monkeypatch.setattr(module, "_driver", lambda: "590.1")
    found = discover()
    assert (found.kind, found.capability, found.cuda, found.driver) == ("cuda", (9, 0), "13.2", "590.1")
    assert "compute capability 9.0" in str(found)


def test_choose_goes_by_kind() -> None:
    assert Device("a", "cpu", 1, 1).choose(cpu=3, cuda=4) == 3
    assert Device("a", "cuda", 1, 1).choose(cpu=3, cuda=4) == 4


def test_the_output_bundle_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    without_torch(monkeypatch)
    bundle = discover()._repr_mimebundle_()
    assert json.loads(json.dumps(bundle[DEVICE_MIME]))["kind"] == "cpu"
    assert "cpu" in bundle["text/plain"]


def test_a_driver_that_cannot_be_asked_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/nvidia-smi")

    def fails(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 20)

    monkeypatch.setattr(subprocess, "run", fails)
    assert module._driver() is None


def test_importing_the_lab_imports_no_heavy_library() -> None:
    code = (
        "import sys, ai_research_skills.lab; "
        "print([m for m in ('torch', 'triton', 'matplotlib', 'numpy', 'IPython') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
