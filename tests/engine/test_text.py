"""Pieces of text add up to the whole, and no piece has to be taken back."""

from __future__ import annotations

import pytest

from ai_research_skills.engine.text import TextStream
from ai_research_skills.llama import Llama, Tokenizer


@pytest.fixture(scope="module")
def tokenizer(smollm2: tuple[Llama, Tokenizer]) -> Tokenizer:
    return smollm2[1]


@pytest.mark.parametrize("text", ["plain words", "naïve café 🤗 日本語", "a\n\n  b", ""])
@pytest.mark.parametrize("size", [1, 3])
def test_pieces_add_up(tokenizer: Tokenizer, text: str, size: int) -> None:
    stream, ids = TextStream(tokenizer), tokenizer.encode(text)
    pieces = [stream.push(ids[start : start + size]) for start in range(0, len(ids), size)]
    assert all("\ufffd" not in piece for piece in pieces)
    assert "".join(pieces) + stream.push([], last=True) == text


def test_half_a_character_at_the_end_is_shown_as_such(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("🤗")
    assert len(ids) > 1
    stream = TextStream(tokenizer)
    assert stream.push(ids[:1]) == ""
    assert "\ufffd" in stream.push([], last=True)


@pytest.mark.parametrize(
    ("text", "stops", "shown"),
    [
        ("one two three", ["two"], "one "),
        ("one two three", ["wo th"], "one t"),
        ("one two three", ["x"], "one two three"),
        ("one two three", ["three four"], "one two three"),
        ("aab", ["aab"], ""),
        ("one two three", ["three", "two"], "one "),
        ("ends with th", ["the"], "ends with th"),
    ],
)
def test_stop_strings_are_found_across_tokens_and_never_shown(
    tokenizer: Tokenizer, text: str, stops: list[str], shown: str
) -> None:
    stream, got = TextStream(tokenizer, stops), ""
    for token in tokenizer.encode(text):
        got += stream.push([token])
        if stream.stopped:
            break
    else:
        got += stream.push([], last=True)
    assert got == shown
    assert stream.stopped == any(stop in text for stop in stops)


def test_a_long_answer_is_not_decoded_again_and_again(tokenizer: Tokenizer) -> None:
    decoded = []

    class Counting:
        def decode(self, ids: list[int]) -> str:
            decoded.append(len(ids))
            return tokenizer.decode(ids)

    stream = TextStream(Counting())  # type: ignore[arg-type]
    for token in tokenizer.encode("many words " * 100):
        stream.push([token])
    assert sum(decoded) == stream.count
