"""The byte-level BPE tokenizer of SmolLM2, built from what its GGUF file says."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
"""What the file's chat template puts first where a conversation brings no system message."""

_CONTROL = 3
"""`token_type` of a token that stands for no text."""


class Tokenizer:
    """Text to token ids and back.

    Attributes:
        end_of_text: Id that separates documents.
        start_of_turn: Id that opens a message of a conversation.
        end_of_turn: Id that closes one: where a generated answer ends.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        """Build it from the metadata of a GGUF file.

        Raises:
            ValueError: The file asks for a tokenizer other than SmolLM2's.
        """
        kind = (metadata["tokenizer.ggml.model"], metadata["tokenizer.ggml.pre"])
        if kind != ("gpt2", "smollm"):
            raise ValueError(f"a tokenizer of kind {kind} → only ('gpt2', 'smollm') is understood here")
        library: Any = importlib.import_module("tokenizers")
        tokens: Sequence[str] = metadata["tokenizer.ggml.tokens"]
        merges = [tuple(pair.split(" ")) for pair in metadata["tokenizer.ggml.merges"]]
        ids = {token: index for index, token in enumerate(tokens)}
        self._bpe = library.Tokenizer(library.models.BPE(vocab=ids, merges=merges))
        self._bpe.pre_tokenizer = library.pre_tokenizers.Sequence(
            [
                library.pre_tokenizers.Digits(individual_digits=True),
                library.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
        self._bpe.decoder = library.decoders.ByteLevel()
        types = metadata["tokenizer.ggml.token_type"]
        self._bpe.add_special_tokens(
            [token for token, kind in zip(tokens, types, strict=True) if kind == _CONTROL]
        )
        # Text that spells a control token must not become one: a prompt could end its own turn.
        self._bpe.encode_special_tokens = True
        self.end_of_text = ids["<|endoftext|>"]
        self.start_of_turn = ids["<|im_start|>"]
        self.end_of_turn = ids["<|im_end|>"]

    def __len__(self) -> int:
        """Tokens of the vocabulary."""
        return int(self._bpe.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`, which is text throughout: `<|im_end|>` in it is spelled out in characters."""
        return list(self._bpe.encode(text).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`. Control tokens are shown by name; half a character becomes U+FFFD."""
        return str(self._bpe.decode(list(ids), skip_special_tokens=False))

    def chat(
        self, prompt: str, *, system: str = SYSTEM, history: Sequence[tuple[str, str]] = ()
    ) -> list[int]:
        """Ids of a conversation in ChatML up to where the model is to answer `prompt`.

        Args:
            prompt: The question.
            system: The system message.
            history: Earlier questions with their answers, oldest first.
        """
        turns = [("system", system)]
        for question, answer in history:
            turns += [("user", question), ("assistant", answer)]
        turns.append(("user", prompt))
        ids = []
        for role, content in turns:
            ids += [self.start_of_turn, *self.encode(f"{role}\n{content}"), self.end_of_turn]
            ids += self.encode("\n")
        return [*ids, self.start_of_turn, *self.encode("assistant\n")]
