from dataclasses import replace

import pytest
import torch

from ai_research_skills.lab.device import Device
from ai_research_skills.llama import Config, Llama
from ai_research_skills.truth import LARGE, SMALL, Recipe, load_truth, standard_library, train
from ai_research_skills.truth.training import FusedAttention

TINY = Recipe(
    Config(
        layers=1, width=16, heads=2, kv_heads=1, head_dim=8, ffn_width=32, vocabulary=256, context=64,
        theta=1e4, eps=1e-5,
    ),
    steps=30, batch=4, length=16, warmup=2,
)  # fmt: skip


@pytest.fixture
def host() -> Device:
    return Device(name="host", kind="cpu", units=1, memory_bytes=0)


def test_files_are_held_out_as_a_whole_and_the_text_is_real() -> None:
    corpus = standard_library()
    assert len(corpus.train) > 5 * len(corpus.held_out) > 1_000_000
    assert b"import" in bytes(corpus.held_out[:100_000].tolist())


def test_a_trained_model_predicts_better_than_it_did() -> None:
    text = torch.tensor(list(b"the cat sat on the mat; " * 400), dtype=torch.uint8)
    _, history = train(TINY, text)
    assert history[-1] < history[0] / 2


def test_it_learns_where_gradients_are_switched_off() -> None:
    with torch.no_grad():
        _, history = train(replace(TINY, steps=12), torch.tensor(list(b"a cat; " * 400), dtype=torch.uint8))
    assert history[-1] < history[0]


def test_the_fused_attention_is_the_attention_of_the_model() -> None:
    torch.manual_seed(0)
    model, _ = train(replace(TINY, steps=3), standard_library().train[:10_000])
    ids = torch.randint(256, (2, 12))
    torch.testing.assert_close(model(ids, cache=FusedAttention()), model(ids), atol=1e-5, rtol=1e-5)


def test_it_is_trained_once_and_again_when_the_recipe_changes(
    host: Device, monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = load_truth(host, TINY), load_truth(host, TINY)
    assert (first.cached, second.cached) == (False, True)
    assert first.history == second.history and len(first.history) == 10
    for one, other in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other) and not one.requires_grad
    assert not load_truth(host, replace(TINY, seed=1)).cached


def test_a_training_that_breaks_off_leaves_nothing(
    host: Device, monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("ai_research_skills.truth.training.train", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load_truth(host, TINY)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not load_truth(host, TINY).cached


def test_the_recipes_have_the_sizes_that_they_state() -> None:
    with torch.device("meta"):
        sizes = [
            sum(weight.numel() for weight in Llama(recipe.config).parameters()) for recipe in (SMALL, LARGE)
        ]
    assert sizes[0] == pytest.approx(0.8e6, rel=0.05) and sizes[1] == pytest.approx(51e6, rel=0.03)
