"""What a client asks of the engine, and what the engine keeps of it while it answers."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from torch import Tensor

Reason = Literal["stop", "length", "cancelled", "error"]
"""Why an answer ended: at a stop, as long as it may be, left by its client, or without a token to choose."""

_numbers = itertools.count()


class Constraint(Protocol):
    """A rule on the answer, such as a grammar."""

    def allowed(self, output: Sequence[int]) -> Tensor:
        """Which token may follow `output`: bool, [vocabulary]; at least one of them is True."""
        ...


@dataclass(frozen=True)
class Sampling:
    """How the tokens of one answer are chosen. The defaults are greedy decoding.

    Attributes:
        max_tokens: Most tokens of the answer.
        temperature: Divides the logits; 0 takes the likeliest token and ignores the four filters below.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the fewest likeliest tokens whose probabilities sum to at least this, in (0, 1].
        min_p: Keep tokens at least this fraction as likely as the likeliest, in [0, 1].
        repetition_penalty: Divides positive and multiplies negative logits of tokens in prompt or answer.
        presence_penalty: Subtracted once from the logit of each token of the answer.
        frequency_penalty: Subtracted from it as often as the token was answered.
        seed: Of this answer's own random numbers. Without drafts they do not depend on who shares the batch;
            with drafts, how many are used depends on how many guesses the budget of a step leaves room for.
        stop: Token ids that end the answer; the one that ended it is not part of it.
        constraint: Which tokens may follow, if not all.
    """

    max_tokens: int = 16
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    stop: frozenset[int] = frozenset()
    constraint: Constraint | None = None

    def __post_init__(self) -> None:
        demands = {
            "max_tokens": (self.max_tokens >= 1, "at least 1"),
            "temperature": (0 <= self.temperature < math.inf, "0 or more, and finite"),
            "top_k": (self.top_k >= 0, "0 (all tokens) or more"),
            "top_p": (0 < self.top_p <= 1, "in (0, 1]"),
            "min_p": (0 <= self.min_p <= 1, "in [0, 1]"),
            "repetition_penalty": (0.01 <= self.repetition_penalty <= 100, "0.01 to 100; 1 changes nothing"),
            "presence_penalty": (math.isfinite(self.presence_penalty), "finite"),
            "frequency_penalty": (math.isfinite(self.frequency_penalty), "finite"),
        }
        for name, (met, demand) in demands.items():
            if not met:
                raise ValueError(f"{name}={getattr(self, name)} → make it {demand}")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken."""
        return self.temperature == 0

    @property
    def filters(self) -> bool:
        """Whether any token is left out for being unlikely."""
        return (self.top_k, self.top_p, self.min_p) != (0, 1.0, 0.0)

    @property
    def adjusts(self) -> bool:
        """Whether logits change before they are compared: by a penalty or a constraint."""
        neutral = (self.repetition_penalty, self.presence_penalty, self.frequency_penalty) == (1.0, 0.0, 0.0)
        return not neutral or self.constraint is not None


@dataclass(frozen=True)
class Draft:
    """Guessed next tokens of an answer.

    Attributes:
        tokens: The guesses, at least one.
        probabilities: What each was drawn from, [tokens, vocabulary]; None where nothing was left to chance.
    """

    tokens: tuple[int, ...]
    probabilities: Tensor | None = None


@dataclass(eq=False)
class Request:
    """One prompt on its way to an answer.

    Attributes:
        prompt: Token ids; at least one.
        sampling: How to answer.
        arrival: When it came, seconds on the engine's clock.
        priority: Lower is more urgent, for `policies.Priority`.
        client: Who asks, for `policies.FairShare`.
        name: Unique among the requests of this process.
        output: Tokens of the answer so far.
        draft: Guesses to be verified in the next step.
        table: Blocks that hold its keys and values, in the order of positions.
        computed: Tokens whose keys and values are kept.
        cached: Tokens that the prefix tree spared it when it was admitted last.
        preemptions: How often it lost its blocks and had to be computed again.
        finished: Why it ended, once it has.
        error: What was wrong, if it ended with an error.
        admitted: When it first entered the batch.
        token_times: When each token of `output` was known.
        ended: When it finished.
    """

    prompt: tuple[int, ...]
    sampling: Sampling = field(default_factory=Sampling)
    arrival: float = 0.0
    priority: int = 0
    client: str = ""
    name: str = field(default_factory=lambda: f"request-{next(_numbers)}")
    output: list[int] = field(default_factory=list)
    draft: Draft | None = None
    table: list[int] = field(default_factory=list)
    computed: int = 0
    cached: int = 0
    preemptions: int = 0
    finished: Reason | None = None
    error: str = ""
    admitted: float | None = None
    token_times: list[float] = field(default_factory=list)
    ended: float | None = None

    def __post_init__(self) -> None:
        self.prompt = tuple(self.prompt)
        if not self.prompt:
            raise ValueError("the prompt is empty → give at least one token")
        # As text, for `Random` takes the absolute value of a number: -1 would be the seed 1.
        self._random = random.Random(None if self.sampling.seed is None else str(self.sampling.seed))

    @property
    def tokens(self) -> list[int]:
        """Prompt and answer so far."""
        return [*self.prompt, *self.output]

    @property
    def pending(self) -> Sequence[int]:
        """Tokens whose keys and values are still to be computed."""
        answered = self.computed - len(self.prompt)
        return self.output[answered:] if answered >= 0 else [*self.prompt[self.computed :], *self.output]

    @property
    def length(self) -> int:
        """Tokens of prompt and answer so far."""
        return len(self.prompt) + len(self.output)

    @property
    def decoding(self) -> bool:
        """Whether only the last token is still to be computed."""
        return bool(self.output) and self.computed == self.length - 1

    @property
    def remaining(self) -> int:
        """Tokens that may still be answered."""
        return self.sampling.max_tokens - len(self.output)

    @property
    def time_to_first_token(self) -> float:
        """Seconds from arrival to the first token; infinite while there is none."""
        return self.token_times[0] - self.arrival if self.token_times else float("inf")

    @property
    def gaps(self) -> list[float]:
        """Seconds between tokens that follow each other."""
        return [later - earlier for earlier, later in itertools.pairwise(self.token_times)]

    def uniform(self) -> float:
        """The next random number of this answer, in [0, 1)."""
        return self._random.random()
