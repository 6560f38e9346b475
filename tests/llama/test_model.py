"""What the model says, that nothing leaks between tokens or sequences, and that a cache changes nothing."""

import inspect
import textwrap

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ai_research_skills.llama import Cache, Checkpoint, Llama, Tokenizer, attention, causal, generate

Model = tuple[Llama, Tokenizer]


@pytest.fixture(scope="module")
def real_ids(smollm2: Model) -> Tensor:
    """[1, 128]: the beginning of a module of the standard library."""
    return torch.tensor([smollm2[1].encode(inspect.getsource(textwrap))[:128]])


@pytest.fixture
def ids() -> Tensor:
    """[3, 12], for the small model."""
    return torch.randint(50, (3, 12), generator=torch.Generator().manual_seed(1))


def test_it_knows_the_capital_of_france(smollm2: Model) -> None:
    model, tokenizer = smollm2
    answer = generate(
        model, tokenizer.chat("What is the capital of France?"), count=12, stop=tokenizer.end_of_turn
    )
    assert tokenizer.decode(answer) == "The capital of France is Paris."
    continued = generate(model, tokenizer.encode("The capital of France is"), count=1)
    assert tokenizer.decode(continued) == " Paris"


def test_real_text_is_as_likely_as_llama_cpp_finds_it(smollm2: Model, real_ids: Tensor) -> None:
    logits = smollm2[0](real_ids)
    assert logits.dtype == torch.float32
    # llama.cpp on the weights written out in float32; on the quantized file it also rounds the activations.
    assert functional.cross_entropy(logits[0, :-1], real_ids[0, 1:]).item() == pytest.approx(
        2.49369, abs=5e-4
    )


def test_a_layer_equals_one_of_torch_in_the_order_of_the_file(
    smollm2: Model, checkpoint: Checkpoint, real_ids: Tensor
) -> None:
    model, layer = smollm2[0], 12
    length, width = real_ids.shape[1], model.config.width
    states = model.hidden_states(real_ids)

    def weight(name: str) -> Tensor:
        return checkpoint.dequantized(f"blk.{layer}.{name}.weight")

    angles = torch.arange(length)[:, None] * model.config.theta ** (-torch.arange(0, 64, 2) / 64)
    turn = torch.polar(torch.ones(length, 32), angles)

    def heads(name: str, *, rotated: bool) -> Tensor:
        found = (normed @ weight(name).T).reshape(1, length, -1, 64).transpose(1, 2)
        if not rotated:
            return found
        # The rows of the file are ordered for neighbouring pairs, which are complex numbers as they lie.
        pairs = torch.view_as_complex(found.reshape(*found.shape[:-1], 32, 2))
        return torch.view_as_real(pairs * turn).flatten(-2)

    normed = functional.rms_norm(states[layer], (width,), weight("attn_norm"), model.config.eps)
    mixed = functional.scaled_dot_product_attention(
        heads("attn_q", rotated=True),
        heads("attn_k", rotated=True),
        heads("attn_v", rotated=False),
        is_causal=True,
        enable_gqa=True,
    )
    middle = states[layer] + mixed.transpose(1, 2).flatten(2) @ weight("attn_output").T
    normed = functional.rms_norm(middle, (width,), weight("ffn_norm"), model.config.eps)
    hidden = functional.silu(normed @ weight("ffn_gate").T) * (normed @ weight("ffn_up").T)
    expected = middle + hidden @ weight("ffn_down").T

    torch.testing.assert_close(states[layer + 1], expected, rtol=1e-4, atol=1e-3)


def test_a_cache_changes_no_logit_of_the_real_model(smollm2: Model, real_ids: Tensor) -> None:
    model, ids = smollm2[0], real_ids[:, :40]
    cache = model.cache(capacity=64)
    steps = [model(part, cache=cache) for part in (ids[:, :30], ids[:, 30:39], ids[:, 39:])]
    assert (torch.cat(steps, 1) - model(ids)).abs().max() < 1e-4


