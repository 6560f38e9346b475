"""Check GPT-NeoX configuration files before a run: keys, types, batch arithmetic and parallel sizes.

Reads the files as deepy.py merges them, and reports what NeoXArgs or DeepSpeed would refuse after the processes have
started, and what they would take in silence. With --neox it also knows which keys that checkout has.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REQUIRED = ("num_layers", "hidden_size", "num_attention_heads", "max_position_embeddings")
ARGUMENT_FILES = ("megatron/neox_arguments/neox_args.py", "megatron/neox_arguments/deepspeed_args.py")
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or that surprises."""

    place: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} → {self.mend}"


class CannotRead(Exception):
    """A file is missing or is no YAML mapping."""


@dataclass(frozen=True)
class Entry:
    """One key of one file."""

    path: Path
    line: int
    key: str
    value: Any

    @property
    def name(self) -> str:
        return self.key.replace("-", "_")

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def read(path: Path) -> list[Entry]:
    """The top-level entries of a configuration file, with their lines."""
    try:
        text = path.read_text(encoding="utf-8")
        node, values = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except OSError as error:
        raise CannotRead(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CannotRead(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(node, yaml.MappingNode):
        raise CannotRead(f"{path}: holds no mapping of keys to values")
    return [Entry(path, key.start_mark.line + 1, key.value, values[key.value]) for key, _ in node.value]


def known_keys(checkout: Path) -> set[str]:
    """Every argument that a checkout of GPT-NeoX declares, read without importing it."""
    found: set[str] = set()
    for name in ARGUMENT_FILES:
        try:
            module = ast.parse((checkout / name).read_text(encoding="utf-8"))
        except OSError as error:
            raise CannotRead(f"{checkout / name}: {error.strerror}; --neox wants a checkout") from error
        for node in ast.walk(module):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return found


def merge_findings(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Keys that stand twice, and whether NeoX would say so."""
    first: dict[str, Entry] = {}
    for entry in entries:
        earlier = first.setdefault(entry.name, entry)
        if earlier is entry:
            continue
        if earlier.path == entry.path and earlier.key == entry.key:
            message = f"{entry.key} stands twice in the file; YAML keeps the last"
        elif "-" in entry.key:
            message = f"{entry.key} replaces {earlier.key} of {earlier.place} without a message"
        else:
            message = f"{entry.key} is a duplicate of {earlier.place}, which NeoX refuses"
        yield Finding(entry.place, message, "keep one of the two")


def unknown_findings(entries: Sequence[Entry], known: set[str]) -> Iterator[Finding]:
    """Keys that the checkout does not have."""
    for entry in entries:
        if entry.name not in known:
            near = difflib.get_close_matches(entry.name, known, n=1)
            mend = (
                f"did you mean {near[0]}?"
                if near
                else "remove it; deepspeed_extra_args takes keys of DeepSpeed"
            )
            yield Finding(entry.place, f"{entry.key} is no argument of this checkout", mend)


def text_findings(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Strings that were meant as numbers."""
    for entry in entries:
        for path, text in strings(entry.value, entry.key):
            if NUMBER.fullmatch(text):
                mend = (
                    f"write {text.lower().replace('e', '.0e')}"
                    if "." not in text
                    else f"write {float(text)!r}"
                )
                yield Finding(entry.place, f"{path} is the text '{text}', not a number", mend)


def strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every string in a value, with the way to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, path)


@dataclass(frozen=True)
class Batch:
    """What a step is made of."""

    replicas: int
    micro: int
    accumulation: int
    total: int


class Refused(Exception):
    """The sizes do not go together."""


def batch_of(config: Mapping[str, Any], gpus: int) -> Batch:
    """The batch as NeoXArgs.calculate_batch_parameters derives it.

    Raises:
        Refused: With the message of NeoX.
    """
    stages = max(config.get("pipe_parallel_size", 0), 1)
    ranks = max(config.get("model_parallel_size", 1), 1)
    if gpus % (stages * ranks):
        raise Refused(
            f"(global_num_gpus / pp_size) / mp_size [({gpus} / {stages}) / {ranks}] must be a whole number"
        )
    replicas = gpus // (stages * ranks)
    total, micro = config.get("train_batch_size"), config.get("train_micro_batch_size_per_gpu")
    accumulation = config.get("gradient_accumulation_steps", 1)
    if total is None and micro is None:
        raise Refused("Either train_batch_size or train_micro_batch_size_per_gpu needs to be provided")
    if micro is None:
        micro = total // replicas // accumulation
    total = micro * accumulation * replicas if total is None else total
    if total != micro * accumulation * replicas or total <= 0:
        raise Refused(
            f"train_batch_size {total} is not {micro} * {accumulation} * {replicas} (micro, accumulation, replicas)"
        )
    return Batch(replicas, micro, accumulation, total)


def shape_findings(config: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """Sizes of the model that are missing or do not divide."""
    for name in REQUIRED:
        if config.get(name) is None:
            yield Finding(place, f"{name} is missing", "it has no default")
    hidden, heads = config.get("hidden_size"), config.get("num_attention_heads")
    if hidden and heads and hidden % heads:
        yield Finding(
            place, f"hidden_size {hidden} is no multiple of num_attention_heads {heads}", "change one of them"
        )
    groups, ranks = config.get("num_kv_heads"), config.get("model_parallel_size", 1)
    if groups and heads and heads % groups:
        yield Finding(
            place,
            f"num_attention_heads {heads} is no multiple of num_kv_heads {groups}",
            "change one of them",
        )
    if groups and heads and groups < heads and groups % ranks:
        yield Finding(
            place, f"num_kv_heads {groups} is no multiple of model_parallel_size {ranks}", "use fewer ranks"
        )
    if (config.get("seq_length") or 0) > (config.get("max_position_embeddings") or sys.maxsize):
        yield Finding(place, "seq_length is above max_position_embeddings", "raise the latter")


def engine_findings(config: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """ZeRO, pipeline and precision that exclude each other."""
    stage = (config.get("zero_optimization") or {}).get("stage", 0)
    pipeline = config.get("pipe_parallel_size", 0)
    if stage in (2, 3) and pipeline >= 1:
        yield Finding(
            place, f"ZeRO stage {stage} with pipe_parallel_size {pipeline}", "set pipe_parallel_size to 0"
        )
    if stage in (2, 3) and config.get("model_parallel_size", 1) > 1:
        yield Finding(place, f"ZeRO stage {stage} with model_parallel_size above 1", "use stage 1")
    if stage in (2, 3) and config.get("moe_num_experts", 1) > 1:
        yield Finding(place, f"ZeRO stage {stage} with experts", "use stage 1")
    half = config.get("precision") == "bfloat16" or (config.get("bf16") or {}).get("enabled")
    gradients = (config.get("data_types") or {}).get("grad_accum_dtype")
    if half and stage > 0 and pipeline >= 1 and gradients != "fp32":
        yield Finding(
            place,
            "bf16 and ZeRO in a pipeline without float32 gradients",
            'add "data_types": {"grad_accum_dtype": "fp32"}',
        )


def run_findings(config: Mapping[str, Any], place: str) -> Iterator[Finding]:
    """Settings without which a run stops or keeps nothing."""
    if not config.get("train_iters") and not config.get("train_epochs"):
        yield Finding(place, "neither train_iters nor train_epochs is set", "set one of them")
    if (
        config.get("save")
        and config.get("checkpoint_factor") is None
        and config.get("extra_save_iters") is None
    ):
        yield Finding(place, "save without checkpoint_factor or extra_save_iters", "say how often")
    if "," in str(config.get("data_path") or ""):
        yield Finding(place, "data_path holds several prefixes", "list them under train_data_paths")


def findings(
    entries: Sequence[Entry], gpus: int, known: set[str] | None
) -> tuple[list[Finding], Batch | None]:
    """Everything to say about the merged files, and the batch if the sizes go together."""
    config = {entry.name: entry.value for entry in entries}
    place = ", ".join(dict.fromkeys(str(entry.path) for entry in entries))
    found = [*merge_findings(entries), *text_findings(entries)]
    found += unknown_findings(entries, known) if known is not None else []
    found += [*shape_findings(config, place), *engine_findings(config, place), *run_findings(config, place)]
    try:
        return found, batch_of(config, gpus)
    except Refused as error:
        return [*found, Finding(place, str(error), "change the sizes or the number of GPUs")], None


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    made.add_argument("files", nargs="+", type=Path, help="configuration files, in the order of deepy.py")
    made.add_argument("--gpus", type=int, required=True, help="GPUs of the run, all machines together")
    made.add_argument("--neox", type=Path, help="checkout of gpt-neox, to know its keys")
    return made


def main(words: Sequence[str] | None = None) -> int:
    """0: nothing found; 1: something is; 2: the files cannot be read."""
    asked = parser().parse_args(words)
    try:
        entries = [entry for path in asked.files for entry in read(path)]
        found, batch = findings(entries, asked.gpus, known_keys(asked.neox) if asked.neox else None)
    except CannotRead as error:
        print(error, file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    if batch is not None:
        print(
            f"{batch.total} sequences a step: {batch.micro} a GPU, {batch.accumulation} accumulated,"
            f" {batch.replicas} replicas"
        )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
