"""Against torch's own operations, and against the formulas in another shape."""

import pytest
import torch
from torch.nn import functional

from ai_research_skills.llama import attention, causal, rms_norm, rotary, rotation, swiglu


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_rms_norm_equals_torch() -> None:
    states, weight = random(2, 5, 48), random(48)
    torch.testing.assert_close(
        rms_norm(states, weight, 1e-5), functional.rms_norm(states, (48,), weight, 1e-5)
    )


def test_rms_norm_survives_squares_beyond_float16() -> None:
    states = torch.full((1, 64), 300.0, dtype=torch.float16)
    normed = rms_norm(states, torch.ones(64, dtype=torch.float16), 1e-5)
    assert normed.dtype == torch.float16
    assert (normed == 1).all()


def test_swiglu_gates_by_silu() -> None:
    gate, up = random(3, 7), random(3, 7).flip(0)
    torch.testing.assert_close(swiglu(gate, up), gate * torch.sigmoid(gate) * up)


@pytest.mark.parametrize(
    "positions", [torch.arange(5) + 90, torch.tensor([[0, 1, 2, 3, 4], [7, 8, 9, 10, 800]])]
)
def test_rotary_multiplies_complex_numbers(positions: torch.Tensor) -> None:
    states = random(2, 3, 5, 8)
    turned = rotary(states, *rotation(positions, head_dim=8, theta=1e4, dtype=torch.float64))

    frequency = torch.tensor([1e4 ** (-pair / 4) for pair in range(4)], dtype=torch.float64)
    angles = (positions[..., None] * frequency).expand(2, 5, 4)[:, None]
    product = torch.complex(states[..., :4], states[..., 4:]) * torch.polar(torch.ones_like(angles), angles)
    torch.testing.assert_close(turned, torch.cat((product.real, product.imag), -1))


def test_scores_depend_on_distance_alone() -> None:
    query, key = random(1, 1, 1, 64), random(1, 1, 1, 64).flip(-1)

    def score(query_position: int, key_position: int) -> float:
        turned = [
            rotary(states, *rotation(torch.tensor([at]), head_dim=64, theta=1e5, dtype=torch.float64))
            for states, at in ((query, query_position), (key, key_position))
        ]
        return float((turned[0] * turned[1]).sum())

    assert score(8000, 7990) == pytest.approx(score(10, 0))
    assert score(10, 0) != pytest.approx(score(0, 10))


def test_rotation_is_exact_to_float32_far_out() -> None:
    cos, _ = rotation(torch.arange(8192), head_dim=64, theta=1e5)
    exact, _ = rotation(torch.arange(8192), head_dim=64, theta=1e5, dtype=torch.float64)
    assert cos.dtype == torch.float32
    assert (cos - exact).abs().max() < 1e-7


def test_attention_equals_torch() -> None:
    queries, keys, values = random(2, 6, 4, 8), random(2, 2, 9, 8), random(2, 2, 9, 8).flip(-1)
    visible = causal(torch.tensor([[5, 6, 7, 8], [0, 1, 2, 3]]), torch.arange(9))
    expected = functional.scaled_dot_product_attention(
        queries, keys, values, attn_mask=visible[:, None], enable_gqa=True
    )
    torch.testing.assert_close(attention(queries, keys, values, visible), expected)


def test_causal_shows_a_query_itself_and_the_past() -> None:
    assert causal(torch.tensor([1, 3]), torch.arange(4)).tolist() == [
        [True, True, False, False],
        [True, True, True, True],
    ]
