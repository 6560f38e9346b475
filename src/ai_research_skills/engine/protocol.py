"""The bodies of OpenAI's completions, and what they ask of the engine.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, StrictInt

from ai_research_skills.engine.request import Sampling
from ai_research_skills.llama import Tokenizer


def _whole_characters(text: str) -> str:
    """JSON can spell half of a surrogate pair, which is no character, and no tokenizer takes it."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half a surrogate pair is no character → send the text as UTF-8")
    return text


Text = Annotated[str, AfterValidator(_whole_characters)]
Stop = Annotated[str, Field(min_length=1), AfterValidator(_whole_characters)]


class StreamOptions(BaseModel):
    """`include_usage` sends the counts of tokens in a last event without a choice."""

    include_usage: bool = False


class Options(BaseModel):
    """What both endpoints understand. An unknown field is an error: nothing that was asked for is ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    model: str
    max_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, le=1)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    repetition_penalty: float = Field(1.0, ge=0.01, le=100)
    seed: int | None = None
    stop: Stop | list[Stop] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    ignore_eos: bool = False
    n: Literal[1] = 1
    user: str = ""

    def sampling(self, ends: Sequence[int]) -> Sampling:
        """How to answer, stopping at the tokens `ends` unless they are to be ignored."""
        shared = self.model_dump(include=set(Sampling.__dataclass_fields__) - {"stop"}, exclude_none=True)
        return Sampling(**shared, stop=frozenset(() if self.ignore_eos else ends))

    @property
    def stops(self) -> list[str]:
        """The stop strings."""
        return [self.stop] if isinstance(self.stop, str) else self.stop or []


class Completion(Options):
    """Body of `/v1/completions`; the prompt is text or token ids."""

    prompt: Text | list[StrictInt]

    def ids(self, tokenizer: Tokenizer) -> list[int]:
        """Token ids of the prompt."""
        return tokenizer.encode(self.prompt) if isinstance(self.prompt, str) else self.prompt


class Part(BaseModel):
    """A piece of a message; text is the only kind that the model understands."""

    type: Literal["text"]
    text: Text


class Message(BaseModel):
    """A turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: Text | list[Part]

    @property
    def text(self) -> str:
        """What was said."""
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class Chat(Options):
    """Body of `/v1/chat/completions`: perhaps a system message, then questions with answers, then a question."""

    messages: list[Message] = Field(min_length=1)
    max_tokens: int | None = Field(
        256, ge=1, validation_alias=AliasChoices("max_tokens", "max_completion_tokens")
    )

    def ids(self, tokenizer: Tokenizer) -> list[int]:
        """Token ids of the conversation."""
        turns = list(self.messages)
        system = {"system": turns.pop(0).text} if turns[0].role == "system" else {}
        if [turn.role for turn in turns] != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
            raise ValueError("messages: user and assistant do not take turns → begin and end with user")
        pairs = [(turns[i].text, turns[i + 1].text) for i in range(0, len(turns) - 1, 2)]
        return tokenizer.chat(turns[-1].text, history=pairs, **system)