def test_a_cache_holds_sequences_of_unequal_length(small: Llama, ids: Tensor) -> None:
    lengths = torch.tensor([4, 9, 6])
    cache = small.cache(capacity=12, batch=3)
    # The padding is whatever follows; it must not be seen once the real tokens take its place.
    small(ids[:, :9], cache=cache, positions=torch.arange(9))
    for step in range(3):
        positions = (lengths + step)[:, None]
        logits = small(ids.gather(1, positions), cache=cache, positions=positions)
        whole = small(ids).gather(1, positions[..., None].expand(-1, -1, 50))
        torch.testing.assert_close(logits, whole)


def test_a_cache_may_go_back(small: Llama, ids: Tensor) -> None:
    cache = small.cache(capacity=12, batch=3)
    small(ids.flip(1), cache=cache)
    cache.length = 0
    torch.testing.assert_close(small(ids[:, :7], cache=cache), small(ids[:, :7]))
    assert cache.length == 7


def test_another_store_takes_the_place_of_the_cache(small: Llama, ids: Tensor) -> None:
    seen: dict[int, tuple[Tensor, ...]] = {}

    class Recorder:
        def reserve(self, length: int) -> int:
            return 0

        def attend(
            self, layer: int, queries: Tensor, keys: Tensor, values: Tensor, positions: Tensor
        ) -> Tensor:
            seen[layer] = (queries, keys, values)
            return attention(queries, keys, values, causal(positions, positions))

    torch.testing.assert_close(small(ids, cache=Recorder()), small(ids))
    for layer in (0, 1):
        torch.testing.assert_close(small.queries_keys_values(ids, layer=layer), seen[layer])
    assert [each.shape for each in seen[1]] == [(3, 6, 12, 8), (3, 2, 12, 8), (3, 2, 12, 8)]


def test_a_token_changes_no_logit_before_it(small: Llama, ids: Tensor) -> None:
    changed = ids.clone()
    changed[:, 7] = (changed[:, 7] + 1) % 50
    before, after = small(ids), small(changed)
    torch.testing.assert_close(before[:, :7], after[:, :7])
    assert ((before[:, 7:] - after[:, 7:]).abs().amax(-1) > 1e-6).all()


def test_sequences_of_a_batch_do_not_meet(small: Llama, ids: Tensor) -> None:
    torch.testing.assert_close(small(ids), torch.cat([small(row[None]) for row in ids]))


def test_hidden_states_end_in_the_logits(small: Llama, ids: Tensor) -> None:
    states = small.hidden_states(ids)
    assert len(states) == 3
    torch.testing.assert_close(states[0], small.embedding(ids))
    torch.testing.assert_close(small.logits(states[-1]), small(ids))


def test_half_precision_gives_float32_logits_close_by(small: Llama, ids: Tensor) -> None:
    exact = small(ids)
    assert exact.dtype == torch.float64
    rough = small.bfloat16()(ids, cache=small.cache(capacity=12, batch=3))
    assert rough.dtype == torch.float32
    assert (rough - exact).norm() / exact.norm() < 0.02


def test_generation_stops_and_is_the_likeliest(small: Llama, ids: Tensor) -> None:
    prompt = ids[0].tolist()
    new = generate(small, prompt, count=5)
    expected = list(prompt)
    for _ in range(5):
        expected.append(int(small(torch.tensor([expected]))[0, -1].argmax()))
    assert prompt + new == expected
    assert generate(small, prompt, count=5, stop=new[0]) == []


def test_misuse_is_explained(small: Llama, ids: Tensor) -> None:
    with pytest.raises(ValueError, match=r"ids of shape \(12,\) → give \[batch, length\]"):
        small(ids[0])
    with pytest.raises(ValueError, match="position 35 is beyond the context of 32"):
        small(ids[:1].repeat(1, 3))
    with pytest.raises(ValueError, match="0 \\+ 12 tokens do not fit into 8 slots → make a larger cache"):
        small(ids, cache=small.cache(capacity=8, batch=3))
    with pytest.raises(ValueError, match="3 sequences for a cache of 1 → make one with batch=3"):
        small(ids, cache=Cache(small.config, capacity=12))
    with pytest.raises(IndexError, match="layer 2 → the model has layers 0 to 1"):
        small.queries_keys_values(ids, layer=2)
