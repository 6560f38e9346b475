"""The numbers that a Llama is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Config:
    """Shape of a Llama; the values in brackets are SmolLM2-135M's.

    Attributes:
        layers: Transformer layers (30).
        width: Elements of a hidden state (576).
        heads: Query heads (9).
        kv_heads: Key and value heads; divides `heads` (3, so three query heads share one).
        head_dim: Elements of a head; even (64).
        ffn_width: Elements between the two halves of the feed-forward network (1536).
        vocabulary: Tokens (49,152).
        context: Tokens that the model was trained to look back on (8192).
        theta: Base of the rotary frequencies (100,000).
        eps: What RMSNorm adds to the mean square (1e-5).
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn_width: int
    vocabulary: int
    context: int
    theta: float
    eps: float

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.kv_heads} kv heads cannot be shared by {self.heads} query heads evenly")
        if self.head_dim % 2:
            raise ValueError(f"a head of {self.head_dim} elements has no pairs to rotate → make it even")

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Config:
        """The shape that the metadata of a GGUF file of architecture `llama` states.

        Raises:
            ValueError: The file holds another architecture.
        """
        architecture = metadata["general.architecture"]
        if architecture != "llama":
            raise ValueError(f"a file of architecture {architecture!r} → only `llama` is understood here")
        return cls(
            layers=metadata["llama.block_count"],
            width=metadata["llama.embedding_length"],
            heads=metadata["llama.attention.head_count"],
            kv_heads=metadata["llama.attention.head_count_kv"],
            head_dim=metadata["llama.rope.dimension_count"],
            ffn_width=metadata["llama.feed_forward_length"],
            vocabulary=metadata["llama.vocab_size"],
            context=metadata["llama.context_length"],
            theta=metadata["llama.rope.freq_base"],
            eps=metadata["llama.attention.layer_norm_rms_epsilon"],
        )
