"""The layout checker of the skill megatron-lm, run as a user runs it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "skills/08-distributed-training/megatron-lm/scripts/check_layout.py"
MODEL = (
    "--num-layers 32 --hidden-size 4096 --ffn-hidden-size 11008 --num-attention-heads 32 --seq-length 4096 "
    "--max-position-embeddings 4096 --micro-batch-size 1 --global-batch-size 256 --bf16 --swiglu --normalization RMSNorm "
    "--disable-bias-linear --untie-embeddings-and-output-weights"
)


def run(folder: Path, text: str, *options: str) -> tuple[int, str, str]:
    file = folder / "launch.sh"
    file.write_text("export CUDA_DEVICE_MAX_CONNECTIONS=1\n" + text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(file), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.replace(str(folder), "."), done.stderr.replace(str(folder), ".")


def gibibytes(output: str) -> float:
    found = re.search(r"([\d.]+) GiB of weights", output)
    assert found
    return float(found[1])


@pytest.mark.parametrize(
    ("world", "extra", "expected"),
    [
        # compute_weight_and_optimizer_memory() of megatron-core 0.19.2 with padded_vocab_size=32000
        (
            16,
            "--tensor-model-parallel-size 2 --sequence-parallel --pipeline-model-parallel-size 2 --use-distributed-optimizer",
            15162034176,
        ),
        (8, "--use-distributed-optimizer", 50538117120),
        (
            16,
            "--num-experts 8 --tensor-model-parallel-size 2 --sequence-parallel --expert-model-parallel-size 8 "
            "--expert-tensor-parallel-size 1",
            99623706624,
        ),
    ],
)
def test_memory_is_what_the_package_computes(tmp_path: Path, world: int, extra: str, expected: int) -> None:
    code, out, err = run(tmp_path, f"{MODEL} {extra}\n", "--world-size", str(world), "--vocab", "32000")
    assert (code, err) == (0, "")
    assert gibibytes(out) == pytest.approx(expected / 2**30, abs=0.006)


def test_mixture_of_experts_matches_the_package(tmp_path: Path) -> None:
    text = (
        MODEL.replace("11008", "14336")
        + " --num-experts 8 --expert-model-parallel-size 8 --pipeline-model-parallel-size 4 --use-distributed-optimizer"
        " --group-query-attention --num-query-groups 8\n"
    )
    code, out, _ = run(tmp_path, text, "--world-size", "64", "--vocab", "32000")
    assert code == 0
    assert gibibytes(out) == pytest.approx(20063312640 / 2**30, abs=0.006)
    assert "46.703 billion" in out  # Mixtral 8x7B
    assert "experts: TP 1 x EP 8 x PP 4 x DP 2" in out


def test_reads_a_shell_script_with_variables_and_arrays(tmp_path: Path) -> None:
    text = """
