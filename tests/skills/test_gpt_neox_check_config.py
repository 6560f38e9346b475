"""What the checker of NeoX configurations says, on files as people write them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "skills/01-model-architecture/gpt-neox/scripts/check_config.py"
MODEL = """{
  # comments and trailing commas are YAML
  "pipe_parallel_size": 1, "model_parallel_size": 2,
  "num_layers": 6, "hidden_size": 512, "num_attention_heads": 8,
  "seq_length": 2048, "max_position_embeddings": 2048,
  "train_micro_batch_size_per_gpu": 16, "gradient_accumulation_steps": 4,
  "zero_optimization": {"stage": 1}, "train_iters": 10,
}
"""


def check(folder: Path, *files: str, gpus: int = 32, more: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit status and output of the script for files with these texts."""
    paths = []
    for number, text in enumerate(files):
        paths.append(f"{number}.yml")
        (folder / paths[-1]).write_text(text)
    command = [sys.executable, str(SCRIPT), "--gpus", str(gpus), *more, *paths]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_a_sound_file_is_told_its_batch(tmp_path: Path) -> None:
    assert check(tmp_path, MODEL) == (0, "1024 sequences a step: 16 a GPU, 4 accumulated, 16 replicas\n")


@pytest.mark.parametrize(
    ("second", "line"),
    [
        ("num-layers: 10", "1.yml:1: num-layers replaces num_layers of 0.yml:4 without a message"),
        ("num_layers: 10", "1.yml:1: num_layers is a duplicate of 0.yml:4, which NeoX refuses"),
        (
            "optimizer: {params: {lr: 6e-4}}",
            "optimizer.params.lr is the text '6e-4', not a number → write 6.0e-4",
        ),
        ("save: out", "save without checkpoint_factor or extra_save_iters"),
        ("data_path: 'a,b'", "data_path holds several prefixes"),
        ("bf16: {enabled: true}", "bf16 and ZeRO in a pipeline without float32 gradients"),
        ("num_kv_heads: 3", "num_attention_heads 8 is no multiple of num_kv_heads 3"),
        ("train_batch_size: 100", "train_batch_size 100 is not 16 * 4 * 16"),
    ],
)
def test_what_would_go_wrong_is_named_with_its_place(tmp_path: Path, second: str, line: str) -> None:
    status, said = check(tmp_path, MODEL, second)
    assert status == 1
    assert line in said


def test_zero_2_and_3_exclude_the_pipeline_engine(tmp_path: Path) -> None:
    status, said = check(tmp_path, MODEL.replace('"stage": 1', '"stage": 3'))
    assert status == 1
    assert "ZeRO stage 3 with pipe_parallel_size 1 → set pipe_parallel_size to 0" in said
    assert "ZeRO stage 3 with model_parallel_size above 1" in said


def test_gpus_that_do_not_divide_get_the_message_of_neox(tmp_path: Path) -> None:
    twenty = MODEL.replace('"pipe_parallel_size": 1', '"pipe_parallel_size": 4')
    status, said = check(tmp_path, twenty, gpus=4)
    assert status == 1
    assert "(global_num_gpus / pp_size) / mp_size [(4 / 4) / 2] must be a whole number" in said


def test_keys_are_those_of_the_checkout(tmp_path: Path) -> None:
    arguments = tmp_path / "neox/megatron/neox_arguments"
    arguments.mkdir(parents=True)
    names = [line.split('"')[1::2] for line in MODEL.splitlines() if '"' in line]
    fields = {name for line in names for name in line} | {"checkpoint_factor"}
    (arguments / "neox_args.py").write_text(
        "class A:\n" + "".join(f"    {name}: int = 0\n" for name in fields)
    )
    (arguments / "deepspeed_args.py").write_text("")
    assert check(tmp_path, MODEL, more=("--neox", "neox"))[0] == 0
    status, said = check(tmp_path, MODEL, "checkpoint_facto: 10", more=("--neox", "neox"))
    assert status == 1
    assert "checkpoint_facto is no argument of this checkout → did you mean checkpoint_factor?" in said


@pytest.mark.parametrize("text", ["- a\n", "{", ""])
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    status, said = check(tmp_path, text)
    assert status == 2
    assert said.startswith("0.yml: ")
    assert "Traceback" not in said
