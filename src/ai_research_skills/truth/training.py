"""Training a truth model, once for each recipe, text, code and device."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ai_research_skills.cache import cache_folder, made_once
from ai_research_skills.lab.device import Device
from ai_research_skills.llama import model as llama_model
from ai_research_skills.llama import operations as llama_operations
from ai_research_skills.llama.model import Llama
from ai_research_skills.truth.corpus import Corpus, standard_library
from ai_research_skills.truth.recipe import LARGE, SMALL, Recipe

WEIGHTS = "truth.pt"


@dataclass(frozen=True)
class Truth:
    """A trained model and where it came from.

    Attributes:
        model: In float32, without gradients; its tokens are bytes.
        corpus: What it was trained on, and what it never saw, on the model's device.
        recipe: How it was trained.
        history: Training loss after each tenth of the steps, nats per byte.
        seconds: What the training took, on the device where it was done.
        cached: Whether an earlier run had trained it already.
    """

    model: Llama
    corpus: Corpus
    recipe: Recipe
    history: tuple[float, ...]
    seconds: float
    cached: bool

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(weight.numel() for weight in self.model.parameters())


class FusedAttention:
    """Stands in for a cache while training: keeps nothing, and leaves the causal attention to PyTorch."""

    def reserve(self, length: int) -> int:
        """Every sequence begins at position 0."""
        return 0

    def attend(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, positions: Tensor) -> Tensor:
        """See `llama.KeyValueStore.attend`; all positions of `queries` are those of `keys`."""
        mixed: Tensor = nn.functional.scaled_dot_product_attention(
            queries, keys.to(queries), values.to(queries), is_causal=True, enable_gqa=True
        )
        return mixed


def load_truth(device: Device, recipe: Recipe | None = None) -> Truth:
    """The truth model for `device`, trained if no earlier run on this machine has done so.

    Args:
        device: Where it is trained and will lie.
        recipe: `LARGE` on a GPU and `SMALL` on a host when it is not given.
    """
    recipe = recipe or device.choose(cpu=SMALL, cuda=LARGE)
    corpus = standard_library().to(device.kind)
    folder = cache_folder() / "truth" / _key(device, recipe, corpus)
    cached = folder.is_dir()

    def make(draft: Path) -> None:
        started = time.monotonic()
        with _one_thread():
            model, history = train(recipe, corpus.train)
        taught = {"weights": model.state_dict(), "history": history, "seconds": time.monotonic() - started}
        torch.save(taught, draft / WEIGHTS)

    found = torch.load(made_once(folder, make) / WEIGHTS, map_location=device.kind, weights_only=True)
    model = Llama(recipe.config).to(device.kind)
    model.load_state_dict(found["weights"])
    model.requires_grad_(False).eval()
    return Truth(model, corpus, recipe, tuple(found["history"]), found["seconds"], cached)


@contextmanager
def _one_thread() -> Iterator[None]:
    """On a host: matrices this small gain little from more threads, and those that wait burn time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.enable_grad()
def train(recipe: Recipe, text: Tensor) -> tuple[Llama, list[float]]:
    """A model trained on `text` from scratch, on the device where the text lies.

    The arithmetic is bfloat16 on a GPU that has it, around float32 weights, and float32 elsewhere.

    Args:
        recipe: What to train, and how.
        text: uint8, [bytes].

    Returns:
        The model, and the mean training loss of each tenth of the steps in nats per byte.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    model = Llama(recipe.config)
    _initialize(model, generator)
    model.to(text.device)
    optimizers = _optimizers(model, recipe)
    narrow = text.is_cuda and torch.cuda.get_device_capability(text.device) >= (8, 0)
    losses = []
    for step, tokens in enumerate(_batches(recipe, text, generator)):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * _rate(step, recipe)
        with torch.autocast(text.device.type, torch.bfloat16, enabled=narrow):
            logits = model(tokens[:, :-1], cache=FusedAttention())
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        model.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.detach())
    tenths = torch.stack(losses).chunk(10)
    return model, [float(part.mean()) for part in tenths]


def _initialize(model: Llama, generator: torch.Generator) -> None:
    """Matrices that keep the size of what passes through; those that write to the residual stream start at zero."""
    with torch.no_grad():
        nn.init.normal_(model.embedding.weight, std=0.1, generator=generator)
        for name, weight in model.named_parameters():
            if name.endswith(("attention.output.weight", "ffn.down.weight")):
                weight.zero_()
            elif weight.dim() == 2 and "embedding" not in name:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5, generator=generator)


def _optimizers(model: Llama, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for the rest: https://kellerjordan.github.io/posts/muon/."""
    matrices = [weight for weight in model.layers.parameters() if weight.dim() == 2]
    others = [weight for weight in model.parameters() if all(weight is not matrix for matrix in matrices)]
    found: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=recipe.matrix_rate, momentum=0.95, weight_decay=0.01),
        torch.optim.AdamW(others, lr=recipe.other_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in found:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return found


def _rate(step: int, recipe: Recipe) -> float:
    """Share of the peak learning rate in `step`."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    done = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return 0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2


def _batches(recipe: Recipe, text: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
    """int64 [batch, length + 1], `steps` times."""
    steps = torch.arange(recipe.length + 1, device=text.device)
    for _ in range(recipe.steps):
        starts = torch.randint(len(text) - recipe.length, (recipe.batch, 1), generator=generator)
        yield text[starts.to(text.device) + steps].long()


def _key(device: Device, recipe: Recipe, corpus: Corpus) -> str:
    """What decides the weights, to the last bit or nearly so, as the name of a folder."""
    code = [Path(module.__file__ or "").read_bytes() for module in (llama_model, llama_operations)]
    parts = [device.name, repr(recipe), corpus.sha256, torch.__version__, *map(repr, code)]
    return hashlib.sha256("\n".join([*parts, repr(Path(__file__).read_bytes())]).encode()).hexdigest()[:32]
