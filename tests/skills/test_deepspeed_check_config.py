"""What the checker of DeepSpeed configurations says, on files as people write them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "skills/08-distributed-training/deepspeed/scripts/check_config.py"
SOUND = {"train_micro_batch_size_per_gpu": 4, "gradient_clipping": 1.0}


def check(folder: Path, config: dict[str, object] | str, *options: str) -> tuple[int, list[str]]:
    """Exit status and lines of the script for a file with this configuration."""
    text = config if isinstance(config, str) else json.dumps(config, indent=1)
    (folder / "ds.json").write_text(text, encoding="utf-8")
    command = [sys.executable, str(SCRIPT), *options, "ds.json"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return result.returncode, (result.stdout + result.stderr).splitlines()


def test_a_sound_file_says_nothing(tmp_path: Path) -> None:
    zero = {
        "stage": 3,
        "offload_param": {"device": "nvme", "nvme_path": "/a"},
        "stage3_max_live_parameters": 1e9,
    }
    config = {**SOUND, "train_batch_size": 64, "bf16": {"enabled": True}, "zero_optimization": zero}
    assert check(tmp_path, config, "--world-size", "8") == (0, [])


def test_comments_and_trailing_commas_are_read_as_deepspeed_reads_them(tmp_path: Path) -> None:
    text = '{"train_batch_size": 8, // "a": 1\n"gradient_clipping": 0.0,\n# no\n}'
    assert check(tmp_path, text) == (0, [])


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"zero_optimisation": {"stage": 3}}, "unknown to 0.19.8; did you mean zero_optimization?"),
        ({"amp": {"enabled": False}}, "amp: removed: 0.19.8 raises DeepSpeedConfigError"),
        ({"zero_optimization": {"stage": 3, "mics_shard_size": 8}}, "mics_shard_size: removed"),
        ({"bf16": {"enabled": True, "loss_scale": 0}}, "bf16.loss_scale: unknown"),
        ({"bf16": {"enabled": "auto"}}, 'bf16.enabled: "auto" without a framework: dropped'),
        ({"gradient_accumulation_steps": "auto"}, "fails later as a string"),
        ({"zero_optimization": {"stage": 2, "offload_param": {}}}, "offload_param: has no effect at stage 2"),
        ({"bf16": {"enabled": True}, "fp16": {"enabled": True}}, "bf16: enabled together with fp16"),
        ({"optimizer": {"type": "OneBitAdam", "params": {}}}, "OneBitAdam was removed in 0.19.7"),
        ({"optimizer": {"type": "Adam", "params": {"max_grad_norm": 1}}}, "use gradient_clipping"),
        (
            {"zero_optimization": {"stage": 3, "offload_param": {"device": "nvme"}}},
            "nvme_path: missing, and not noticed before the first swap",
        ),
    ],
)
def test_what_deepspeed_ignores_or_refuses(tmp_path: Path, more: dict[str, object], line: str) -> None:
    status, lines = check(tmp_path, {**SOUND, **more})
    assert status == 1
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.parametrize(
    ("batch", "world", "line"),
    [
        (
            {"train_batch_size": 8, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 1},
            "1",
            "8 is not 2 a GPU x 1 steps x 1 ranks",
        ),
        (
            {"train_batch_size": 7, "train_micro_batch_size_per_gpu": 2},
            "1",
            "7 is not 2 a GPU x 3 steps x 1 ranks",
        ),
        ({}, "1", "neither it nor train_micro_batch_size_per_gpu"),
    ],
)
def test_the_batch_is_computed_as_deepspeed_does(
    tmp_path: Path, batch: dict[str, object], world: str, line: str
) -> None:
    status, lines = check(tmp_path, {"gradient_clipping": 1.0, **batch}, "--world-size", world)
    assert status == 1
    assert line in lines[0]


def test_the_trainer_fills_only_what_it_knows(tmp_path: Path) -> None:
    zero = {"stage": 3, "reduce_bucket_size": "auto", "sub_group_size": "auto"}
    config = {"train_batch_size": "auto", "gradient_clipping": "auto", "zero_optimization": zero}
    status, lines = check(tmp_path, config, "--framework", "trainer")
    assert status == 1
    assert lines == [
        'ds.json:7: zero_optimization.sub_group_size: "auto", which the Trainer does not fill in'
    ]


@pytest.mark.parametrize("text", ["[1]", "{", '{"train_batch_size": 1, "train_batch_size": 2}'])
def test_what_cannot_be_read_is_an_error_of_usage(tmp_path: Path, text: str) -> None:
    status, lines = check(tmp_path, text)
    assert status == 2
    assert lines[0].startswith("ds.json")
