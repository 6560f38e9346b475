"""Check a DeepSpeed configuration against release 0.19.8: unknown, removed and ineffective keys, batch arithmetic, `auto`.

DeepSpeed drops an unknown key at the top level, an "auto" inside a block, and an option of another ZeRO stage without a
message. Reads JSON with `//`, `#` and `/* */` comments and trailing commas. Exit status: 0 fine, 1 findings, 2 usage.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RELEASE = "0.19.8"
BATCH = ("train_batch_size", "train_micro_batch_size_per_gpu", "gradient_accumulation_steps")
TOP = {
    "train_batch_size",
    "train_micro_batch_size_per_gpu",
    "gradient_accumulation_steps",
    "managed_gradient_accumulation",
    "steps_per_print",
    "dump_state",
    "disable_python_gc",
    "disable_allgather",
    "communication_data_type",
    "seq_parallel_communication_data_type",
    "prescale_gradients",
    "gradient_predivide_factor",
    "gradient_allreduce_op",
    "zero_optimization",
    "allgather_size",
    "activation_checkpointing",
    "comms_logger",
    "tensorboard",
    "wandb",
    "csv_monitor",
    "comet",
    "gradient_clipping",
    "fp16",
    "bf16",
    "bfloat16",
    "torch_autocast",
    "optimizer",
    "scheduler",
    "zero_allow_untested_optimizer",
    "zero_force_ds_cpu_optimizer",
    "flops_profiler",
    "wall_clock_breakdown",
    "memory_breakdown",
    "autotuning",
    "use_data_before_expert_parallelism",
    "hybrid_engine",
    "pipeline",
    "data_efficiency",
    "checkpoint",
    "data_types",
    "aio",
    "dataloader_drop_last",
    "log_level",
    "datastates_ckpt",
    "weight_quantization",
    "compile",
    "timers",
    "tensor_parallel",
    "expert_parallel",
    "vocabulary_size",
    "sequence_parallel_size",
    "checkpoint_serialization",
}
ZERO = {
    "stage",
    "contiguous_gradients",
    "reduce_scatter",
    "reduce_bucket_size",
    "use_multi_rank_bucket_allreduce",
    "allgather_partitions",
    "allgather_bucket_size",
    "overlap_comm",
    "compute_grad_norm",
    "load_from_fp32_weights",
    "elastic_checkpoint",
    "offload_param",
    "offload_optimizer",
    "zenflow",
    "sub_group_size",
    "cpu_offload_param",
    "cpu_offload_use_pin_memory",
    "cpu_offload",
    "prefetch_bucket_size",
    "stage3_prefetch_bucket_size",
    "param_persistence_threshold",
    "stage3_param_persistence_threshold",
    "model_persistence_threshold",
    "stage3_model_persistence_threshold",
    "max_live_parameters",
    "stage3_max_live_parameters",
    "max_reuse_distance",
    "stage3_max_reuse_distance",
    "gather_16bit_weights_on_model_save",
    "stage3_gather_16bit_weights_on_model_save",
    "module_granularity_threshold",
    "stage3_module_granularity_threshold",
    "use_all_reduce_for_fetch_params",
    "stage3_use_all_reduce_for_fetch_params",
    "allgather_sequential",
    "stage3_allgather_sequential",
    "stage3_gather_fp16_weights_on_model_save",
    "ignore_unused_parameters",
    "legacy_stage1",
    "round_robin_gradients",
    "parameter_alignment",
    "zero_hpz_partition_size",
    "zero_quantized_weights",
    "zero_quantized_nontrainable_weights",
    "zero_quantized_gradients",
    "memory_efficient_linear",
    "pipeline_loading_checkpoint",
    "override_module_apply",
    "log_trace_cache_warnings",
    "enable_sanity_checks",
    "save_muon_momentum_buffer_in_memory",
    "leaf_module",
}
BLOCKS: Mapping[str, set[str]] = {
    "zero_optimization": ZERO,
    "zero_optimization.offload_param": {
        "device",
        "nvme_path",
        "buffer_count",
        "buffer_size",
        "max_in_cpu",
        "pin_memory",
    },
    "zero_optimization.offload_optimizer": {
        "device",
        "nvme_path",
        "buffer_count",
        "pin_memory",
        "pipeline_read",
        "pipeline_write",
        "fast_init",
        "ratio",
        "super_offload",
        "cpuadam_cores_perc",
    },
    "bf16": {
        "enabled",
        "immediate_grad_update",
        "check_grad_overflow",
        "bf16_master_weights_and_grads",
        "bf16_optimizer_states",
    },
    "fp16": {
        "enabled",
        "auto_cast",
        "loss_scale",
        "initial_scale_power",
        "loss_scale_window",
        "hysteresis",
        "consecutive_hysteresis",
        "min_loss_scale",
        "fp16_master_weights_and_grads",
    },
    "activation_checkpointing": {
        "partition_activations",
        "number_checkpoints",
        "contiguous_memory_optimization",
        "synchronize_checkpoint_boundary",
        "profile",
        "cpu_checkpointing",
    },
    "aio": {
        "block_size",
        "queue_depth",
        "intra_op_parallelism",
        "single_submit",
        "overlap_events",
        "use_gds",
    },
    "optimizer": {"type", "params", "legacy_fusion"},
    "scheduler": {"type", "params"},
}
REMOVED = {
    "nebula",
    "compression_training",
    "amp",
    "quantize_training",
    "sparse_gradients",
    "eigenvalue",
    "sparse_attention",
    "elasticity",
    "graph_harvesting",
    "curriculum_learning",
    "progressive_layer_drop",
    "zero_optimization.mics_shard_size",
    "zero_optimization.mics_hierarchical_params_gather",
    "zero_optimization.zeropp_loco_param",
}
STAGE_3 = {key for key in ZERO if key.startswith("stage3_")} | {
    "offload_param",
    "zero_hpz_partition_size",
    "zero_quantized_weights",
    "zero_quantized_nontrainable_weights",
    "leaf_module",
}
FILLED = {
    *BATCH,
    "gradient_clipping",
    "fp16.enabled",
    "bf16.enabled",
    *(f"optimizer.params.{key}" for key in ("lr", "betas", "eps", "weight_decay")),
    *(
        f"scheduler.params.{key}"
        for key in ("warmup_min_lr", "warmup_max_lr", "warmup_num_steps", "total_num_steps")
    ),
    *(
        f"zero_optimization.{key}"
        for key in (
            "reduce_bucket_size",
            "stage3_prefetch_bucket_size",
            "stage3_param_persistence_threshold",
        )
    ),
}
"""What the Trainer of transformers 5.24.0 fills in for "auto"."""


@dataclass(frozen=True)
class Finding:
    """One thing that DeepSpeed refuses, ignores or does differently."""

    key: str
    message: str


class CannotRead(Exception):
    """A file is missing or is no JSON object."""


def uncommented(text: str) -> str:
    """The text with comments blanked and trailing commas dropped; lines stay where they are."""
    token = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|#[^\n]*|/\*.*?\*/', re.DOTALL)

    def blank(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

    comma = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])')
    return comma.sub(lambda match: "" if match[0] == "," else match[0], token.sub(blank, text))


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise CannotRead(f"duplicate keys: {sorted({key for key in names if names.count(key) > 1})}")
    return found


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file and the object in it."""
    try:
        text = path.read_text(encoding="utf-8")
        config = json.loads(uncommented(text), object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise CannotRead(f"{path}:{error.lineno}: {error.msg}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRead(f"{path}: {error}") from error
    except CannotRead as error:
        raise CannotRead(f"{path}: {error}") from error
    if not isinstance(config, dict):
        raise CannotRead(f"{path}: no JSON object")
    return text, config


def block(config: Mapping[str, Any], dotted: str) -> Mapping[str, Any]:
    """The block with that name, empty if there is none."""
    found: Any = config
    for name in dotted.split("."):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def unknown_keys(config: Mapping[str, Any]) -> Iterator[Finding]:
    places = [("", config, TOP), *((name, block(config, name), known) for name, known in BLOCKS.items())]
    for name, given, known in places:
        for key in given:
            dotted = f"{name}.{key}" if name else key
            if dotted in REMOVED:
                yield Finding(
                    dotted, f"removed: {RELEASE} raises DeepSpeedConfigError even if it is disabled"
                )
            elif key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                yield Finding(dotted, f"unknown to {RELEASE}{hint}")


def autos(node: Any, name: str = "") -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from autos(value, f"{name}.{key}" if name else key)
    elif node == "auto":
        yield name


def auto_values(config: Mapping[str, Any], framework: str) -> Iterator[Finding]:
    for key in autos(config):
        if (
            framework == "none"
            and key != "data_types.keep_in_fp32_modules"
            and not key.startswith("pipeline.")
        ):
            is_kept = key in (*BATCH, "gradient_clipping") or key.startswith(
                ("optimizer.params", "scheduler.params")
            )
            message = "fails later as a string" if is_kept else "dropped, so the default is used"
            yield Finding(key, f'"auto" without a framework: {message}')
        elif (
            framework == "trainer"
            and key.startswith(("optimizer", "scheduler", "zero", "bf16", "fp16", "train", "grad"))
            and key not in FILLED
            and not key.startswith("zero_optimization.zenflow.")
        ):
            yield Finding(key, '"auto", which the Trainer does not fill in')


def batch(config: Mapping[str, Any], world: int) -> Iterator[Finding]:
    values = [config.get(key) for key in BATCH]
    if any(isinstance(value, str) for value in values):
        return
    train, micro, steps = values
    if train is None and micro is None:
        yield Finding(BATCH[0], f"neither it nor {BATCH[1]}: DeepSpeed raises AssertionError")
        return
    ranks = world // int(config.get("sequence_parallel_size", 1))
    if train is None:
        return
    if micro is None:
        steps = steps or 1
        micro = train // ranks // steps
    steps = steps or train // micro // ranks
    if train != micro * steps * ranks or not train:
        yield Finding(BATCH[0], f"{train} is not {micro} a GPU x {steps} steps x {ranks} ranks")


def stage(config: Mapping[str, Any]) -> Iterator[Finding]:
    zero = block(config, "zero_optimization")
    level = zero.get("stage", 0)
    for key in sorted(STAGE_3 & set(zero)) if level not in {3, "auto"} else ():
        yield Finding(f"zero_optimization.{key}", f"has no effect at stage {level}")
    if zero.get("offload_optimizer") and level == 0:
        yield Finding("zero_optimization.offload_optimizer", "has no effect at stage 0")
    for name in ("offload_param", "offload_optimizer"):
        offload = block(zero, name)
        if offload.get("device") == "nvme" and not offload.get("nvme_path"):
            yield Finding(
                f"zero_optimization.{name}.nvme_path", "missing, and not noticed before the first swap"
            )
        if name == "offload_optimizer" and offload.get("ratio", 1) < 1 and level != 3:
            yield Finding(f"zero_optimization.{name}.ratio", "below 1 only at stage 3: DeepSpeed raises")


def values(config: Mapping[str, Any]) -> Iterator[Finding]:
    if block(config, "bf16").get("enabled") is True and block(config, "fp16").get("enabled") is True:
        yield Finding("bf16", "enabled together with fp16: DeepSpeed raises AssertionError")
    if "max_grad_norm" in block(config, "optimizer.params"):
        yield Finding("optimizer.params.max_grad_norm", "refused: use gradient_clipping")
    kind = block(config, "optimizer").get("type", "")
    if str(kind).lower() in {"onebitadam", "onebitlamb", "zerooneadam"}:
        yield Finding("optimizer.type", f"{kind} was removed in 0.19.7")
    if block(config, "scheduler.params").get("warmup_num_steps") == 0:
        yield Finding("scheduler.params.warmup_num_steps", "0 raises ValueError since 0.19.3")
    if "gradient_clipping" not in config:
        yield Finding("gradient_clipping", "not set: 1.0 since 0.19.3, off before")


def check(config: Mapping[str, Any], world: int, framework: str) -> list[Finding]:
    """All that is wrong or surprising in a configuration."""
    return [
        *unknown_keys(config),
        *auto_values(config, framework),
        *batch(config, world),
        *stage(config),
        *values(config),
    ]


def line_of(text: str, key: str) -> int:
    """The line on which the last part of a dotted name first stands, or 1."""
    quoted = f'"{key.rpartition(".")[2]}"'
    return next((number for number, line in enumerate(text.splitlines(), 1) if quoted in line), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--world-size", type=int, default=1, help="number of ranks (default: 1)")
    parser.add_argument(
        "--framework",
        choices=("none", "trainer", "accelerate"),
        default="none",
        help='who fills in "auto" (default: none)',
    )
    given = parser.parse_args(arguments)
    if given.world_size < 1:
        parser.error("--world-size is at least 1")
    status = 0
    for path in given.files:
        try:
            text, config = read(path)
        except CannotRead as error:
            print(error, file=sys.stderr)
            return 2
        for finding in check(config, given.world_size, given.framework):
            print(f"{path}:{line_of(text, finding.key)}: {finding.key}: {finding.message}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
