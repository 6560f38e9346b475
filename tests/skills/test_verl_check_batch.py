"""The batch checker of the skill `verl`, run as a user runs it; the verdicts are those of verl 0.9.1's validate_config."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "skills/06-post-training/verl/scripts/check_batch.py"

GOOD = [
    "algorithm.adv_estimator=grpo",
    "actor_rollout_ref.rollout.name=vllm",
    "actor_rollout_ref.rollout.n=8",
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=16",
    "actor_rollout_ref.actor.ppo_mini_batch_size=32",
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=4",
    "data.train_batch_size=128",
]


def check(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *words], capture_output=True, text=True, check=False)


def test_a_sound_run_passes_with_its_sizes() -> None:
    result = check(*GOOD)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "1024 responses a step, 4 updates, 32 responses a rank and update\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("data.train_batch_size=16", "train_batch_size (16) is below ppo_mini_batch_size (32)"),
        ("data.train_batch_size=48", "no multiple of ppo_mini_batch_size (32)"),
        ("actor_rollout_ref.rollout.n=1", "no group to compare with"),
        ("actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=null", "set ppo_micro_batch_size_per_gpu"),
        ("actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=5", "32 responses a rank do not divide"),
        (
            "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=null",
            "rollout.log_prob_micro_batch_size",
        ),
        ("actor_rollout_ref.actor.use_kl_loss=True", "ref.log_prob_micro_batch_size_per_gpu"),
        (
            "actor_rollout_ref.rollout.tensor_model_parallel_size=3",
            "do not divide by the rollout's tensor parallel",
        ),
        ("trainer.n_gpus_per_node=7", "do not divide by 7 data-parallel ranks"),
        ("custom_reward_function.path=mine.py", "is accepted and not read by main_ppo"),
        ("actor_rollout_ref.rollout.mode=sync", "was removed"),
    ],
)
def test_each_fault_is_named(change: str, says: str) -> None:
    result = check(*GOOD, change)
    assert result.returncode == 1
    assert says in result.stdout


def test_dynamic_batches_need_a_budget_of_one_sequence() -> None:
    dynamic = ["actor_rollout_ref.actor.use_dynamic_bsz=True", "data.max_response_length=32768"]
    result = check(*GOOD, *dynamic)
    assert result.returncode == 1
    assert "(16384) x Ulysses (1) is below prompt + response (33280)" in result.stdout
    sequence_parallel = "actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size=4"
    assert check(*GOOD, *dynamic, sequence_parallel).returncode == 0


def test_megatron_counts_its_parallel_sizes() -> None:
    megatron = ["model_engine=megatron", "actor_rollout_ref.actor.megatron.tensor_model_parallel_size=4"]
    result = check(*GOOD, *megatron)
    assert (result.returncode, "128 responses a rank" in result.stdout) == (0, True)


def test_the_separate_trainer_asserts_three_things() -> None:
    separate = "trainer.v1.trainer_mode=separate_async"
    pool = ["actor_rollout_ref.rollout.nnodes=1", "actor_rollout_ref.rollout.checkpoint_engine.backend=nccl"]
    assert check(*GOOD, separate, *pool).returncode == 0
    result = check(*GOOD, separate, "data.train_batch_size=64")
    assert result.returncode == 1
    assert "rollout.nnodes above 0" in result.stdout
    assert "such as nccl" in result.stdout
    assert "train_batch_size (64) = parameter_sync_step (4) x mini-batch (32)" in result.stdout


def test_a_launch_script_is_read_with_its_variables_and_lines(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text(
        "batch=${BATCH:-48}\n# data.train_batch_size=1\npython3 -m verl.trainer.main_ppo \\\n"
        + " \\\n".join(GOOD[:-1])
        + " \\\n  data.train_batch_size=${batch}\n"
    )
    result = check(str(script))
    assert result.returncode == 1
    assert f"{script}:10: train_batch_size (48) is no multiple" in result.stdout


def test_usage() -> None:
    assert check().returncode == 2
    assert check("missing.sh").returncode == 2
    assert "Exit status" in check("--help").stdout
