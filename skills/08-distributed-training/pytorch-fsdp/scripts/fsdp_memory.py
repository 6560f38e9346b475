#!/usr/bin/env python3.11
"""Estimate the peak memory of one rank under FSDP2, without activations.

Reads the config.json of a Llama-shaped model: every decoder layer is one fully_shard group, and the embedding, the
final norm and the head are the root's. Two moments of the backward pass are compared, and the larger counts.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
STATES = {"adam": 2, "momentum": 1, "sgd": 0}
Shapes = list[tuple[int, ...]]


@dataclass(frozen=True)
class Model:
    """The shapes of one decoder layer, of the parts of the root, and how many layers there are."""

    block: Shapes
    embedding: Shapes
    rest: Shapes
    layers: int

    @property
    def root(self) -> Shapes:
        return self.embedding + self.rest

    def numel(self) -> int:
        return self.layers * numel(self.block) + numel(self.root)


def numel(shapes: Shapes) -> int:
    return sum(math.prod(shape) for shape in shapes)


def sharded(shapes: Shapes, ranks: int) -> int:
    """Elements that a rank holds: fully_shard cuts dimension 0 and pads it to a multiple of the ranks."""
    return sum(math.ceil(shape[0] / ranks) * math.prod(shape[1:]) for shape in shapes)


def read_config(path: Path) -> dict[str, object]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path}:1: expected an object")
    return config


def positive(path: Path, config: dict[str, object], key: str, default: int | None = None) -> int:
    value = config.get(key)
    if value is None:
        value = default
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{path}: {key!r} must be a positive integer, not {value!r}")
    return value


def read_model(path: Path) -> Model:
    config = read_config(path)
    hidden = positive(path, config, "hidden_size")
    inner = positive(path, config, "intermediate_size")
    heads = positive(path, config, "num_attention_heads")
    keys = positive(path, config, "num_key_value_heads", heads)
    width = positive(path, config, "head_dim", hidden // heads)
    vocabulary = positive(path, config, "vocab_size")
    attention = [
        (heads * width, hidden),
        (keys * width, hidden),
        (keys * width, hidden),
        (hidden, heads * width),
    ]
    mlp = [(inner, hidden), (inner, hidden), (hidden, inner)]
    norms = [(hidden,), (hidden,)]
    head = [] if config.get("tie_word_embeddings") else [(vocabulary, hidden)]
    return Model(
        block=[*attention, *mlp, *norms],
        embedding=[(vocabulary, hidden)],
        rest=[(hidden,), *head],
        layers=positive(path, config, "num_hidden_layers"),
    )


def estimate(
    model: Model, ranks: int, storage: int, param: int, reduce: int, states: int, reshard: bool = True
) -> dict[str, int]:
    """Bytes by part. The keys below 'peak' are what is alive at the larger of the two moments."""
    block, root = numel(model.block), numel(model.root)
    held = model.layers * sharded(model.block, ranks) + sharded(model.root, ranks)
    gathered = sharded(model.block, ranks) * ranks
    gathered_root = sharded(model.root, ranks) * ranks
    late = model.rest if numel(model.rest) > numel(model.embedding) else model.embedding
    unsharded = model.layers * block + root if not reshard else block + root
    in_block = {
        "unsharded parameters": unsharded * param,
        "all-gather buffer": gathered * param if reshard else 0,
        "unsharded gradients": (block + numel(late)) * param,
        "reduce-scatter buffer": gathered * reduce,
    }
    at_root = {
        "unsharded parameters": (unsharded if not reshard else root) * param,
        "all-gather buffer": 0,
        "unsharded gradients": root * param,
        "reduce-scatter buffer": gathered_root * reduce,
    }
    moment = max(in_block, at_root, key=lambda part: sum(part.values()))
    fixed = {
        "sharded parameters": held * storage,
        "sharded gradients": held * storage,
        "optimizer states": states * held * storage,
    }
    parts = {**fixed, **moment}
    return {**parts, "peak": sum(parts.values())}


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    result.add_argument("config", type=Path, help="config.json of a Llama-shaped model")
    result.add_argument("--ranks", type=int, required=True, help="size of the shard dimension of the mesh")
    result.add_argument(
        "--storage-dtype", choices=BYTES, default="fp32", help="dtype of the parameters (fp32)"
    )
    result.add_argument(
        "--param-dtype", choices=BYTES, default="bf16", help="MixedPrecisionPolicy.param_dtype (bf16)"
    )
    result.add_argument(
        "--reduce-dtype", choices=BYTES, default="fp32", help="MixedPrecisionPolicy.reduce_dtype (fp32)"
    )
    result.add_argument("--optimizer", choices=STATES, default="adam", help="states a parameter (adam)")
    result.add_argument(
        "--keep-unsharded", action="store_true", help="reshard_after_forward=False on every call"
    )
    result.add_argument("--limit-gib", type=float, help="exit with 1 if the peak is above this")
    return result


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if options.ranks < 1:
        print("--ranks must be at least 1", file=sys.stderr)
        return 2
    try:
        model = read_model(options.config)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    parts = estimate(
        model,
        options.ranks,
        BYTES[options.storage_dtype],
        BYTES[options.param_dtype],
        BYTES[options.reduce_dtype],
        STATES[options.optimizer],
        not options.keep_unsharded,
    )
    print(f"{model.numel():,} parameters over {options.ranks} ranks; activations not counted")
    for name, size in parts.items():
        print(f"{name:<24}{size / 2**30:10.3f} GiB")
    if options.limit_gib is not None and parts["peak"] > options.limit_gib * 2**30:
        print(f"above the limit of {options.limit_gib} GiB")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
