"""What needs no real weights runs on a random Llama of two layers."""

from __future__ import annotations

import pytest
import torch

from ai_research_skills.llama import Checkpoint, Config, Llama, model_file, read


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    return read(model_file())


@pytest.fixture
def small() -> Llama:
    torch.manual_seed(0)
    config = Config(
        layers=2,
        width=48,
        heads=6,
        kv_heads=2,
        head_dim=8,
        ffn_width=96,
        vocabulary=50,
        context=32,
        theta=1e4,
        eps=1e-5,
    )
    return Llama(config).double().requires_grad_(False)
