import numpy as np
import pytest

from ai_research_skills.evaluation import bootstrap


def test_the_interval_holds_the_true_mean_about_95_times_in_100() -> None:
    generator = np.random.default_rng(1)
    found = [bootstrap(generator.exponential(size=80), seed=seed) for seed in range(200)]
    assert 0.88 < np.mean([each.low < 1 < each.high for each in found]) < 0.99


def test_a_paired_difference_is_seen_that_two_intervals_hide() -> None:
    generator = np.random.default_rng(2)
    before = generator.normal(3, 1, 100)
    after = before + generator.normal(0.05, 0.01, 100)
    assert bootstrap(before).high > bootstrap(after).low
    assert not bootstrap(after - before).holds_zero


def test_what_has_no_spread_or_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="1 values have no spread"):
        bootstrap([1.0])
    with pytest.raises(ValueError, match="no number"):
        bootstrap([1.0, float("nan")])
