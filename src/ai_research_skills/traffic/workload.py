"""Requests as they come to a server: random times, real texts, lengths as uneven as real ones."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ai_research_skills.engine.request import Request, Sampling
from ai_research_skills.evaluation import docstring_pairs
from ai_research_skills.llama.tokenizer import Tokenizer

QUESTION = "Write a Python function for this description."


def poisson(rate: float, count: int, *, seed: int = 0) -> list[float]:
    """Moments of `count` arrivals, in seconds, that are independent of each other and `rate` a second on average."""
    if rate <= 0:
        raise ValueError(f"a rate of {rate} requests a second brings none → make it positive")
    generator, moment, moments = random.Random(seed), 0.0, list[float]()
    for _ in range(count):
        moment += generator.expovariate(rate)
        moments.append(moment)
    return moments


def docstring_requests(
    tokenizer: Tokenizer,
    moments: Sequence[float],
    *,
    longest_prompt: int = 96,
    longest_answer: int = 64,
    seed: int = 0,
) -> list[Request]:
    """One request for each moment: to write the function that a docstring of the standard library describes.

    The answer is as long as the real function, in tokens, within the bounds; it does not stop earlier. So the
    work of a run is known beforehand, and its lengths are spread as real ones are.

    Args:
        tokenizer: Of the model that is asked.
        moments: Arrivals in seconds.
        longest_prompt: Tokens at which a docstring is cut, before the chat template.
        longest_answer: Most tokens of an answer.
        seed: Of the choice of functions.
    """
    pairs = docstring_pairs(max(200, len(moments)))
    chosen = random.Random(seed).sample(pairs, len(moments))
    return [
        Request(
            prompt=tuple(tokenizer.chat(_cut(tokenizer, pair.docstring, longest_prompt), system=QUESTION)),
            sampling=Sampling(max_tokens=max(4, min(longest_answer, len(tokenizer.encode(pair.body))))),
            arrival=moment,
        )
        for moment, pair in zip(moments, chosen, strict=True)
    ]


def _cut(tokenizer: Tokenizer, text: str, tokens: int) -> str:
    return tokenizer.decode(tokenizer.encode(text)[:tokens])
