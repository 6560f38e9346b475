"""From logits to tokens: penalties, constraint, temperature, min-p, top-k, top-p, one draw.

The order is vLLM's (`vllm/v1/sample/sampler.py`): penalties, temperature, min-p, top-k, top-p. Hugging Face's
`generate` applies min-p last, which differs where top-p and min-p are used together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ai_research_skills.engine.request import Sampling


@dataclass(frozen=True)
class Row:
    """Whose next token a row of logits is about.

    Attributes:
        sampling: How it is chosen.
        prompt: Tokens that were given.
        output: Tokens that were answered before it.
    """

    sampling: Sampling
    prompt: Sequence[int] = ()
    output: Sequence[int] = ()


def adjusted(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """Penalties and constraints: [rows, vocabulary] in and out; what a constraint forbids becomes -inf."""
    if not any(row.sampling.adjusts for row in rows):
        return logits
    changed = logits.clone()
    for scores, row in zip(changed, rows, strict=True):
        _penalize(scores, row)
        if row.sampling.constraint is not None:
            allowed = row.sampling.constraint.allowed(row.output).to(scores.device)
            scores.masked_fill_(~allowed, -torch.inf)
    return changed


def _penalize(scores: Tensor, row: Row) -> None:
    sampling, device = row.sampling, scores.device
    if sampling.repetition_penalty != 1:
        seen = torch.tensor(sorted({*row.prompt, *row.output}), device=device, dtype=torch.long)
        old = scores[seen]
        factor = sampling.repetition_penalty
        scores[seen] = torch.where(old > 0, old / factor, old * factor)
    if sampling.presence_penalty or sampling.frequency_penalty:
        answered = torch.tensor(list(row.output), device=device, dtype=torch.long)
        tokens, counts = torch.unique(answered, return_counts=True)
        scores[tokens] -= sampling.presence_penalty + sampling.frequency_penalty * counts


def distributions(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """The distribution that each next token is drawn from.

    Args:
        logits: [rows, vocabulary], float32 or float64.
        rows: One for each row of `logits`.

    Returns:
        Probabilities, [rows, vocabulary]; a greedy row is 1 at its likeliest token, the first of equals.
    """
    scores = adjusted(logits, rows)
    likeliest = scores.argmax(-1, keepdim=True)
    if all(row.sampling.greedy for row in rows):
        return torch.zeros_like(scores).scatter_(-1, likeliest, 1.0)
    column = _columns(rows, scores)
    greedy = column["temperature"] == 0
    scaled = scores / column["temperature"].masked_fill(greedy, 1.0)
    probabilities = _filtered(scaled, rows, column)
    one_hot = torch.zeros_like(scores).scatter_(-1, likeliest, 1.0)
    return torch.where(greedy, one_hot, probabilities)


def _columns(rows: Sequence[Row], like: Tensor) -> dict[str, Tensor]:
    names = ("temperature", "top_k", "top_p", "min_p")
    return {
        name: torch.tensor(
            [[getattr(row.sampling, name)] for row in rows], device=like.device, dtype=like.dtype
        )
        for name in names
    }


def _filtered(scaled: Tensor, rows: Sequence[Row], column: dict[str, Tensor]) -> Tensor:
    if all((row.sampling.top_k, row.sampling.top_p, row.sampling.min_p) == (0, 1.0, 0.0) for row in rows):
        return scaled.softmax(-1)
    ordered, places = scaled.sort(dim=-1, descending=True, stable=True)
    relative = (ordered - ordered[:, :1]).exp()
    rank = torch.arange(ordered.shape[-1], device=ordered.device)
    keep = (relative >= column["min_p"]) & ((rank < column["top_k"]) | (column["top_k"] == 0))
    likely = ordered.masked_fill(~keep, -torch.inf).softmax(-1)
    before = likely.cumsum(-1) - likely
    keep &= (before < column["top_p"]) | (column["top_p"] == 1)
    kept = ordered.masked_fill(~keep, -torch.inf).softmax(-1)
    return torch.zeros_like(scaled).scatter_(-1, places, kept)


def draw(probabilities: Tensor, uniforms: Sequence[float]) -> list[int]:
    """One token a row, by inversion: the first whose cumulative probability exceeds the uniform number.

    Args:
        probabilities: [rows, vocabulary]; rows need not sum to exactly 1.
        uniforms: One number in [0, 1) a row.
    """
    cumulative = probabilities.cumsum(-1, dtype=torch.float64)
    at = torch.tensor(uniforms, dtype=torch.float64, device=probabilities.device).unsqueeze(-1)
    found = torch.searchsorted(cumulative, at * cumulative[:, -1:], right=True)
    return [int(token) for token in found.squeeze(-1).clamp_max(probabilities.shape[-1] - 1).tolist()]


def next_tokens(logits: Tensor, rows: Sequence[Row], uniforms: Sequence[float]) -> list[int]:
    """One token for each row of logits [rows, vocabulary]; greedy rows ignore their uniform number."""
    if all(row.sampling.greedy for row in rows):
        return [int(token) for token in adjusted(logits, rows).argmax(-1).tolist()]
    return draw(distributions(logits, rows), uniforms)
