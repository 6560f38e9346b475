"""A changed language model against the unchanged one: loss, Kullback-Leibler divergence, agreement.

The divergence sees every change of the predictions, where the loss sees only the probability of the one token
that came: a model can lose here and gain there, and keep its perplexity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ai_research_skills.evaluation.intervals import Interval, bootstrap

Logits = Callable[[Tensor], Tensor]
"""A model: int64 tokens [batch, length] to logits [batch, length, vocabulary]."""

FLOATS_AT_ONCE = 2**25
"""How many logits are held at a time; 128 MiB in float32."""


def windows(tokens: Tensor, *, length: int, count: int) -> Tensor:
    """`count` windows spread evenly over a text, each with one token more than `length` to be predicted.

    Args:
        tokens: [tokens], of any integer type.
        length: Predicted tokens of a window.
        count: Windows; they do not overlap, so that they count as independent.

    Returns:
        int64, [count, length + 1].

    Raises:
        ValueError: The text is too short.
    """
    stride = len(tokens) // count if count else 0
    if stride < length + 1:
        raise ValueError(
            f"{len(tokens)} tokens hold no {count} windows of {length} + 1 → ask for fewer or shorter ones"
        )
    starts = torch.arange(count, device=tokens.device) * stride
    return tokens[starts.unsqueeze(-1) + torch.arange(length + 1, device=tokens.device)].long()


@dataclass(frozen=True)
class Score:
    """What a changed model costs, over the windows of a `Judge`.

    Attributes:
        loss: Cross entropy of the changed model, nats per token.
        extra_loss: How much above the reference's on the same windows, nats per token; may be negative.
        divergence: Kullback-Leibler divergence from the reference's predictions to the changed model's,
            nats per token; never negative.
        agreement: Share of tokens for which both find the same one likeliest, in [0, 1].
        losses: Cross entropy of each window, nats per token.
        divergences: Of each window, nats per token.
    """

    loss: Interval
    extra_loss: Interval
    divergence: Interval
    agreement: Interval
    losses: NDArray[np.float64]
    divergences: NDArray[np.float64]


class Judge:
    """Keeps what the reference predicts on some windows, and scores other models by it.

    Args:
        reference: The unchanged model; run once, here.
        tokens: From `windows`: int64, [count, length + 1].

    Attributes:
        losses: Cross entropy of the reference in each window, nats per token.
    """

    @torch.no_grad()
    def __init__(self, reference: Logits, tokens: Tensor) -> None:
        self._tokens = tokens
        self._expected = [_log_probabilities(reference, part) for part in self._parts(reference)]
        pairs = zip(self._expected, torch.split(tokens, self._rows), strict=True)
        self.losses = _numbers([_losses(expected, part) for expected, part in pairs])

    @torch.no_grad()
    def __call__(self, model: Logits) -> Score:
        """Score `model` on the same windows.

        Raises:
            ValueError: It predicts something that is no number.
        """
        losses, divergences, agreements = [], [], []
        for expected, part in zip(self._expected, torch.split(self._tokens, self._rows), strict=True):
            found = _log_probabilities(model, part)
            losses.append(_losses(found, part))
            divergences.append((expected.exp() * (expected - found)).sum(-1).mean(-1))
            agreements.append((expected.argmax(-1) == found.argmax(-1)).float().mean(-1))
        loss, divergence = _numbers(losses), _numbers(divergences)
        return Score(
            loss=bootstrap(loss),
            extra_loss=bootstrap(loss - self.losses),
            divergence=bootstrap(divergence),
            agreement=bootstrap(_numbers(agreements)),
            losses=loss,
            divergences=divergence,
        )

    def _parts(self, reference: Logits) -> tuple[Tensor, ...]:
        vocabulary = reference(self._tokens[:1, :1]).shape[-1]
        self._rows = max(1, FLOATS_AT_ONCE // (vocabulary * self._tokens.shape[1]))
        parts: tuple[Tensor, ...] = torch.split(self._tokens, self._rows)
        return parts


def _log_probabilities(model: Logits, tokens: Tensor) -> Tensor:
    return model(tokens[:, :-1]).float().log_softmax(-1)


def _losses(log_probabilities: Tensor, tokens: Tensor) -> Tensor:
    return -log_probabilities.gather(-1, tokens[:, 1:].unsqueeze(-1)).squeeze(-1).mean(-1)


def _numbers(parts: list[Tensor]) -> NDArray[np.float64]:
    values: NDArray[np.float64] = torch.cat(parts).double().cpu().numpy()
    return values
