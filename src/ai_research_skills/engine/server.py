"""OpenAI's completions over HTTP, for one engine.

    python -m ai_research_skills.engine.server --port 8000

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Response
from fastapi import Request as Call
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field

from ai_research_skills.engine.blocks import BlockManager
from ai_research_skills.engine.engine import Engine
from ai_research_skills.engine.request import Request, Sampling
from ai_research_skills.engine.runner import ModelRunner
from ai_research_skills.engine.scheduler import Scheduler
from ai_research_skills.engine.service import EngineFailed, Overloaded, Service
from ai_research_skills.engine.text import TextStream
from ai_research_skills.llama import Tokenizer, load_smollm2


class Options(BaseModel):
    """What both endpoints understand. An unknown field is an error: nothing that was asked for is ignored."""

    model_config = ConfigDict(extra="forbid")
    model: str
    max_tokens: int = Field(16, ge=1)
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    top_k: int = Field(0, ge=0)
    min_p: float = Field(0.0, ge=0, le=1)
    presence_penalty: float = Field(0.0, ge=-2, le=2)
    frequency_penalty: float = Field(0.0, ge=-2, le=2)
    repetition_penalty: float = Field(1.0, gt=0)
    seed: int | None = None
    stop: str | list[str] = []
    stream: bool = False
    ignore_eos: bool = False
    n: Literal[1] = 1
    user: str = ""

    def sampling(self, ends: Sequence[int]) -> Sampling:
        """How to answer, stopping at the tokens `ends` unless they are to be ignored."""
        shared = self.model_dump(include=set(Sampling.__dataclass_fields__) - {"stop"})
        return Sampling(**shared, stop=frozenset(() if self.ignore_eos else ends))


class Completion(Options):
    """Body of `/v1/completions`; the prompt is text or token ids."""

    prompt: str | list[int]


class Message(BaseModel):
    """A turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Chat(Options):
    """Body of `/v1/chat/completions`: perhaps a system message, then questions with answers, then a question."""

    messages: list[Message] = Field(min_length=1)
    max_tokens: int = Field(256, ge=1)

    def prompt(self, tokenizer: Tokenizer) -> list[int]:
        """Token ids of the conversation."""
        turns = list(self.messages)
        system = {"system": turns.pop(0).content} if turns[0].role == "system" else {}
        if [turn.role for turn in turns] != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
            raise ValueError("messages: user and assistant do not take turns → begin and end with user")
        pairs = [(turns[i].content, turns[i + 1].content) for i in range(0, len(turns) - 1, 2)]
        return tokenizer.chat(turns[-1].content, history=pairs, **system)


