"""Error bars without a distribution: the bootstrap.

Source: Efron, Bootstrap Methods: Another Look at the Jackknife, https://doi.org/10.1214/aos/1176344552
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
"""Enough for the ends of a 95 % interval to move by a few percent of its width from seed to seed."""


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its 95 % interval, in the unit of what was averaged.

    Attributes:
        samples: How many independent values were averaged.
    """

    mean: float
    low: float
    high: float
    samples: int

    @property
    def spread(self) -> float:
        """Half the width of the interval: what `lab.record` takes."""
        return (self.high - self.low) / 2

    @property
    def holds_zero(self) -> bool:
        """Whether the data do not show that there is a difference at all."""
        return self.low <= 0 <= self.high

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def bootstrap(values: Sequence[float] | NDArray[np.floating], *, seed: int = 0) -> Interval:
    """Mean of independent `values` with the percentile interval of `RESAMPLES` resampled means.

    To compare two models give the differences on the same texts, and not two sets of values.

    Raises:
        ValueError: There are fewer than two values, or one is not a number.
    """
    sample = np.asarray(values, dtype=np.float64).ravel()
    if len(sample) < 2:
        raise ValueError(f"{len(sample)} values have no spread → evaluate on more texts")
    if not np.isfinite(sample).all():
        raise ValueError("a value is infinite or no number → look at the outputs of the changed model")
    drawn = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLES, len(sample)))
    low, high = np.quantile(sample[drawn].mean(1), [0.025, 0.975])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))
