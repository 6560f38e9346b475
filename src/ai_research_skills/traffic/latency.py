"""How long a step takes, from what it computes: fitted to measured steps, then used to predict and to simulate."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ai_research_skills.engine.runner import SHORT
from ai_research_skills.engine.scheduler import Chunk
from ai_research_skills.traffic.clock import VirtualClock


@dataclass(frozen=True)
class Shape:
    """What the time of a step depends on.

    Attributes:
        rows: Tokens that attend one by one: decoding, and short ends of prompts.
        prefilled: Tokens of long chunks.
        context: Keys that are read, summed over rows and long chunks.
    """

    rows: int = 0
    prefilled: int = 0
    context: int = 0

    @classmethod
    def of(cls, chunks: Sequence[Chunk], *, short: int = SHORT) -> Shape:
        """The shape of a step that computes `chunks`; those of at most `short` tokens attend one by one."""
        alone = [chunk for chunk in chunks if len(chunk.tokens) <= short]
        long = [chunk for chunk in chunks if len(chunk.tokens) > short]
        rows = [at + 1 for chunk in alone for at in range(chunk.start, chunk.start + len(chunk.tokens))]
        return cls(
            rows=len(rows),
            prefilled=sum(len(chunk.tokens) for chunk in long),
            context=sum(rows) + sum(chunk.start + len(chunk.tokens) for chunk in long),
        )


@dataclass(frozen=True)
class LatencyModel:
    """Seconds of a step, as a sum of what it does.

    Attributes:
        fixed: Of any step: every weight is read once, every kernel launched.
        row: For each token that attends alone.
        prefilled: For each token of a long chunk.
        context: For each key that is read.
    """

    fixed: float
    row: float
    prefilled: float
    context: float

    def seconds(self, shape: Shape) -> float:
        """Predicted time of a step."""
        each = (self.row, self.prefilled, self.context)
        counts = (shape.rows, shape.prefilled, shape.context)
        return self.fixed + sum(cost * count for cost, count in zip(each, counts, strict=True))

    @classmethod
    def fit(cls, shapes: Sequence[Shape], seconds: Sequence[float]) -> LatencyModel:
        """Least squares of the relative error, with no negative cost.

        Args:
            shapes: Of measured steps; all must vary for all costs to be told apart.
            seconds: What they took.
        """
        optimize: Any = importlib.import_module("scipy.optimize")
        measured = np.asarray(seconds, dtype=float)
        counts = np.array([(1, *astuple(shape)) for shape in shapes], dtype=float)
        costs, _ = optimize.nnls(counts / measured[:, None], np.ones(len(measured)))
        return cls(*map(float, costs))

    def errors(self, shapes: Sequence[Shape], seconds: Sequence[float]) -> list[float]:
        """Relative errors of the predictions: 0.1 is ten percent too slow, -0.1 ten percent too fast."""
        return [self.seconds(shape) / took - 1 for shape, took in zip(shapes, seconds, strict=True)]


class SimulatedRunner:
    """Takes the time that a latency model says, and always answers token 0.

    The scheduler, the blocks and the prefix tree in front of it are the real ones: what is simulated is the
    arithmetic alone.
    """

    def __init__(
        self, latency: LatencyModel, clock: VirtualClock, *, context: int = 8192, short: int = SHORT
    ) -> None:
        """A runner whose time is `clock`'s.

        Args:
            latency: Of the machine that is simulated.
            clock: The engine's too.
            context: Most tokens of one request.
            short: `ModelRunner.short` of the runner that was measured.
        """
        self.latency, self.clock, self.context, self.short = latency, clock, context, short

    def run(self, chunks: Sequence[Chunk]) -> Tensor:
        """See `engine.Runner.run`; the vocabulary has one token."""
        self.clock.advance(self.latency.seconds(Shape.of(chunks, short=self.short)))
        return torch.zeros(sum(chunk.wanted for chunk in chunks), 1)
