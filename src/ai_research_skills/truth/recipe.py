"""How large a truth model is and how long it learns."""

from __future__ import annotations

from dataclasses import dataclass

from ai_research_skills.llama.config import Config

BYTES = 256
"""The vocabulary: a token is a byte, so no tokenizer decides what is easy."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, but for the text.

    Attributes:
        config: Shape of the model.
        steps: Updates.
        batch: Windows of an update.
        length: Predicted bytes of a window.
        matrix_rate: Learning rate of Muon, which trains the matrices of the layers.
        other_rate: Learning rate of AdamW, which trains the embedding and the norms.
        warmup: Updates in which the rates rise; after them they fall to a hundredth along a cosine.
        seed: Of the initial weights and of the windows.
    """

    config: Config
    steps: int
    batch: int
    length: int
    matrix_rate: float = 0.02
    other_rate: float = 0.01
    warmup: int = 20
    seed: int = 0


def _config(*, layers: int, width: int, heads: int, kv_heads: int, ffn_width: int, context: int) -> Config:
    return Config(
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=width // heads,
        ffn_width=ffn_width,
        vocabulary=BYTES,
        context=context,
        theta=10_000.0,
        eps=1e-5,
    )


SMALL = Recipe(
    _config(layers=4, width=128, heads=4, kv_heads=2, ffn_width=384, context=512),
    steps=300,
    batch=12,
    length=96,
)
"""For a host: 0.8 million parameters, about 40 CPU-seconds, paid once."""

LARGE = Recipe(
    _config(layers=11, width=640, heads=10, kv_heads=5, ffn_width=1792, context=1024),
    steps=360,
    batch=96,
    length=256,
    other_rate=0.002,
    warmup=40,
)
"""For one GPU: 51 million parameters. A wider embedding needs a smaller rate, since a logit sums over its width."""
