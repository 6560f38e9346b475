"""The linear layers of a model: their weights, what they are fed, and other weights in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn


def linear_layers(model: nn.Module) -> dict[str, nn.Linear]:
    """Every `nn.Linear` under its path in the model; embeddings and norms are none."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}


def linear_weights(model: nn.Module) -> dict[str, Tensor]:
    """A view of the weight of every linear layer, [outputs, inputs], under the layer's path."""
    return {name: layer.weight.detach() for name, layer in linear_layers(model).items()}


@contextmanager
def replaced(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Let `model` compute with other weights, and give it its own back.

    Args:
        model: Changed while the context lasts.
        weights: Under the paths of `linear_weights`, [outputs, inputs]; cast to the type of what they replace.

    Raises:
        KeyError: The model has no such linear layer.
        ValueError: A weight has another shape.
    """
    layers = linear_layers(model)
    for name, weight in weights.items():
        if name not in layers:
            raise KeyError(f"no linear layer {name!r} → the model has {', '.join(layers)}")
        if weight.shape != layers[name].weight.shape:
            shapes = f"{tuple(weight.shape)}, not {tuple(layers[name].weight.shape)}"
            raise ValueError(f"the new weight of {name} is {shapes}")
    own = {name: layers[name].weight for name in weights}
    try:
        for name, weight in weights.items():
            layers[name].weight = nn.Parameter(weight.to(own[name]), requires_grad=False)
        yield
    finally:
        for name, weight in own.items():
            layers[name].weight = nn.Parameter(weight, requires_grad=weight.requires_grad)


@torch.no_grad()
def layer_inputs(
    model: nn.Module, run: Callable[[], object], *, only: Callable[[str], bool] = lambda _: True
) -> dict[str, Tensor]:
    """What every linear layer is multiplied with while `run` runs.

    Args:
        model: Holds the layers.
        run: Calls the model, once or several times.
        only: Whether the inputs of the layer of this path are kept; all are by default.

    Returns:
        Under each layer's path, [tokens, inputs] in the type that the model computes in; tokens of all sequences
        and calls in order, with padding where the batch had some.

    Raises:
        ValueError: A layer that is asked for did not run.
    """
    kept: dict[str, list[Tensor]] = {name: [] for name in linear_layers(model) if only(name)}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _, inputs: kept[name].append(inputs[0].detach().flatten(0, -2))

    layers = linear_layers(model)
    with ExitStack() as stack:
        for name in kept:
            stack.callback(layers[name].register_forward_pre_hook(keep(name)).remove)
        run()
    silent = [name for name, parts in kept.items() if not parts]
    if silent:
        raise ValueError(f"{', '.join(silent)} did not run → let `run` call the model")
    return {name: torch.cat(parts) for name, parts in kept.items()}
