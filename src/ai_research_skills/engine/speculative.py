"""Guess several tokens, verify them in one step: the answer has exactly the distribution it would have had.

Source: Leviathan et al., https://arxiv.org/abs/2211.17192; Chen et al., https://arxiv.org/abs/2302.01318
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Protocol

import torch
from torch import Tensor

from ai_research_skills.engine.request import Draft, Request
from ai_research_skills.engine.sampler import Row, distributions, draw
from ai_research_skills.llama.cache import Cache
from ai_research_skills.llama.model import Llama


class Drafter(Protocol):
    """Guesses how answers go on."""

    def propose(self, request: Request, count: int) -> Draft | None:
        """At most `count` next tokens, or None without a guess."""
        ...

    def forget(self, request: Request) -> None:
        """The request is over."""
        ...


def verify(target: Tensor, draft: Draft, uniform: Callable[[], float]) -> list[int]:
    """Accept guesses from the front, and add one token of the target's own.

    A guess x drawn from q is accepted with probability min(1, p(x) / q(x)). The first that is not is replaced
    by a draw from max(0, p - q), normalised. What comes out is distributed as p, whatever q is.

    Args:
        target: p after 0, 1, … accepted guesses, [guesses + 1, vocabulary].
        draft: The guesses; there may be more of them than `target` has rows for.
        uniform: Gives a number in [0, 1).

    Returns:
        The accepted guesses and one token more.
    """
    for index, token in enumerate(draft.tokens[: len(target) - 1]):
        wanted = target[index]
        guessed = None if draft.probabilities is None else draft.probabilities[index]
        chance = float(wanted[token]) / (1.0 if guessed is None else float(guessed[token]))
        if uniform() < chance:
            continue
        rest = wanted.clone()
        if guessed is None:
            rest[token] = 0.0
        else:
            rest = (rest - guessed).clamp_min(0.0)
        if not bool(rest.any()):  # p and q differ by rounding alone
            rest = wanted
        return [*draft.tokens[:index], *draw(rest.unsqueeze(0), [uniform()])]
    return [*draft.tokens[: len(target) - 1], *draw(target[-1:], [uniform()])]


def sensible(request: Request, draft: Draft) -> Draft | None:
    """The draft as far as it can be right: up to a stop token, and before a guess that a constraint forbids.

    A guess that was drawn may not be dropped for what it is, or the answer's distribution would change. None
    is: what is drawn is drawn under the constraint, and the stop token stays.
    """
    sampling, kept = request.sampling, list[int]()
    for token in draft.tokens:
        if sampling.constraint and not sampling.constraint.allowed([*request.output, *kept])[token]:
            break
        kept.append(token)
        if token in sampling.stop:
            break
    return replace(draft, tokens=tuple(kept)) if kept else None


class PromptLookup:
    """Guesses that what followed the last words before follows again.

    Source: prompt lookup decoding, https://github.com/apoorvumang/prompt-lookup-decoding
    """

    def __init__(self, longest: int = 3, shortest: int = 1) -> None:
        """Look for the last `longest` tokens first, and for fewer down to `shortest`."""
        self.longest, self.shortest = longest, shortest

    def propose(self, request: Request, count: int) -> Draft | None:
        """See `Drafter.propose`."""
        tokens = request.tokens
        for length in range(min(self.longest, len(tokens) - 1), self.shortest - 1, -1):
            last = tokens[-length:]
            for start in range(len(tokens) - length - 1, -1, -1):
                if tokens[start : start + length] == last:
                    return Draft(tuple(tokens[start + length : start + length + count]))
        return None

    def forget(self, request: Request) -> None:
        """See `Drafter.forget`."""


class ModelDrafter:
    """Guesses with a smaller model of the same vocabulary, and a contiguous cache for each request."""

    def __init__(self, model: Llama) -> None:
        self.model = model
        self.forwards = 0
        self._known: dict[str, tuple[Cache, list[int]]] = {}

    @torch.no_grad()
    def propose(self, request: Request, count: int) -> Draft | None:
        """See `Drafter.propose`."""
        tokens, guesses, shares = request.tokens, list[int](), list[Tensor]()
        cache, fed = self._recall(request)
        while len(guesses) < count and not request.sampling.stop.intersection(guesses[-1:]):
            new = [*tokens, *guesses][len(fed) :]
            ids = torch.tensor([new], device=self.model.norm.device)
            logits = self.model.logits(self.model.final_states(ids, cache=cache)[:, -1])
            self.forwards += 1
            fed += new
            share = distributions(
                logits, [Row(request.sampling, request.prompt, [*request.output, *guesses])]
            )
            shares.append(share)
            guesses += draw(share, [0.0 if request.sampling.greedy else request.uniform()])
        return Draft(tuple(guesses), None if request.sampling.greedy else torch.cat(shares))

    def forget(self, request: Request) -> None:
        """See `Drafter.forget`."""
        self._known.pop(request.name, None)

    def _recall(self, request: Request) -> tuple[Cache, list[int]]:
        """The cache, set back to what is still true of it, and the tokens it holds then."""
        if request.name not in self._known:
            capacity = len(request.prompt) + request.sampling.max_tokens
            self._known[request.name] = (self.model.cache(capacity=capacity), [])
        cache, fed = self._known[request.name]
        tokens = request.tokens[:-1]
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(fed, tokens, strict=False)))
        cache.length = same
        del fed[same:]
        return cache, fed


def shallow(model: Llama, layers: Sequence[int]) -> Llama:
    """The model with some of its layers (from 0) left out; it shares the weights of those that stay.

    Source: drafting by skipped layers, Zhang et al., https://arxiv.org/abs/2309.08168
    """
    with torch.device("meta"):
        small = Llama(replace(model.config, layers=len(layers)))
    kept = {name: value for name, value in model.state_dict().items() if not name.startswith("layers.")}
    for new, old in enumerate(layers):
        for name, value in model.layers[old].state_dict().items():
            kept[f"layers.{new}.{name}"] = value
    small.load_state_dict(kept, assign=True)
    return small.requires_grad_(False).eval()
