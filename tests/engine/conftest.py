"""A random Llama of two layers, in float64: whatever else differs in its tokens, rounding does not."""

from __future__ import annotations

import pytest
import torch

from ai_research_skills.llama import Config, Llama


@pytest.fixture(scope="session")
def small() -> Llama:
    torch.manual_seed(0)
    config = Config(
        layers=2,
        width=32,
        heads=4,
        kv_heads=2,
        head_dim=8,
        ffn_width=64,
        vocabulary=50,
        context=256,
        theta=1e4,
        eps=1e-5,
    )
    model = Llama(config).double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)  # so that greedy answers are varied and depend on everything
    return model.requires_grad_(False).eval()
