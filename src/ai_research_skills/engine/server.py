"""OpenAI's completions over HTTP, for one engine.

    python -m ai_research_skills.engine.server --port 8000

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi import Request as Call
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from ai_research_skills.engine.blocks import BlockManager
from ai_research_skills.engine.engine import Engine
from ai_research_skills.engine.protocol import Chat, Completion
from ai_research_skills.engine.request import Request
from ai_research_skills.engine.runner import ModelRunner
from ai_research_skills.engine.scheduler import Scheduler
from ai_research_skills.engine.service import EngineStopped, Overloaded, RequestFailed, Service
from ai_research_skills.engine.text import TextStream
from ai_research_skills.llama import Tokenizer, load_smollm2


def application(service: Service, tokenizer: Tokenizer, *, model: str = "smollm2-135m-instruct") -> FastAPI:
    """The HTTP application of a service that runs; `model` is the name that it answers to."""
    app = FastAPI(title="An inference engine")
    ends = (tokenizer.end_of_turn, tokenizer.end_of_text)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Call, problem: RequestValidationError) -> JSONResponse:
        first = max(
            problem.errors(), key=lambda error: len(error["loc"])
        )  # of a union, the branch that came furthest
        where = [str(part) for part in first["loc"][1:] if str(part).replace("_", "").isalnum()]
        return _error(400, f"{'.'.join(where) or 'body'}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def unreadable(_: Call, problem: HTTPException) -> JSONResponse:
        return _error(problem.status_code, str(problem.detail))

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
        return await answer(body, call, "text_completion")

    @app.post("/v1/chat/completions")
    async def chat(body: Chat, call: Call) -> Response:
        return await answer(body, call, "chat.completion")

    async def answer(body: Completion | Chat, call: Call, kind: str) -> Response:
        if body.model != model:
            return _error(404, f"model: there is no {body.model!r} → ask for {model!r}")
        try:
            ids = body.ids(tokenizer)
            if not all(0 <= token < len(tokenizer) for token in ids):
                raise ValueError(f"prompt: a token id is outside 0 to {len(tokenizer) - 1}")
            request = Request(tuple(ids), body.sampling(ends), client=body.user)
            reply = _Reply(service, request, TextStream(tokenizer, body.stops), model, kind)
            pieces = _while_connected(reply.pieces(), call)
            first = await anext(pieces, None)  # an error must come before the status line has left
            if first and body.stream:
                usage = bool(body.stream_options and body.stream_options.include_usage)
                return StreamingResponse(reply.events(first, pieces, usage), media_type="text/event-stream")
            rest = [piece async for piece in pieces]
        except ValueError as problem:
            return _error(400, str(problem))
        except Overloaded as problem:
            return _error(429, str(problem), {"Retry-After": "1"})
        except (EngineStopped, RequestFailed) as problem:
            return _error(500, str(problem))
        return JSONResponse(reply.whole([first, *rest])) if first else Response(status_code=499)

    return app


Piece = tuple[str, str | None]
"""Text, and at the end of the answer why it ended."""


async def _while_connected(pieces: AsyncGenerator[Piece, None], call: Call) -> AsyncGenerator[Piece, None]:
    """The pieces, until the client leaves: between two of them, or while the request waits for its turn."""
    async with aclosing(pieces):
        while not await call.is_disconnected():
            coming = asyncio.ensure_future(anext(pieces, None))
            try:
                while not coming.done():
                    await asyncio.wait({coming}, timeout=0.25)
                    if not coming.done() and await call.is_disconnected():
                        return
            finally:
                coming.cancel()
                await asyncio.wait({coming})
            if (piece := coming.result()) is None:
                return
            yield piece


class _Reply:
    """An answer on its way, and the JSON around it."""

    def __init__(self, service: Service, request: Request, stream: TextStream, model: str, kind: str) -> None:
        self._service, self._request, self._stream, self._kind = service, request, stream, kind
        self._head = {"id": f"cmpl-{request.name}", "created": int(time.time()), "model": model}

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Text as it comes, with the reason once the answer ends."""
        async with aclosing(self._service.tokens(self._request)) as batches:
            async for batch in batches:
                text = self._stream.push(batch)
                if self._stream.stopped:
                    await self._service.stop(self._request)
                    yield text, "stop"
                    return
                yield text, None
        yield self._stream.push([], last=True), self._request.finished

    async def events(
        self, first: Piece, rest: AsyncGenerator[Piece, None], usage: bool
    ) -> AsyncGenerator[str, None]:
        """Server-sent events: one for each piece of text, and `[DONE]`; or an error, and nothing behind it."""
        try:
            async with aclosing(rest):
                yield self._event([self._choice(*first)])
                async for text, reason in rest:
                    if text or reason:
                        yield self._event([self._choice(text, reason)])
        except (EngineStopped, RequestFailed) as problem:
            yield f"data: {json.dumps({'error': {'message': str(problem), 'type': 'server_error'}})}\n\n"
            return
        if usage:
            yield self._event([], usage=self._usage())
        yield "data: [DONE]\n\n"

    def whole(self, pieces: Sequence[Piece]) -> dict[str, Any]:
        """The answer in one piece."""
        text, reason = "".join(text for text, _ in pieces), pieces[-1][1]
        content = {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        choice = {"index": 0, **content, "finish_reason": reason, "logprobs": None}
        return {**self._head, "object": self._kind, "choices": [choice], "usage": self._usage()}

    @property
    def _chat(self) -> bool:
        return self._kind == "chat.completion"

    def _choice(self, text: str, reason: str | None) -> dict[str, Any]:
        content = {"delta": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        return {"index": 0, **content, "finish_reason": reason, "logprobs": None}

    def _event(self, choices: Sequence[dict[str, Any]], **more: Any) -> str:
        kind = f"{self._kind}.chunk" if self._chat else self._kind
        return f"data: {json.dumps({**self._head, 'object': kind, 'choices': choices, **more})}\n\n"

    def _usage(self) -> dict[str, int]:
        prompt, answered = len(self._request.prompt), self._stream.count
        return {"prompt_tokens": prompt, "completion_tokens": answered, "total_tokens": prompt + answered}


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
