"""What the vectors say, and that neither padding nor the company of other texts changes them."""

import inspect
import string
import textwrap

import pytest
import torch
from torch import Tensor, nn
from transformers import BertModel, BertTokenizerFast

from ai_research_skills.minilm import Encoder, model_files, parameters
from ai_research_skills.minilm.encoder import MOST_TOKENS, padded

TEXTS = [
    "Return the sum of two numbers.",
    "cat",
    inspect.getsource(textwrap),
    "",
    "naïve café 漢字 – 'quoted' #hash",
    inspect.getdoc(textwrap.wrap) or "",
]


@pytest.fixture(scope="module")
def bert() -> BertModel:
    """The same weights in the classes of transformers."""
    found: BertModel = BertModel.from_pretrained(model_files().weights.parent, local_files_only=True)
    return found.eval().requires_grad_(False)


def rows_of(encoder: Encoder) -> list[list[int]]:
    return [encoding.ids for encoding in encoder.tokenizer.encode_batch(TEXTS)]


def test_a_paraphrase_is_closer_than_another_subject(encoder: Encoder) -> None:
    sentence, paraphrase, other, question = encoder.encode(
        [
            "The cat sat down on the mat.",
            "A kitten was sitting on the rug.",
            "The central bank raised interest rates.",
            "Why did the central bank change its rates?",
        ]
    )
    assert sentence @ paraphrase > 0.5 > 0.2 > sentence @ other
    assert other @ question > 0.5


def test_a_docstring_finds_its_function(encoder: Encoder) -> None:
    functions = [textwrap.dedent, textwrap.shorten, string.capwords, inspect.getsourcefile, inspect.isclass]
    docs = encoder.encode([inspect.getdoc(each) or "" for each in functions])
    bodies = encoder.encode([inspect.getsource(each).replace(each.__doc__ or "", "") for each in functions])
    assert (docs @ bodies.T).argmax(1).tolist() == [0, 1, 2, 3, 4]


def test_hidden_states_equal_those_of_transformers(encoder: Encoder, bert: BertModel) -> None:
    ids, real = padded(rows_of(encoder))
    assert real.sum(1).min() < 4 < MOST_TOKENS == real.sum(1).max()
    expected: Tensor = bert(input_ids=ids, attention_mask=real.long()).last_hidden_state
    torch.testing.assert_close(encoder.model(ids, real)[real], expected[real], rtol=1e-5, atol=1e-5)


def test_vectors_are_the_normed_means_of_each_text_on_its_own(encoder: Encoder, bert: BertModel) -> None:
    means = torch.stack(
        [bert(input_ids=torch.tensor([row])).last_hidden_state[0].mean(0) for row in rows_of(encoder)]
    )
    expected = means / means.norm(dim=1, keepdim=True)
    torch.testing.assert_close(encoder.encode(TEXTS), expected, rtol=1e-5, atol=1e-5)


def test_tokens_equal_those_of_transformers(encoder: Encoder) -> None:
    tokenizer = BertTokenizerFast(tokenizer_file=str(model_files().tokenizer))
    expected = tokenizer(TEXTS, truncation=True, max_length=MOST_TOKENS, padding=False)["input_ids"]
    assert rows_of(encoder) == expected


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_neither_order_nor_batch_changes_a_vector(encoder: Encoder, batch: int) -> None:
    turned = encoder.encode(TEXTS[::-1], batch=batch).flip(0)
    torch.testing.assert_close(turned, encoder.encode(TEXTS), rtol=0, atol=1e-6)


def test_what_lies_in_the_padding_is_not_seen(encoder: Encoder) -> None:
    ids, real = padded(rows_of(encoder)[:2])
    other = ids.masked_fill(~real, 2054)
    torch.testing.assert_close(
        encoder.model(other, real)[real], encoder.model(ids, real)[real], rtol=0, atol=1e-6
    )


def test_a_text_is_cut_after_256_tokens(encoder: Encoder) -> None:
    same, other = "word " * 254, "word " * 253
    vectors = encoder.encode([same, same + "and more that is not read", other + "different"])
    torch.testing.assert_close(vectors[0], vectors[1])
    assert (vectors[0] - vectors[2]).norm() > 1e-3


def test_vectors_are_of_length_one_and_there_may_be_none(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(TEXTS)))
    assert encoder.encode([]).shape == (0, 384)


def test_the_matrices_are_36_linear_layers(encoder: Encoder) -> None:
    names = [name for name, module in encoder.model.named_modules() if isinstance(module, nn.Linear)]
    assert len(names) == 36
    assert names[:6] == [
        f"layers.0.{part}"
        for part in (
            "attention.query",
            "attention.key",
            "attention.value",
            "attention.output",
            "ffn.up",
            "ffn.down",
        )
    ]
    assert not any(parameter.requires_grad for parameter in encoder.model.parameters())


def test_half_precision_is_close_by(encoder: Encoder) -> None:
    model = type(encoder.model)(encoder.model.config)
    model.load_state_dict(parameters(model_files().weights))
    rough = Encoder(model.bfloat16(), encoder.tokenizer).encode(TEXTS)
    assert rough.dtype == torch.float32
    assert ((rough * encoder.encode(TEXTS)).sum(1) > 0.99).all()


def test_misuse_is_explained(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match=r"ids of shape \(3,\) → give \[batch, length\]"):
        encoder.model(torch.tensor([101, 2054, 102]))
    with pytest.raises(ValueError, match="513 tokens are more than the 512 positions"):
        encoder.model(torch.zeros(1, 513, dtype=torch.int64))
