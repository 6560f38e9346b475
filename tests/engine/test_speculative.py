"""The accept rule against its theorem, the look-up against a text, the shallow model against its parts."""

from __future__ import annotations

import random

import pytest
import torch

from ai_research_skills.engine import Draft, PromptLookup, Request, Sampling, shallow, verify
from ai_research_skills.llama import Llama


@pytest.mark.parametrize("certain", [False, True], ids=["drawn", "certain"])
def test_the_first_token_is_distributed_as_the_target_whatever_the_draft(certain: bool) -> None:
    """Over a fine grid of the two uniform numbers, so that the only error is the grid's."""
    target = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]], dtype=torch.float64)
    guess = torch.tensor([[0.1, 0.6, 0.3]], dtype=torch.float64)
    found, grid = torch.zeros(3, dtype=torch.float64), 60
    drafts = [(1, 1.0)] if certain else [(token, float(guess[0, token])) for token in range(3)]
    for token, chance in drafts:
        draft = Draft((token,), None if certain else guess)
        for first in range(grid):
            for second in range(grid):
                numbers = iter([(first + 0.5) / grid, (second + 0.5) / grid])
                found[verify(target, draft, lambda numbers=numbers: next(numbers))[0]] += chance / grid**2
    assert found.tolist() == pytest.approx(target[0].tolist(), abs=0.02)


def test_all_accepted_guesses_earn_one_token_more() -> None:
    certain = torch.eye(4, dtype=torch.float64)[[1, 2, 3]]
    assert verify(certain, Draft((1, 2)), lambda: 0.999) == [1, 2, 3]
    assert verify(certain, Draft((1, 0)), lambda: 0.0) == [1, 2]
    assert verify(certain[:1], Draft(()), lambda: 0.5) == [1]
    assert verify(certain[:2], Draft((1, 2)), lambda: 0.5) == [1, 2]


def test_a_draft_that_differs_by_rounding_alone_is_no_dead_end() -> None:
    target = torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    guess = torch.tensor([[0.5, 0.25 + 3e-8, 0.25]])
    assert verify(target, Draft((1,), guess), lambda: 0.9999999999) == [2]


def test_lookup_guesses_what_followed_the_longest_match_last() -> None:
    lookup = PromptLookup(longest=2)
    request = Request((1, 2, 3, 9, 2, 4, 1, 2), Sampling())
    assert lookup.propose(request, 3) == Draft((3, 9, 2))
    assert lookup.propose(Request((5, 7, 5), Sampling()), 2) == Draft((7, 5))
    assert lookup.propose(Request((1, 2, 3), Sampling()), 2) is None
    assert lookup.propose(Request((4,), Sampling()), 2) is None


def test_a_shallow_model_with_all_layers_is_the_model(small: Llama) -> None:
    ids = torch.tensor([[random.Random(0).randrange(50) for _ in range(9)]])
    assert torch.equal(shallow(small, [0, 1])(ids), small(ids))
    one = shallow(small, [1])
    assert len(one.layers) == 1 and one.embedding.weight is not None
    assert one.layers[0].ffn.up.weight.data_ptr() == small.layers[1].ffn.up.weight.data_ptr()  # type: ignore[union-attr,operator]
    assert not torch.allclose(one(ids), small(ids))
