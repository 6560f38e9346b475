"""The six-layer BERT of all-MiniLM-L6-v2 as PyTorch modules.

Source: Devlin et al., https://arxiv.org/abs/1810.04805; the weights were distilled by Wang et al.,
https://arxiv.org/abs/2002.10957
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Config:
    """Shape of the encoder; the defaults are MiniLM's.

    Attributes:
        layers: Transformer layers.
        width: Elements of a hidden state, and of an embedding.
        heads: Attention heads; divides `width`.
        ffn_width: Elements between the two halves of the feed-forward network.
        vocabulary: Tokens.
        context: Tokens for which there is a position.
        eps: What LayerNorm adds to the variance.
    """

    layers: int = 6
    width: int = 384
    heads: int = 12
    ffn_width: int = 1536
    vocabulary: int = 30_522
    context: int = 512
    eps: float = 1e-12


class Embedding(nn.Module):
    """The normed sum of what a token is and where it stands."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.words = nn.Embedding(config.vocabulary, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        # BERT tells the two texts of a pair apart by a kind; a text on its own is of kind 0 throughout.
        self.kinds = nn.Embedding(2, config.width)
        self.norm = nn.LayerNorm(config.width, config.eps)

    def forward(self, ids: Tensor) -> Tensor:
        positions = torch.arange(ids.shape[-1], device=ids.device)
        normed: Tensor = self.norm(self.words(ids) + self.positions(positions) + self.kinds.weight[0])
        return normed


class Attention(nn.Module):
    """Attention of one layer in both directions, before its residual sum."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.width, config.width)
        self.key = nn.Linear(config.width, config.width)
        self.value = nn.Linear(config.width, config.width)
        self.output = nn.Linear(config.width, config.width)

    def forward(self, states: Tensor, real: Tensor) -> Tensor:
        queries, keys, values = (
            project(states).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=real[:, None, None, :]
        )
        projected: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return projected


class FeedForward(nn.Module):
    """The GELU network of one layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.up = nn.Linear(config.width, config.ffn_width)
        self.down = nn.Linear(config.ffn_width, config.width)

    def forward(self, states: Tensor) -> Tensor:
        projected: Tensor = self.down(functional.gelu(self.up(states)))
        return projected


class Layer(nn.Module):
    """One transformer layer, hidden states [batch, length, width] in and out; it norms after each sum."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.width, config.eps)
        self.ffn = FeedForward(config)
        self.ffn_norm = nn.LayerNorm(config.width, config.eps)

    def forward(self, states: Tensor, real: Tensor) -> Tensor:
        states = self.attention_norm(states + self.attention(states, real))
        normed: Tensor = self.ffn_norm(states + self.ffn(states))
        return normed


class MiniLM(nn.Module):
    """The encoder up to the hidden states of its last layer; `encoder.mean_pool` makes one vector of a text."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))

    def forward(self, ids: Tensor, real: Tensor | None = None) -> Tensor:
        """Hidden states of `ids`.

        Args:
            ids: int64, [batch, length].
            real: bool, [batch, length], False where a text is padded; such tokens are seen by none, and their
                own states mean nothing. Without it every token is real.

        Returns:
            [batch, length, width].

        Raises:
            ValueError: `ids` has no batch dimension, or there are more tokens than positions.
        """
        if ids.dim() != 2:
            raise ValueError(f"ids of shape {tuple(ids.shape)} → give [batch, length]: torch.tensor([ids])")
        if ids.shape[1] > self.config.context:
            raise ValueError(f"{ids.shape[1]} tokens are more than the {self.config.context} positions")
        real = torch.ones_like(ids, dtype=torch.bool) if real is None else real
        states: Tensor = self.embedding(ids)
        for layer in self.layers:
            states = layer(states, real)
        return states
