import pytest
import torch
from torch import nn

from ai_research_skills.evaluation import layer_inputs, linear_weights, replaced


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)).requires_grad_(
        False
    )


def test_only_linear_layers_have_weights_to_replace(model: nn.Module) -> None:
    assert {name: tuple(weight.shape) for name, weight in linear_weights(model).items()} == {
        "1": (6, 4),
        "3": (2, 6),
    }


def test_other_weights_are_computed_with_and_the_own_ones_come_back(model: nn.Module) -> None:
    ids = torch.arange(7)
    before = model(ids)
    with pytest.raises(ZeroDivisionError), replaced(model, {"3": torch.zeros(2, 6)}):
        assert torch.equal(model(ids), model[3].bias.expand(7, 2))
        raise ZeroDivisionError
    assert torch.equal(model(ids), before)


def test_a_wrong_name_or_shape_changes_nothing(model: nn.Module) -> None:
    with (
        pytest.raises(KeyError, match="no linear layer '0' → the model has 1, 3"),
        replaced(model, {"0": torch.zeros(7, 4)}),
    ):
        pass
    with (
        pytest.raises(ValueError, match=r"\(6, 2\), not \(2, 6\)"),
        replaced(model, {"3": torch.zeros(6, 2)}),
    ):
        pass


def test_the_inputs_are_what_the_layers_are_multiplied_with(model: nn.Module) -> None:
    ids = torch.tensor([[1, 2, 3], [4, 5, 6]])
    inputs = layer_inputs(model, lambda: (model(ids), model(ids[:1])))
    assert torch.equal(inputs["1"], model[0](torch.tensor([1, 2, 3, 4, 5, 6, 1, 2, 3])))
    assert inputs["3"].shape == (9, 6) and (inputs["3"] >= 0).all()
    assert list(layer_inputs(model, lambda: model(ids), only=lambda name: name == "3")) == ["3"]
    assert not any(layer._forward_pre_hooks for layer in model)
    with pytest.raises(ValueError, match="1, 3 did not run"):
        layer_inputs(model, lambda: None)
