"""The Triton kernels in the interpreter, in a process of their own, against plain PyTorch."""

import subprocess
import sys

import pytest

pytest.importorskip("triton")

SCRIPT = """
from ai_research_skills.lab.device import Device
from ai_research_skills.lab.interpreter import interpret_without_a_gpu
assert interpret_without_a_gpu(Device("host", "cpu", 1, 1))
import torch
from ai_research_skills.engine.kernels import paged_attention, store
from ai_research_skills.llama.operations import attention

torch.manual_seed(0)
for heads, kv_heads, width in ((6, 2, 16), (4, 4, 32)):
    lengths = torch.tensor([1, 15, 16, 17, 50])
    tables = torch.randperm(29)[:20].view(5, 4)
    keys, values = torch.full((2, 29, kv_heads, 16, width), torch.nan)
    wide_keys, wide_values = torch.zeros(2, 5, kv_heads, 64, width)
    for row, length in enumerate(lengths.tolist()):
        at = torch.arange(length)
        new = torch.randn(2, length, kv_heads, width).transpose(1, 2)
        store(new[0], new[1], keys, values, tables[row, at // 16], at % 16)
        wide_keys[row, :, :length], wide_values[row, :, :length] = new
    queries = torch.randn(heads, 5, width).transpose(0, 1)
    visible = torch.arange(64) < lengths[:, None, None]
    expected = attention(
        queries.unsqueeze(2).double(), wide_keys.double(), wide_values.double(), visible
    ).squeeze(2)
    for parts in (1, 3, None):
        got = paged_attention(queries, keys, values, tables, lengths, parts=parts, tile=16)
        worst = float((got - expected).abs().max())
        assert worst < 1e-5, (heads, parts, worst)
print("equal")
"""


def test_paged_attention_and_store_equal_plain_attention_on_awkward_lengths() -> None:
    """Slots that no row may read are NaN, so that one read too many shows."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout == "equal\n", done.stderr
