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
        if row.sampling.constraint is not None and not _ended(row):
            allowed = row.sampling.constraint.allowed(row.output).to(scores.device)
            if not bool(allowed.any()):
                raise ValueError(f"the constraint allows no token after {list(row.output)}")
            scores.masked_fill_(~allowed, -torch.inf)
    return changed


def _ended(row: Row) -> bool:
    """Whether a guess that would end the answer lies before this row: then nobody will read it."""
    return bool(row.output) and row.output[-1] in row.sampling.stop


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
    scores = adjusted(logits.to(torch.promote_types(logits.dtype, torch.float32)), rows)
    greedy = [index for index, row in enumerate(rows) if row.sampling.greedy]
    if len(greedy) == len(rows):
        return _one_hot(scores)
    temperatures = _column([row.sampling.temperature or 1.0 for row in rows], scores)
    # Without the largest logit, no temperature makes the others overflow.
    scaled = (scores - scores.amax(-1, keepdim=True)) / temperatures
    probabilities = scaled.softmax(-1)
    if filtering := [index for index, row in enumerate(rows) if row.sampling.filters]:
        settings = [rows[index].sampling for index in filtering]
        probabilities[filtering] = _filtered(scaled[filtering], settings)
    if greedy:
        probabilities[greedy] = _one_hot(scores[greedy])
    return probabilities


def _one_hot(scores: Tensor) -> Tensor:
    return torch.zeros_like(scores).scatter_(-1, scores.argmax(-1, keepdim=True), 1.0)


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device, dtype=like.dtype).unsqueeze(-1)


def _filtered(scaled: Tensor, settings: Sequence[Sampling]) -> Tensor:
    vocabulary = scaled.shape[-1]
    kept = [min(sampling.top_k or vocabulary, vocabulary) for sampling in settings]
    ordered, places = scaled.topk(max(kept))
    rank = torch.arange(ordered.shape[-1], device=ordered.device)
    keep = (ordered.exp() >= _column([sampling.min_p for sampling in settings], ordered)) & (
        rank < _column(kept, ordered)
    )
    likely = ordered.masked_fill(~keep, -torch.inf).softmax(-1)
    reached = likely.cumsum(-1, dtype=torch.float64)
    # A softmax in float32 over a whole vocabulary sums to 1 only within 2e-5, which top-p 0.999 would notice.
    before = (reached - likely) / reached[:, -1:]
    mass = _column([sampling.top_p for sampling in settings], before)
    keep &= (before < mass) | (mass == 1)
    shares = ordered.masked_fill(~keep, -torch.inf).softmax(-1)
    return torch.zeros_like(scaled).scatter_(-1, places, shares)


def draw(probabilities: Tensor, uniforms: Sequence[float]) -> list[int]:
    """One token a row, by inversion: the first whose cumulative probability exceeds the uniform number.

    Args:
        probabilities: [rows, vocabulary]; rows need not sum to exactly 1.
        uniforms: One number in [0, 1) a row.

    Raises:
        ValueError: A row has no probability at all, or one that is no number.
    """
    cumulative = probabilities.cumsum(-1, dtype=torch.float64)
    total = cumulative[:, -1:]
    if not bool((total.isfinite() & (total > 0)).all()):
        raise ValueError(f"the probabilities of a row sum to {total.min()} → are the logits finite?")
    at = torch.tensor(uniforms, dtype=torch.float64, device=probabilities.device).unsqueeze(-1)
    found = torch.searchsorted(cumulative, at * total, right=True)
    return [int(token) for token in found.squeeze(-1).clamp_max(probabilities.shape[-1] - 1).tolist()]


def next_tokens(logits: Tensor, rows: Sequence[Row], uniforms: Sequence[float]) -> list[int]:
    """One token for each row of logits [rows, vocabulary]; greedy rows ignore their uniform number."""
    if all(row.sampling.greedy for row in rows):
        return [int(token) for token in adjusted(logits, rows).argmax(-1).tolist()]
    return draw(distributions(logits, rows), uniforms)
