"""Attention of single queries over a paged cache, in Triton: each block is read in place, once.

Long contexts are cut into parts that different programs read, as in Flash-Decoding,
https://pytorch.org/blog/flash-decoding/; a second kernel joins them by their log-sum-exp.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor


@triton.jit  # type: ignore[untyped-decorator]
def _store(  # type: ignore[no-untyped-def]
    new_keys, new_values, keys, values, blocks, offsets,
    key_head, key_token, value_head, value_token,
    KV_HEADS: tl.constexpr, HEAD: tl.constexpr, SIZE: tl.constexpr,
):  # fmt: skip
    token, head, element = tl.program_id(0), tl.program_id(1), tl.arange(0, HEAD)
    slot = (tl.load(blocks + token) * KV_HEADS + head) * SIZE + tl.load(offsets + token)
    key = tl.load(new_keys + head * key_head + token * key_token + element)
    value = tl.load(new_values + head * value_head + token * value_token + element)
    tl.store(keys + slot * HEAD + element, key)
    tl.store(values + slot * HEAD + element, value)


def store(
    new_keys: Tensor, new_values: Tensor, keys: Tensor, values: Tensor, blocks: Tensor, offsets: Tensor
) -> None:
    """Write the keys and values of a step into one layer's pools.

    Args:
        new_keys: [kv_heads, tokens, head_dim], with neighbouring elements of a head side by side.
        new_values: Likewise.
        keys: The pool, contiguous, [blocks, kv_heads, size, head_dim].
        values: Likewise.
        blocks: Of each token, int64, [tokens].
        offsets: Of each token in its block, int64, [tokens].
    """
    kv_heads, tokens, head_dim = new_keys.shape
    launch: Any = _store[(tokens, kv_heads)]
    launch(
        new_keys, new_values, keys, values, blocks, offsets,
        new_keys.stride(0), new_keys.stride(1), new_values.stride(0), new_values.stride(1),
        KV_HEADS=kv_heads, HEAD=head_dim, SIZE=keys.shape[2], num_warps=1,
    )  # fmt: skip


@triton.jit  # type: ignore[untyped-decorator]
def _attend_part(  # type: ignore[no-untyped-def]
    queries, keys, values, tables, lengths, mixed, weights, table_width, query_row, query_head, parts, scale,
    KV_HEADS: tl.constexpr, GROUP: tl.constexpr, ROWS: tl.constexpr, HEAD: tl.constexpr, SIZE: tl.constexpr,
    TILE: tl.constexpr,
):  # fmt: skip
    row, head, part = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    length = tl.load(lengths + row)
    share = tl.cdiv(tl.cdiv(length, parts), TILE) * TILE
    begin = part * share
    end = tl.minimum(begin + share, length)
    member, element = tl.arange(0, ROWS), tl.arange(0, HEAD)
    place = (row * KV_HEADS + head) * GROUP + member
    asked = row * query_row + (head * GROUP + member) * query_head
    query = tl.load(queries + asked[:, None] + element[None, :], mask=member[:, None] < GROUP, other=0.0)
    most = tl.full([ROWS], float("-inf"), tl.float32)
    total = tl.zeros([ROWS], tl.float32)
    sums = tl.zeros([ROWS, HEAD], tl.float32)
    for start in range(begin, end, TILE):
        at = start + tl.arange(0, TILE)
        inside = at < end
        block = tl.load(tables + row * table_width + at // SIZE, mask=inside, other=0)
        slot = (block.to(tl.int64) * KV_HEADS + head) * SIZE + at % SIZE
        address = slot[:, None] * HEAD + element[None, :]
        key = tl.load(keys + address, mask=inside[:, None], other=0.0)
        value = tl.load(values + address, mask=inside[:, None], other=0.0)
        scores = tl.where(
            inside[None, :], tl.dot(query, tl.trans(key), input_precision="ieee") * scale, float("-inf")
        )
        higher = tl.maximum(most, tl.max(scores, 1))
        shares = tl.exp2(scores - higher[:, None])
        shrink = tl.exp2(most - higher)
        total = total * shrink + tl.sum(shares, 1)
        sums = sums * shrink[:, None] + tl.dot(shares.to(value.dtype), value, input_precision="ieee")
        most = higher
    result = sums / tl.where(total > 0, total, 1.0)[:, None]
    target = place * parts + part
    tl.store(mixed + target[:, None] * HEAD + element[None, :], result, mask=member[:, None] < GROUP)
    tl.store(weights + target, tl.where(total > 0, most + tl.log2(total), float("-inf")), mask=member < GROUP)


@triton.jit  # type: ignore[untyped-decorator]
def _join_parts(mixed, weights, joined, parts, HEAD: tl.constexpr, PARTS: tl.constexpr):  # type: ignore[no-untyped-def]
    place, part, element = tl.program_id(0), tl.arange(0, PARTS), tl.arange(0, HEAD)
    weight = tl.load(weights + place * parts + part, mask=part < parts, other=float("-inf"))
    share = tl.exp2(weight - tl.max(weight, 0))
    values = tl.load(
        mixed + (place * parts + part)[:, None] * HEAD + element[None, :],
        mask=part[:, None] < parts,
        other=0.0,
    )
    result = tl.sum(values * share[:, None], 0) / tl.sum(share, 0)
    tl.store(joined + place * HEAD + element, result)


def paged_attention(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    tables: Tensor,
    lengths: Tensor,
    *,
    parts: int | None = None,
    tile: int = 64,
    warps: int = 4,
    stages: int = 3,
) -> Tensor:
    """Softmax attention of one query a row to the first `lengths` tokens that its table leads to.

    Args:
        queries: [rows, heads, head_dim], of any strides but the last; head_dim is a power of two, at least 16.
        keys: One layer's pool, contiguous, [blocks, kv_heads, size, head_dim].
        values: Likewise.
        tables: [rows, most blocks] int64.
        lengths: [rows] int64, each at least 1; never read by the host, so a CUDA graph may change them.
        parts: Programs that share one row and head; by default as many as keep a large GPU busy.
        tile: Tokens that a program reads at once.
        warps: Of a program.
        stages: Tiles that are on their way at the same time.

    Returns:
        [rows, heads, head_dim].
    """
    rows, heads, head_dim = queries.shape
    kv_heads, size = keys.shape[1], keys.shape[2]
    parts = parts or max(1, min(16, triton.cdiv(512, rows * kv_heads)))
    joined = torch.empty(rows, heads, head_dim, dtype=queries.dtype, device=queries.device)
    mixed = joined if parts == 1 else joined.new_empty(rows, heads, parts, head_dim, dtype=torch.float32)
    weights = torch.empty(rows, heads, parts, dtype=torch.float32, device=queries.device)
    group = heads // kv_heads
    launch: Any = _attend_part[(rows, kv_heads, parts)]
    launch(
        queries, keys, values, tables, lengths, mixed, weights, tables.stride(0), queries.stride(0), queries.stride(1), parts,
        head_dim**-0.5 * 1.4426950408889634,
        KV_HEADS=kv_heads, GROUP=group, ROWS=max(16, triton.next_power_of_2(group)), HEAD=head_dim, SIZE=size,
        TILE=tile, num_warps=warps, num_stages=stages,
    )  # fmt: skip
    if parts == 1:
        return joined
    join: Any = _join_parts[(rows * heads,)]
    join(mixed, weights, joined, parts, HEAD=head_dim, PARTS=triton.next_power_of_2(parts), num_warps=1)
    return joined