TP=2
PP=${STAGES:-2}
GPUS=8
ARGS=(
    --num-layers 32 --hidden-size 4096   # a comment
    --ffn-hidden-size 11008 --num-attention-heads 32
    --seq-length 4096 --max-position-embeddings 4096
    --micro-batch-size 1 --global-batch-size 256
    --tensor-model-parallel-size $TP --sequence-parallel
    --pipeline-model-parallel-size ${PP}
)
torchrun --nnodes 2 --nproc-per-node $GPUS pretrain_gpt.py "${ARGS[@]}" --vocab-size 32000
"""
    code, out, err = run(tmp_path, text)
    assert (code, err) == (0, "")
    assert "world 16 = TP 2 x PP 2 x CP 1 x DP 4" in out
    assert "64 microbatches of 1" in out


@pytest.mark.parametrize(
    ("old", "new", "extra", "world", "finding"),
    [
        ("", "", "--tensor-model-parallel-size 3", 16, "16 is not divisible by TP x PP x CP = 3"),
        ("", "", "--tensor-model-parallel-size 6", 6, "32 heads are not a multiple of TP 6"),
        ("", "", "--pipeline-model-parallel-size 3", 24, "32 layers are not divisible by PP 3"),
        ("256", "250", "", 16, "global batch 250 is not divisible by micro batch 1 x DP 16 = 16"),
        ("--seq-length 4096", "--seq-length 4095", "--context-parallel-size 2", 16, "multiple of 2 x CP = 4"),
        ("--seq-length 4096", "--seq-length 8192", "", 16, "is smaller than the sequence length 8192"),
        ("", "", "--expert-model-parallel-size 2", 16, "needs --num-experts"),
        ("", "", "--num-experts 8 --expert-model-parallel-size 3", 48, "not a multiple of EP 3"),
        ("", "", "--num-experts 8 --tensor-model-parallel-size 2", 16, "need --sequence-parallel"),
        ("", "", "--overlap-param-gather --use-distributed-optimizer", 16, "needs --overlap-grad-reduce"),
        ("", "", "--sequence-parallel", 16, "switched off when TP is 1"),
        ("", "", "--fp16", 16, "exclude each other"),
        ("", "", "--num-query-groups 8", 16, "ignored without --group-query-attention"),
        (
            "",
            "",
            "--pipeline-model-parallel-size 2 --num-layers-per-virtual-pipeline-stage 4 --no-overlap-p2p-communication",
            16,
            "virtual stages need a larger PP",
        ),
        (
            "256",
            "24",
            "--pipeline-model-parallel-size 4 --num-layers-per-virtual-pipeline-stage 4",
            16,
            "6 microbatches leave 2 after groups of 4, fewer than PP 4",
        ),
        (
            "256",
            "40",
            "--pipeline-model-parallel-size 4 --num-layers-per-virtual-pipeline-stage 4"
            " --microbatch-group-size-per-virtual-pipeline-stage 8",
            16,
            "10 microbatches leave 2 after groups of 8",
        ),
        (
            "256",
            "8",
            "--pipeline-model-parallel-size 4 --num-layers-per-virtual-pipeline-stage 4",
            16,
            "must lie between PP 4 and the 2 microbatches of a step",
        ),
        (
            "--num-layers 32",
            "--hybrid-layer-pattern '*-*-|*-*-|*-*-'",
            "--pipeline-model-parallel-size 2",
            16,
            "3 segments of the pattern are not divisible by PP 2",
        ),
    ],
)
def test_finds_what_megatron_refuses(
    tmp_path: Path, old: str, new: str, extra: str, world: int, finding: str
) -> None:
    text = MODEL.replace(old, new) if old else MODEL
    code, out, _ = run(tmp_path, f"{text} {extra}\n", "--world-size", str(world))
    assert code == 1
    assert re.search(r"^\./launch\.sh(:\d+)?: .*" + re.escape(finding), out, re.MULTILINE)


def test_a_hybrid_pattern_counts_like_the_transformer_it_replaces(tmp_path: Path) -> None:
    options = ("--world-size", "8", "--vocab", "32000")
    _, plain, _ = run(tmp_path, MODEL + "\n", *options)
    _, hybrid, _ = run(
        tmp_path, MODEL.replace("--num-layers 32", f"--hybrid-layer-pattern '{'*-' * 32}'") + "\n", *options
    )
    assert gibibytes(plain) == gibibytes(hybrid)


def test_layers_that_are_not_counted_are_named(tmp_path: Path) -> None:
    text = MODEL.replace("--num-layers 32", "--hybrid-layer-pattern 'M*-MM*-'")
    _, out, _ = run(tmp_path, text + "\n", "--world-size", "8")
    assert "not counted: 3 layers" in out


def test_connections_are_asked_for(tmp_path: Path) -> None:
    """A launch script has to export the variable; a bare file of options is not where it belongs."""
    file = tmp_path / "launch.sh"
    for start, code in (("torchrun --nproc-per-node 8 pretrain_gpt.py ", 1), ("", 0)):
        file.write_text(
            f"{start}{MODEL} --tensor-model-parallel-size 2 --sequence-parallel\n", encoding="utf-8"
        )
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(file), "--world-size", "16"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code
        assert ("CUDA_DEVICE_MAX_CONNECTIONS=1" in done.stdout) is bool(code)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--num-layers $LAYERS\n", "launch.sh:2: --num-layers is '$LAYERS', not a number"),
        ("--num-layers\n", "launch.sh:2: --num-layers has no value"),
        ("--num-layers 2\n", "no --nproc-per-node in the file"),
        ("--nproc-per-node 8 --num-layers 2\n", "--hidden-size is missing"),
    ],
)
def test_says_where_the_input_is_unusable(tmp_path: Path, text: str, message: str) -> None:
    code, _, err = run(tmp_path, text)
    assert code == 2
    assert message in err


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path / "absent.sh")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "absent.sh" in done.stderr


def test_help_tells_the_exit_status() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Exit status" in done.stdout
