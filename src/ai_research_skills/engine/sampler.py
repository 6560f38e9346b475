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
    temperatures = _column([row.sampling.temperature for row in rows], scores)
    greedy = temperatures == 0
    scaled = scores / temperatures.masked_fill(greedy, 1.0)
    probabilities = scaled.softmax(-1)
    if filtering := [index for index, row in enumerate(rows) if row.sampling.filters]:
        settings = [rows[index].sampling for index in filtering]
        probabilities[filtering] = _filtered(scaled[filtering], settings)
    one_hot = torch.zeros_like(scores).scatter_(-1, likeliest, 1.0)
    return torch.where(greedy, one_hot, probabilities)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device, dtype=like.dtype).unsqueeze(-1)


def _filtered(scaled: Tensor, settings: Sequence[Sampling]) -> Tensor:
    ordered, places = scaled.sort(dim=-1, descending=True, stable=True)
    rank = torch.arange(ordered.shape[-1], device=ordered.device)
    most = _column([sampling.top_k or len(rank) for sampling in settings], ordered)
    relative = (ordered - ordered[:, :1]).exp()
    keep = (relative >= _column([sampling.min_p for sampling in settings], ordered)) & (rank < most)
    likely = ordered.masked_fill(~keep, -torch.inf).softmax(-1)
    before = likely.cumsum(-1, dtype=torch.float64) - likely
    mass = _column([sampling.top_p for sampling in settings], before)
    keep &= (before < mass) | (mass == 1)
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
