"""The arithmetic of a Llama as pure functions: what fused kernels are compared with.

Sums of squares, rotations and softmax are computed in float32 or better, and rounded to the type of the
input once at the end.
"""

from __future__ import annotations

import torch
from torch import Tensor


def rms_norm(states: Tensor, weight: Tensor, eps: float) -> Tensor:
    """Divide each row by its root mean square and scale it: [..., width] and [width] to [..., width].

    Source: Zhang and Sennrich, https://arxiv.org/abs/1910.07467
    """
    wide = _wide(states)
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(states.dtype) * weight


def rotation(
    positions: Tensor, *, head_dim: int, theta: float, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the angles that `rotary` turns by.

    Pair i of a head turns by `position * theta ** (-2 i / head_dim)` radians. The angles are computed in
    float64: in float32 they are off by up to 5e-4 radians within 8192 positions.

    Args:
        positions: int64, [length] or [batch, length].
        head_dim: Elements of a head; even.
        theta: Base of the frequencies.
        dtype: Of the results.

    Returns:
        Two tensors [length, head_dim / 2], or [batch, length, head_dim / 2].
    """
    pairs = torch.arange(0, head_dim, 2, device=positions.device, dtype=torch.float64)
    angles = positions.unsqueeze(-1) * theta ** (-pairs / head_dim)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotary(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (i, i + head_dim/2) of every head: the half-split convention of Hugging Face and NeoX.

    The original paper and llama.cpp pair (2i, 2i+1) instead. Both give the same attention scores when the rows
    of the query and key matrices are ordered to match; `checkpoint.parameters` sees to that.

    Args:
        states: Queries or keys, [batch, heads, length, head_dim].
        cos: From `rotation`, [length, head_dim / 2] or [batch, length, head_dim / 2].
        sin: Likewise.

    Source: Su et al., https://arxiv.org/abs/2104.09864
    """
    cos, sin = cos.unsqueeze(-3), sin.unsqueeze(-3)
    first, second = states.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).to(states.dtype)


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """`silu(gate) * up`, element by element; both of the same shape.

    Source: Shazeer, https://arxiv.org/abs/2002.05202
    """
    return torch.nn.functional.silu(gate) * up


def causal(positions: Tensor, key_positions: Tensor) -> Tensor:
    """Which keys a query may look at: those at its own position and before.

    Args:
        positions: Of the queries, [length] or [batch, length].
        key_positions: [slots] or [batch, slots].

    Returns:
        bool, [length, slots] or [batch, length, slots].
    """
    return key_positions.unsqueeze(-2) <= positions.unsqueeze(-1)


def attention(queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
    """Softmax attention with grouped heads, written out; it stores all `length * slots` scores.

    Query heads `g * n` to `g * n + n - 1` share key and value head `g`, where `n` is heads / kv_heads.

    Args:
        queries: [batch, heads, length, head_dim].
        keys: [batch, kv_heads, slots, head_dim].
        values: Likewise; hidden slots must be finite, for they are multiplied by zero.
        visible: bool, [length, slots] or [batch, length, slots]; a row without True gives NaN.

    Returns:
        [batch, heads, length, head_dim].
    """
    batch, _, length, head_dim = queries.shape
    grouped = queries.reshape(batch, keys.shape[1], -1, length, head_dim)
    scores = _wide(grouped @ keys.unsqueeze(2).transpose(-1, -2)) * head_dim**-0.5
    hidden = ~visible.unsqueeze(-3).unsqueeze(-3)
    shares = scores.masked_fill(hidden, -torch.inf).softmax(-1).to(values.dtype)
    mixed: Tensor = shares @ values.unsqueeze(2)
    return mixed.reshape(queries.shape)


def _wide(states: Tensor) -> Tensor:
    return states.to(torch.promote_types(states.dtype, torch.float32))
