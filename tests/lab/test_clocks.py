import json
import os
from pathlib import Path

import pytest

from ai_research_skills.lab.clocks import Clocks, read_clocks


def fake_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_first_gpu_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_smi(tmp_path, monkeypatch, "echo '1830, 3201, 1980, 612.40, 700.00, 61'\necho '1, 2, 3, 4, 5, 6'")
    found = read_clocks()
    assert found == Clocks(1830, 3201, 1980, 612.4, 700, 61)
    assert json.loads(json.dumps(found.as_json()))["power_limit_watts"] == 700
    assert str(found) == "SM 1830 of 1980 MHz, memory 3201 MHz, 612 of 700 W, 61 °C"


def test_the_fields_are_asked_for_in_the_order_in_which_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = "clocks.sm:1 clocks.mem:2 clocks.max.sm:3 power.draw:4 power.limit:5 temperature.gpu:6"
    fake_smi(
        tmp_path,
        monkeypatch,
        f'for field in $(echo "${{1#--query-gpu=}}" | tr , " "); do for pair in {answers}; do '
        '[ "${pair%:*}" = "$field" ] && printf "%s," "${pair#*:}"; done; done | sed "s/,$//"',
    )
    assert read_clocks() == Clocks(
        sm_mhz=1,
        memory_mhz=2,
        sm_max_mhz=3,
        power_watts=4,
        power_limit_watts=5,
        temperature_celsius=6,
    )


def test_a_visible_device_is_asked_for_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_smi(tmp_path, monkeypatch, 'for last; do :; done; echo "$last, 2, 3, 4, 5, 6"')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,2")
    found = read_clocks()
    assert found is not None
    assert found.sm_mhz == 7


@pytest.mark.parametrize(
    "body", ["echo '1830, 3201, 1980, [N/A], 700.00, 61'", "echo '1, 2'", "exit 9", "true"]
)
def test_an_answer_with_holes_is_no_answer(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_smi(tmp_path, monkeypatch, body)
    assert read_clocks() is None


def test_a_hidden_gpu_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_smi(tmp_path, monkeypatch, "echo '1, 2, 3, 4, 5, 6'")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert read_clocks() is None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert read_clocks() is None