def application(service: Service, tokenizer: Tokenizer, *, model: str = "smollm2-135m-instruct") -> FastAPI:
    """The HTTP application of a service that runs; `model` is the name that it answers to."""
    app = FastAPI(title="An inference engine")
    ends = (tokenizer.end_of_turn, tokenizer.end_of_text)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Call, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        return _error(400, f"{'.'.join(map(str, first['loc'][1:])) or 'body'}: {first['msg']}")

    @app.get("/health")
    async def health() -> Response:
        return Response(status_code=500 if service.failure else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {
            "object": "list",
            "data": [{"id": model, "object": "model", "owned_by": "local", "created": 0}],
        }

    @app.post("/v1/completions")
    async def completions(body: Completion, call: Call) -> Response:
        ids = tokenizer.encode(body.prompt) if isinstance(body.prompt, str) else body.prompt
        return await answer(body, ids, call, "text_completion")

    @app.post("/v1/chat/completions")
    async def chat(body: Chat, call: Call) -> Response:
        try:
            return await answer(body, body.prompt(tokenizer), call, "chat.completion")
        except ValueError as problem:
            return _error(400, str(problem))

    async def answer(body: Options, ids: Sequence[int], call: Call, kind: str) -> Response:
        if body.model != model:
            return _error(404, f"model: there is no {body.model!r} → ask for {model!r}")
        if not all(0 <= token < len(tokenizer) for token in ids):
            return _error(400, f"prompt: a token id is outside 0 to {len(tokenizer) - 1}")
        try:
            request = Request(tuple(ids), body.sampling(ends), client=body.user)
            pieces = _pieces(
                service,
                request,
                TextStream(tokenizer, [body.stop] if isinstance(body.stop, str) else body.stop),
            )
            first = await anext(pieces)  # an error must come before the status line has left
        except ValueError as problem:
            return _error(400, str(problem))
        except Overloaded as problem:
            return _error(429, str(problem), {"Retry-After": "1"})
        except EngineFailed as problem:
            return _error(500, str(problem))
        reply = _Reply(request, model, kind)
        if body.stream:
            return StreamingResponse(reply.events(first, pieces), media_type="text/event-stream")
        got = [first]
        async with aclosing(pieces):
            async for piece in pieces:
                got.append(piece)
                if await call.is_disconnected():
                    break
        return JSONResponse(reply.whole("".join(text for text, _ in got), got[-1][1]))

    return app


Piece = tuple[str, str | None]
"""Text, and at the end of the answer why it ended."""


async def _pieces(service: Service, request: Request, stream: TextStream) -> AsyncGenerator[Piece, None]:
    """Text as it comes, with the reason once the answer ends."""
    async with aclosing(service.tokens(request)) as batches:
        async for batch in batches:
            text = stream.push(batch)
            if stream.stopped:
                yield text, "stop"
                return
            yield text, None
    yield stream.push([], last=True), request.finished


class _Reply:
    """The JSON around an answer."""

    def __init__(self, request: Request, model: str, kind: str) -> None:
        self._request, self._kind = request, kind
        self._head = {"id": f"cmpl-{request.name}", "created": int(time.time()), "model": model}

    async def events(self, first: Piece, rest: AsyncGenerator[Piece, None]) -> AsyncGenerator[str, None]:
        """Server-sent events: one for each piece of text, and `[DONE]`; or an error, and nothing behind it."""
        yield self._event(*first)
        try:
            async with aclosing(rest):
                async for text, reason in rest:
                    if text or reason:
                        yield self._event(text, reason)
        except EngineFailed as problem:
            yield f"data: {json.dumps({'error': {'message': str(problem), 'type': 'server_error'}})}\n\n"
        else:
            yield "data: [DONE]\n\n"

    def _event(self, text: str, reason: str | None) -> str:
        chat = self._kind == "chat.completion"
        content = {"delta": {"role": "assistant", "content": text}} if chat else {"text": text}
        kind = f"{self._kind}.chunk" if chat else self._kind
        choice = {"index": 0, **content, "finish_reason": reason, "logprobs": None}
        return f"data: {json.dumps({**self._head, 'object': kind, 'choices': [choice]})}\n\n"

    def whole(self, text: str, reason: str | None) -> dict[str, Any]:
        """The answer in one piece."""
        chat = self._kind == "chat.completion"
        content = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
        prompt, answered = len(self._request.prompt), len(self._request.output)
        usage = {"prompt_tokens": prompt, "completion_tokens": answered, "total_tokens": prompt + answered}
        choice = {"index": 0, **content, "finish_reason": reason, "logprobs": None}
        return {**self._head, "object": self._kind, "choices": [choice], "usage": usage}


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    kind = {429: "rate_limit_error", 500: "server_error"}.get(status, "invalid_request_error")
    return JSONResponse({"error": {"message": message, "type": kind, "code": status}}, status, headers)


def main() -> None:
    """Serve SmolLM2."""
    arguments = argparse.ArgumentParser(description=main.__doc__)
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=8000)
    arguments.add_argument("--blocks", type=int, default=1024)
    chosen = arguments.parse_args()
    model, tokenizer = load_smollm2()
    engine = Engine(ModelRunner(model, blocks=chosen.blocks), Scheduler(BlockManager(chosen.blocks)))
    with Service(engine) as service:
        uvicorn.run(application(service, tokenizer), host=chosen.host, port=chosen.port, log_level="warning")


if __name__ == "__main__":
    main()
