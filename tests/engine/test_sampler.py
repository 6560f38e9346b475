"""Filters against their definitions, draws against their distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ai_research_skills.engine import Request, Row, Sampling, distributions, draw, next_tokens


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(3, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2


def by_hand(row: Tensor, sampling: Sampling) -> Tensor:
    """Slowly, one token after the other, as the parameters are defined."""
    shares = (row / sampling.temperature).softmax(0)
    order = sorted(range(len(row)), key=lambda token: -float(shares[token]))
    order = [token for token in order if shares[token] >= sampling.min_p * shares.max()]
    order = order[: sampling.top_k or None]
    total, kept, mass = float(shares[order].sum()), list[int](), 0.0
    for token in order:
        kept.append(token)
        mass += float(shares[token]) / total
        if mass >= sampling.top_p:
            break
    result = torch.zeros_like(shares)
    result[kept] = shares[kept] / shares[kept].sum()
    return result


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=1.0),
        Sampling(temperature=0.3),
        Sampling(temperature=1.5, top_k=7),
        Sampling(temperature=1.0, top_p=0.6),
        Sampling(temperature=1.0, min_p=0.2),
        Sampling(temperature=0.8, top_k=12, top_p=0.9, min_p=0.05),
        Sampling(temperature=1.0, top_p=1e-9),
        Sampling(temperature=1.0, top_k=100),
    ],
)
def test_filters_keep_what_they_say(logits: Tensor, sampling: Sampling) -> None:
    found = distributions(logits, [Row(sampling)] * 3)
    for shares, row in zip(found, logits, strict=True):
        assert torch.allclose(shares, by_hand(row, sampling), atol=1e-12)


def test_rows_of_mixed_settings_do_not_touch_each_other(logits: Tensor) -> None:
    settings = [Sampling(), Sampling(temperature=1.0, top_k=3), Sampling(temperature=2.0)]
    together = distributions(logits, [Row(sampling) for sampling in settings])
    for index, sampling in enumerate(settings):
        alone = distributions(logits[index : index + 1], [Row(sampling)])
        assert torch.equal(together[index], alone[0])
    assert together[0].tolist() == torch.nn.functional.one_hot(logits[0].argmax(), 40).tolist()


def test_penalties_follow_their_formulas(logits: Tensor) -> None:
    sampling = Sampling(temperature=1.0, repetition_penalty=1.3, presence_penalty=0.5, frequency_penalty=0.25)
    row = Row(sampling, prompt=(1, 2), output=(2, 5, 5))
    expected = logits[0].clone()
    for token in (1, 2, 5):
        expected[token] = expected[token] / 1.3 if expected[token] > 0 else expected[token] * 1.3
    expected[2] -= 0.5 + 0.25
    expected[5] -= 0.5 + 0.5
    assert torch.allclose(distributions(logits[:1], [row])[0], expected.softmax(0))


def test_draws_follow_the_distribution() -> None:
    shares = torch.tensor([[0.5, 0.0, 0.3, 0.0, 0.2]], dtype=torch.float64)
    count = 20_000
    drawn = draw(shares.expand(count, -1), [(index + 0.5) / count for index in range(count)])
    assert [drawn.count(token) / count for token in range(5)] == pytest.approx(shares[0].tolist(), abs=1e-4)


@pytest.mark.parametrize("uniform", [0.0, 0.5, math.nextafter(1.0, 0.0)])
def test_what_has_no_probability_is_never_drawn(uniform: float) -> None:
    shares = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0]])
    assert draw(shares, [uniform])[0] in {1, 3}


@pytest.mark.parametrize("top_p", [0.9, 0.99, 0.9999])
def test_top_p_keeps_the_same_tokens_in_float32_as_in_float64(top_p: float) -> None:
    logits = torch.randn(20, 49_152, generator=torch.Generator().manual_seed(1)) * 3
    rows = [Row(Sampling(temperature=1.0, top_p=top_p))] * 20
    narrow, wide = (distributions(each, rows) > 0 for each in (logits, logits.double()))
    assert torch.equal(narrow, wide)


def test_extremes_are_no_accident(logits: Tensor) -> None:
    cold = distributions(logits.float(), [Row(Sampling(temperature=1e-38))] * 3)
    assert torch.equal(cold, distributions(logits.float(), [Row(Sampling())] * 3))
    with pytest.raises(ValueError, match="are the logits finite"):
        next_tokens(logits * torch.nan, [Row(Sampling(temperature=1.0))] * 3, [0.5] * 3)
    halves = distributions(logits.bfloat16(), [Row(Sampling(temperature=1.0, top_k=7))] * 3)
    assert (halves > 0).sum(-1).tolist() == [7] * 3


def test_seeds_of_either_sign_are_two_seeds() -> None:
    numbers = {Request((1,), Sampling(seed=seed)).uniform() for seed in (-1, 1, 0)}
    assert len(numbers) == 3


def test_a_constraint_without_a_way_on_is_an_error(logits: Tensor) -> None:
    class Nothing:
        def allowed(self, output: Sequence[int]) -> Tensor:
            return torch.zeros(40, dtype=torch.bool)

    with pytest.raises(ValueError, match=r"allows no token after \[4\]"):
        next_tokens(logits[:1], [Row(Sampling(constraint=Nothing()), output=(4,))], [0.5])


def test_greedy_rows_take_the_first_of_equals() -> None:
    assert next_tokens(torch.tensor([[0.0, 2.0, 2.0]]), [Row(Sampling())], [0.9]) == [1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"temperature": -1.0}, "temperature=-1.0 → make it 0 or more, and finite"),
        ({"temperature": math.inf}, "temperature=inf → make it 0 or more, and finite"),
        ({"top_p": 0.0}, r"top_p=0.0 → make it in \(0, 1\]"),
        ({"min_p": 2.0}, r"min_p=2.0 → make it in \[0, 1\]"),
        ({"max_tokens": 0}, "max_tokens=0 → make it at least 1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty=0.0 → make it 0.01 to 100"),
    ],
)
def test_settings_without_meaning_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sampling(**wrong)  # type: ignore[arg-type]
