import pytest
import torch

from ai_research_skills.evaluation import docstring_pairs, reciprocal_ranks


def test_the_rank_is_the_place_of_the_right_document() -> None:
    queries = torch.eye(3)
    documents = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.8], [0, 0.9, 0.1]])
    assert reciprocal_ranks(queries, documents).tolist() == [1, 1 / 2, 1 / 2]


def test_a_tie_counts_against_the_right_one() -> None:
    assert reciprocal_ranks(torch.ones(4, 2), torch.ones(4, 2)).tolist() == [1 / 4] * 4


def test_the_pairs_are_of_different_functions_and_do_not_give_the_answer_away() -> None:
    pairs = docstring_pairs(60)
    assert len({pair.docstring for pair in pairs}) == 60
    assert len({pair.name.partition(".")[0] for pair in pairs}) > 20
    assert not any(pair.docstring in pair.body for pair in pairs)
    with pytest.raises(ValueError, match="functions → the standard library has"):
        docstring_pairs(10**6)
