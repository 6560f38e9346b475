"""A KV cache in blocks, for a flat batch: the tokens of all requests side by side in one row.

Source: PagedAttention, Kwon et al., https://arxiv.org/abs/2309.06180
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ai_research_skills.llama.config import Config
from ai_research_skills.llama.operations import attention, causal


@dataclass(frozen=True)
class Span:
    """Neighbouring tokens of one request that attend together, as in a prefill.

    Attributes:
        begin: Index of the first in the flat batch.
        end: Index behind the last.
        table: Blocks of the request as far as the span reaches, int64, [blocks].
    """

    begin: int
    end: int
    table: Tensor


@dataclass(frozen=True)
class Layout:
    """Where the tokens of a step belong. The first `rows` of them attend one by one, the rest in spans.

    Attributes:
        ids: Tokens, int64, [1, tokens].
        positions: Of each in its request, int64, [1, tokens].
        blocks: Where each is kept, int64, [tokens].
        offsets: Its place in that block, int64, [tokens].
        lengths: Tokens that each row attends to, itself included, int64, [rows].
        tables: Blocks of the request of each row, int64, [rows, most blocks]; what is behind its last is not read.
        spans: The longer chunks.
    """

    ids: Tensor
    positions: Tensor
    blocks: Tensor
    offsets: Tensor
    lengths: Tensor
    tables: Tensor
    spans: Sequence[Span] = ()


class PagedCache:
    """Keys and values of all requests in one pool of blocks; a `KeyValueStore` of `llama.Llama`.

    Attributes:
        keys: [layers, blocks + 1, kv_heads, size, head_dim]; the block behind the last takes what padding writes.
        values: Likewise.
        count: Blocks that requests may use.
        size: Tokens a block holds.
        layout: Of the step that runs.
    """

    def __init__(
        self,
        config: Config,
        *,
        blocks: int,
        size: int = 16,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        self.count, self.size = blocks, size
        shape = (config.layers, blocks + 1, config.kv_heads, size, config.head_dim)
        # Slots behind a request's end are multiplied by zero, so what was never written must be finite.
        self.keys = torch.zeros(shape, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.layout: Layout | None = None

    def reserve(self, length: int) -> int:
        """Refuse: which positions `length` tokens have, only the scheduler knows."""
        raise ValueError(f"{length} tokens without positions → call the model through a ModelRunner")

    def attend(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, positions: Tensor) -> Tensor:
        """See `KeyValueStore.attend`; batch is 1 and length all tokens of the step."""
        layout = self.layout
        assert layout is not None, "a ModelRunner sets the layout before it calls the model"
        self._store(layer, layout, keys[0], values[0])
        parts = []
        if rows := len(layout.tables):
            parts.append(
                self._attend_rows(layer, layout, queries[0, :, :rows].transpose(0, 1)).transpose(0, 1)
            )
        parts += [self._attend_span(layer, queries, span, positions) for span in layout.spans]
        return (parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)).unsqueeze(0)

    def _store(self, layer: int, layout: Layout, keys: Tensor, values: Tensor) -> None:
        """Keep what is [kv_heads, tokens, head_dim]."""
        if keys.is_cuda:
            from ai_research_skills.engine.kernels import store  # noqa: PLC0415 - Triton, on a GPU only

            store(keys, values, self.keys[layer], self.values[layer], layout.blocks, layout.offsets)
        else:
            self.keys[layer][layout.blocks, :, layout.offsets] = keys.transpose(0, 1)
            self.values[layer][layout.blocks, :, layout.offsets] = values.transpose(0, 1)

    def _attend_rows(self, layer: int, layout: Layout, queries: Tensor) -> Tensor:
        """[rows, heads, head_dim] in and out."""
        if queries.is_cuda:
            from ai_research_skills.engine.kernels import paged_attention  # noqa: PLC0415 - Triton, on a GPU only

            return paged_attention(
                queries, self.keys[layer], self.values[layer], layout.tables, layout.lengths
            )
        keys, values = (self._gathered(pool[layer], layout.tables) for pool in (self.keys, self.values))
        visible = causal(layout.lengths.unsqueeze(-1) - 1, torch.arange(keys.shape[2], device=keys.device))
        return attention(queries.unsqueeze(2), keys, values, visible).squeeze(2)

    def _attend_span(self, layer: int, queries: Tensor, span: Span, positions: Tensor) -> Tensor:
        """[heads, tokens of the span, head_dim]."""
        keys, values = (
            self._gathered(pool[layer], span.table.unsqueeze(0)) for pool in (self.keys, self.values)
        )
        visible = causal(positions[:, span.begin : span.end], torch.arange(keys.shape[2], device=keys.device))
        asked = queries[:, :, span.begin : span.end]
        if queries.is_cuda:
            return torch.nn.functional.scaled_dot_product_attention(
                asked, keys, values, attn_mask=visible.unsqueeze(1), enable_gqa=True
            )[0]
        return attention(asked, keys, values, visible)[0]

    @staticmethod
    def _gathered(pool: Tensor, tables: Tensor) -> Tensor:
        """Blocks side by side: [blocks, kv_heads, size, head_dim] and [rows, n] to [rows, kv_heads, n * size, …]."""
        return pool.transpose(0, 1)[:, tables].flatten(2, 3).transpose(0, 1)
