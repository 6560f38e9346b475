"""Keys and values that a Llama has computed already, at explicit positions."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from ai_research_skills.llama.config import Config
from ai_research_skills.llama.operations import attention, causal


class KeyValueStore(Protocol):
    """What `Llama.forward` asks of a cache; a paged cache or a fused kernel stands in by these two methods."""

    def reserve(self, length: int) -> int:
        """Make room for `length` further tokens, and return the position of the first of them."""
        ...

    def attend(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, positions: Tensor) -> Tensor:
        """Keep the new keys and values of `layer`, and attend to all that is kept up to each position.

        Args:
            layer: From 0.
            queries: Rotated, [batch, heads, length, head_dim].
            keys: Rotated, [batch, kv_heads, length, head_dim].
            values: [batch, kv_heads, length, head_dim].
            positions: Of the new tokens, int64, [length] or [batch, length].

        Returns:
            [batch, heads, length, head_dim].
        """
        ...


class Cache:
    """One contiguous row of slots per sequence: the token at position p lies in slot p.

    A query at position p sees slots 0 to p and nothing else. So sequences of unequal length may share a batch
    when each brings its own positions, with padding at the end; going back is to write the same positions
    again; and every shape is the same in every step, as a CUDA graph needs it. The price is that each query
    is compared with all `capacity` slots.

    Attributes:
        keys: [layers, batch, kv_heads, capacity, head_dim].
        values: Likewise.
        length: Position of the next token whose position nobody states. Set it to go back.
    """

    def __init__(
        self,
        config: Config,
        *,
        capacity: int,
        batch: int = 1,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        shape = (config.layers, batch, config.kv_heads, capacity, config.head_dim)
        # Hidden slots are multiplied by zero, so what was never written must be finite.
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.length = 0
        self._slots = torch.arange(capacity, device=device)
        self._rows = torch.arange(batch, device=device).unsqueeze(-1)

    @property
    def capacity(self) -> int:
        """Most tokens of one sequence."""
        return self.keys.shape[3]

    def reserve(self, length: int) -> int:
        """Move `length` on by that many tokens and return what it was.

        Raises:
            ValueError: The slots do not suffice.
        """
        start = self.length
        if start + length > self.capacity:
            raise ValueError(
                f"{start} + {length} tokens do not fit into {self.capacity} slots → make a larger cache"
            )
        self.length = start + length
        return start

    def attend(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, positions: Tensor) -> Tensor:
        """See `KeyValueStore.attend`.

        Raises:
            ValueError: The batch is not the one that the cache was made for.
            IndexError: A position is beyond the last slot; on a GPU that is a device-side assertion.
        """
        if len(keys) != len(self._rows):
            raise ValueError(
                f"{len(keys)} sequences for a cache of {len(self._rows)} → make one with batch={len(keys)}"
            )
        self.keys[layer][self._rows, :, positions] = keys.transpose(1, 2)
        self.values[layer][self._rows, :, positions] = values.transpose(1, 2)
        return attention(queries, self.keys[layer], self.values[layer], causal(positions, self._slots))
