import math

import pytest
import torch
from torch import Tensor

from ai_research_skills.evaluation import Judge, windows

TOKENS = torch.randint(5, (600,), generator=torch.Generator().manual_seed(0))


def table(seed: int = 0, scale: float = 1.0):
    """A model that looks at the last token only."""
    rows = scale * torch.randn(5, 5, generator=torch.Generator().manual_seed(seed))

    def model(ids: Tensor) -> Tensor:
        return rows[ids]

    return model


def test_windows_are_slices_of_the_text_that_do_not_overlap() -> None:
    found = windows(torch.arange(100), length=9, count=10)
    assert found.tolist() == torch.arange(100).reshape(10, 10).tolist()
    with pytest.raises(ValueError, match="100 tokens hold no 10 windows of 10"):
        windows(torch.arange(100), length=10, count=10)


def test_an_unchanged_model_costs_nothing() -> None:
    judge = Judge(table(), windows(TOKENS, length=9, count=20))
    score = judge(table())
    assert score.extra_loss.mean == score.divergence.mean == 0
    assert score.agreement.mean == 1


def test_loss_and_divergence_are_those_of_the_definition() -> None:
    tokens = windows(TOKENS, length=9, count=20)
    score = Judge(table(), tokens)(table(1))
    log_p, log_q = (model(tokens[:, :-1]).double().log_softmax(-1) for model in (table(), table(1)))
    expected = torch.nn.functional.cross_entropy(log_q.flatten(0, 1), tokens[:, 1:].flatten())
    assert score.loss.mean == pytest.approx(expected.item(), rel=1e-5)
    assert score.divergence.mean == pytest.approx(
        (log_p.exp() * (log_p - log_q)).sum(-1).mean().item(), rel=1e-5
    )
    assert score.extra_loss.mean == pytest.approx(score.losses.mean() - Judge(table(), tokens).losses.mean())


def test_a_uniform_guess_loses_the_logarithm_of_the_vocabulary() -> None:
    assert Judge(table(scale=0), windows(TOKENS, length=9, count=20)).losses == pytest.approx(math.log(5))


def test_a_model_that_breaks_is_refused() -> None:
    judge = Judge(table(), windows(TOKENS, length=9, count=20))
    with pytest.raises(ValueError, match="no number"):
        judge(table(scale=math.inf))


def test_many_windows_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = windows(TOKENS, length=9, count=20)
    whole = Judge(table(), tokens)(table(1))
    monkeypatch.setattr("ai_research_skills.evaluation.language.FLOATS_AT_ONCE", 150)
    parts = Judge(table(), tokens)(table(1))
    assert parts.divergences == pytest.approx(whole.divergences)
