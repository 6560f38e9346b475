from dataclasses import replace

import pytest

from ai_research_skills.lab.datasheets import DATASHEETS, Datasheet, datasheet
from ai_research_skills.lab.device import Device


def gpu(name: str) -> Device:
    return Device(name, "cuda", 132, 1)


def test_an_h200_is_found_with_its_dense_rates() -> None:
    sheet = datasheet(gpu("NVIDIA H200"))
    assert sheet is not None
    assert (sheet.name, sheet.bandwidth_gb_s) == ("H200 SXM", 4800)
    assert sheet.tflops["bf16"] == pytest.approx(1979 / 2)
    assert sheet.tflops["fp8"] == 1979


@pytest.mark.parametrize(
    ("reported", "name"),
    [
        ("NVIDIA H100 80GB HBM3", "H100 SXM"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA A100-SXM4-80GB", "A100 80GB SXM"),
        ("Tesla T4", "T4"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA GeForce RTX 4090", "GeForce RTX 4090"),
    ],
)
def test_devices_are_known_by_the_name_that_cuda_gives_them(reported: str, name: str) -> None:
    sheet = datasheet(gpu(reported))
    assert sheet is not None
    assert sheet.name == name


@pytest.mark.parametrize("name", ["NVIDIA H100 NVL", "NVIDIA H200 MIG 3g.71gb", "NVIDIA L40", "Radeon"])
def test_a_relative_of_a_known_device_is_unknown(name: str) -> None:
    assert datasheet(gpu(name)) is None


def test_a_host_has_no_datasheet() -> None:
    assert datasheet(replace(gpu("NVIDIA H200"), kind="cpu")) is None


@pytest.mark.parametrize("sheet", list(DATASHEETS.values()))
def test_rates_are_dense_and_sourced(sheet: Datasheet) -> None:
    assert all(address.startswith("https://") for address in sheet.source)
    assert sheet.tflops["int8"] == pytest.approx(2 * sheet.tflops["fp16"], rel=0.02) or "RTX" in sheet.name
    assert sheet.tflops.get("bf16", sheet.tflops["fp16"]) == sheet.tflops["fp16"]
    if "tf32" in sheet.tflops:
        assert sheet.tflops["tf32"] == pytest.approx(sheet.tflops["bf16"] / 2, rel=0.02)
