"""The encoder is loaded once."""

from __future__ import annotations

import pytest

from ai_research_skills.minilm import Encoder, load_minilm


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_minilm()
