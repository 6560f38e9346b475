"""The server as its clients meet it: the official client, raw HTTP, and those that leave without a word."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
import torch
import uvicorn
from torch import Tensor

from ai_research_skills.engine import BlockManager, Engine, ModelRunner, Request, Sampling, Scheduler
from ai_research_skills.engine.server import application
from ai_research_skills.engine.service import EngineStopped, RequestFailed, Service
from ai_research_skills.llama import Llama, Tokenizer, generate
from ai_research_skills.traffic.load import load

MODEL = "smollm2-135m-instruct"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@dataclass
class Running:
    """A server that runs, and what is behind it."""

    address: str
    service: Service
    model: Llama
    tokenizer: Tokenizer

    def post(self, path: str, body: Any) -> httpx.Response:
        # The standard library's JSON, for httpx itself refuses some of what clients can send.
        content, headers = json.dumps(body), {"Content-Type": "application/json"}
        return httpx.post(
            f"{self.address}{path}", content=content, headers=headers, trust_env=False, timeout=60
        )

    def metric(self, name: str) -> float:
        lines = httpx.get(f"{self.address}/metrics", trust_env=False).text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def idle(self) -> None:
        """Wait until nothing runs; every block is free or kept for its prefix then."""
        end = time.monotonic() + 30
        while self.service.engine.busy and time.monotonic() < end:
            time.sleep(0.02)
        assert not self.service.engine.busy
        self.service.engine.scheduler.blocks.check([])


@pytest.fixture(scope="module")
def server(smollm2: tuple[Llama, Tokenizer]) -> Iterator[Running]:
    model, tokenizer = smollm2
    engine = Engine(ModelRunner(model, blocks=96), Scheduler(BlockManager(96), max_running=3))
    with Service(engine, most_waiting=4) as service:
        runs = uvicorn.Server(uvicorn.Config(application(service, tokenizer), port=0, log_level="error"))
        thread = threading.Thread(target=runs.run, daemon=True)
        thread.start()
        while not runs.started:
            time.sleep(0.02)
        port = runs.servers[0].sockets[0].getsockname()[1]
        yield Running(f"http://127.0.0.1:{port}", service, model, tokenizer)
        runs.should_exit = True
        thread.join()


@pytest.fixture
def client(server: Running) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{server.address}/v1",
        api_key="none",
        max_retries=0,
        http_client=httpx.Client(trust_env=False),
    )


def test_the_official_client_gets_the_models_answer(server: Running, client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)  # type: ignore[call-overload]
    assert answer.choices[0].message.content == "The capital of France is Paris."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens == 7


def test_a_stream_is_the_answer_in_pieces(server: Running, client: openai.OpenAI) -> None:
    options = {"model": MODEL, "messages": QUESTION, "temperature": 0}
    events = list(client.chat.completions.create(**options, stream=True))  # type: ignore[call-overload]
    pieces = [event.choices[0].delta.content or "" for event in events]
    assert "".join(pieces) == "The capital of France is Paris." and len(pieces) > 4
    assert [event.choices[0].finish_reason for event in events[:-1]] == [None] * (len(events) - 1)
    assert events[-1].choices[0].finish_reason == "stop"


def test_a_completion_is_what_generate_gives(server: Running, client: openai.OpenAI) -> None:
    text = "def fibonacci(n):"
    ids = server.tokenizer.encode(text)
    expected = server.tokenizer.decode(generate(server.model, ids, count=8))
    for prompt in (text, ids):
        answer = client.completions.create(model=MODEL, prompt=prompt, max_tokens=8, temperature=0)
        assert answer.choices[0].text == expected
        assert answer.choices[0].finish_reason == "length"


def test_a_stop_string_ends_the_answer_and_the_work(server: Running, client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model=MODEL, messages=QUESTION, temperature=0, stop=["France", "xyz"]
    )  # type: ignore[call-overload]
    assert answer.choices[0].message.content == "The capital of "
    assert answer.choices[0].finish_reason == "stop"
    server.idle()


def test_a_conversation_is_remembered(server: Running, client: openai.OpenAI) -> None:
    turns = [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": "What is my name?"},
    ]
    answer = client.chat.completions.create(model=MODEL, messages=turns, temperature=0, max_tokens=12)  # type: ignore[call-overload]
    ids = server.tokenizer.chat(
        "What is my name?", system="Answer briefly.", history=[("My name is Ada.", "Hello Ada.")]
    )
    expected = generate(server.model, ids, count=12, stop=server.tokenizer.end_of_turn)
    assert answer.choices[0].message.content == server.tokenizer.decode(expected)


@pytest.mark.parametrize(
    ("path", "change", "status", "message"),
    [
        ("completions", {"model": "gpt"}, 404, "there is no 'gpt' → ask for 'smollm2-135m-instruct'"),
        ("completions", {"top_p": 2}, 400, "top_p: Input should be less than or equal to 1"),
        ("completions", {"logprobs": 5}, 400, "logprobs: Extra inputs are not permitted"),
        ("completions", {"n": 2}, 400, "n: Input should be 1"),
        ("completions", {"prompt": ""}, 400, "the prompt is empty"),
        ("completions", {"prompt": [True]}, 400, "prompt"),
        ("completions", {"prompt": "\ud800"}, 400, "half a surrogate pair is no character"),
        ("completions", {"stop": ""}, 400, "at least 1 character"),
        ("completions", {"stop": ["a", ""]}, 400, "at least 1 character"),
        ("completions", {"repetition_penalty": 1e-39}, 400, "greater than or equal to 0.01"),
        ("completions", {"temperature": "NaN"}, 400, "finite number"),
        ("completions", {"prompt": [10**9]}, 400, "a token id is outside 0 to 49151"),
        ("completions", {"max_tokens": 5000}, 400, "may need 5001 tokens → the cache holds 1536 in all"),
        ("chat/completions", {"messages": []}, 400, "messages: List should have at least 1 item"),
        ("chat/completions", {"messages": QUESTION * 2}, 400, "do not take turns"),
        ("chat/completions", {"messages": [{"role": "system", "content": "x"}]}, 400, "do not take turns"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(
    server: Running, path: str, change: dict[str, Any], status: int, message: str
) -> None:
    good = {"prompt": "a"} if path == "completions" else {"messages": QUESTION}
    response = server.post(f"/v1/{path}", {"model": MODEL, **good, **change})
    assert response.status_code == status
    assert message in response.json()["error"]["message"]
    assert not server.service.engine.busy


def test_broken_json_is_told_so(server: Running) -> None:
    headers = {"Content-Type": "application/json"}
    for content, message in (
        (b"{", "1: JSON decode error"),
        (b"[]", "body: Input should be a valid dictionary"),
    ):
        response = httpx.post(
            f"{server.address}/v1/completions", content=content, headers=headers, trust_env=False
        )
        assert response.status_code == 400 and message in response.json()["error"]["message"]


@pytest.mark.parametrize("stream", [True, False])
def test_who_leaves_frees_the_blocks(server: Running, stream: bool) -> None:
    cancelled = server.metric('engine_requests_total{reason="cancelled"}')
    body = {"model": MODEL, "prompt": "a", "max_tokens": 1000, "ignore_eos": True, "stream": stream}

    async def leave() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(f"{server.address}/v1/completions", json=body, timeout=0.8)

    if stream:
        with httpx.stream("POST", f"{server.address}/v1/completions", json=body, trust_env=False) as response:
            next(response.iter_lines())
    else:
        asyncio.run(leave())
    server.idle()
    assert server.metric('engine_requests_total{reason="cancelled"}') == cancelled + 1


def test_under_load_every_call_is_answered_or_refused(server: Running) -> None:
    bodies = [
        {"model": MODEL, "prompt": f"Number {index}", "max_tokens": 12, "temperature": 0, "ignore_eos": True}
        for index in range(14)
    ]
    outcomes = asyncio.run(load(f"{server.address}/v1/completions", bodies, [0.0] * len(bodies)))
    complete = [outcome for outcome in outcomes if outcome.complete]
    refused = [outcome for outcome in outcomes if outcome.status == 429]
    assert len(complete) + len(refused) == len(bodies)
    assert len(complete) >= 4 and refused
    for outcome, body in zip(outcomes, bodies, strict=True):
        if outcome.complete:
            ids = server.tokenizer.encode(str(body["prompt"]))
            assert outcome.text == server.tokenizer.decode(generate(server.model, ids, count=12))
            assert outcome.due <= outcome.sent <= outcome.token_times[0] <= outcome.ended
    assert "wait already → try again later" in json.loads(refused[0].error)["error"]["message"]
    server.idle()


def test_who_leaves_the_queue_is_never_served(server: Running) -> None:
    tokens = server.metric("engine_answer_tokens_total")
    body = {"model": MODEL, "prompt": "a", "max_tokens": 60, "temperature": 0, "ignore_eos": True}

    async def impatient(timeout: float) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(f"{server.address}/v1/completions", json=body, timeout=timeout)

    async def crowd() -> None:
        patient = [asyncio.to_thread(server.post, "/v1/completions", body) for _ in range(3)]
        waiting = asyncio.gather(*patient)
        await asyncio.sleep(0.5)
        await asyncio.gather(*(impatient(0.3) for _ in range(3)))
        assert all(response.status_code == 200 for response in await waiting)

    asyncio.run(crowd())
    server.idle()
    assert server.metric("engine_answer_tokens_total") == tokens + 3 * 60


def test_what_a_client_may_leave_out_or_send_in_parts(server: Running, client: openai.OpenAI) -> None:
    parts = [{"role": "user", "content": [{"type": "text", "text": QUESTION[0]["content"]}]}]
    answer = client.chat.completions.create(  # type: ignore[call-overload]
        model=MODEL, messages=parts, temperature=0, stop=None, seed=None, max_completion_tokens=4
    )
    assert answer.choices[0].message.content == "The capital of France"
    events = list(
        client.completions.create(
            model=MODEL, prompt="a b a b", max_tokens=4, temperature=0, stream=True,
            stream_options={"include_usage": True}, extra_body={"ignore_eos": True},
        )
    )  # fmt: skip
    assert events[-1].usage and events[-1].usage.completion_tokens == 4 and not events[-1].choices


def test_metrics_count_what_was_served(server: Running, client: openai.OpenAI) -> None:
    before = {
        name: server.metric(name)
        for name in ("engine_answer_tokens_total", "engine_time_to_first_token_seconds_count")
    }
    client.completions.create(
        model=MODEL, prompt="a", max_tokens=5, temperature=0, extra_body={"ignore_eos": True}
    )
    server.idle()
    after = {name: server.metric(name) for name in before}
    assert [after[name] - before[name] for name in before] == [5, 1]
    stopped = server.metric('engine_requests_total{reason="stop"}')
    client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stop=["France"])  # type: ignore[call-overload]
    client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)  # type: ignore[call-overload]
    server.idle()
    assert server.metric('engine_requests_total{reason="stop"}') == stopped + 2
    counted = server.metric("engine_answer_tokens_total") - after["engine_answer_tokens_total"]
    gaps = server.metric("engine_inter_token_seconds_count")
    first = server.metric("engine_time_to_first_token_seconds_count")
    assert server.metric("engine_answer_tokens_total") == gaps + first
    assert counted >= 7 + 4
    assert server.metric("engine_requests_running") == server.metric("engine_requests_waiting") == 0


def test_a_failing_engine_fails_its_clients_and_its_health(
    smollm2: tuple[Llama, Tokenizer], caplog: pytest.LogCaptureFixture
) -> None:
    model, tokenizer = smollm2
    engine = Engine(ModelRunner(model, blocks=16), Scheduler(BlockManager(16)))

    runs = engine.runner.run

    def breaks_on_long_answers(chunks: Any) -> Any:
        if any(len(chunk.request.output) == 3 for chunk in chunks):
            raise ZeroDivisionError("planted")
        return runs(chunks)

    engine.runner.run = breaks_on_long_answers  # type: ignore[method-assign]
    from fastapi.testclient import TestClient

    with Service(engine) as service, TestClient(application(service, tokenizer)) as client:
        assert client.get("/health").status_code == 200
        body = {"model": MODEL, "prompt": "a", "temperature": 0, "ignore_eos": True}
        stream = client.post("/v1/completions", json={**body, "stream": True})
        assert stream.status_code == 200 and "[DONE]" not in stream.text
        assert json.loads(stream.text.strip().splitlines()[-1].removeprefix("data: "))["error"]
        for _ in range(2):
            response = client.post("/v1/completions", json=body)
            assert response.status_code == 500
            assert "the engine has stopped" in response.json()["error"]["message"]
        assert client.get("/health").status_code == 500
    assert "planted" in caplog.text


class Nothing:
    """A constraint that is at its end after two tokens."""

    def allowed(self, output: Sequence[int]) -> Tensor:
        return torch.full((49_152,), len(output) < 2)


def service_of(model: Llama, **settings: Any) -> Service:
    return Service(Engine(ModelRunner(model, blocks=32), Scheduler(BlockManager(32))), **settings)


async def collected(service: Service, request: Request) -> list[int]:
    return [token for batch in [b async for b in service.tokens(request)] for token in batch]


def test_a_request_without_a_way_on_fails_alone(smollm2: tuple[Llama, Tokenizer]) -> None:
    model, tokenizer = smollm2
    ids = tuple(tokenizer.encode("one two"))
    good, bad = (
        Request(ids, Sampling(max_tokens=6)),
        Request(ids, Sampling(max_tokens=6, constraint=Nothing())),
    )

    async def both(service: Service) -> list[Any]:
        return await asyncio.gather(collected(service, good), collected(service, bad), return_exceptions=True)

    with service_of(model) as service:
        tokens, problem = asyncio.run(both(service))
        assert tokens == generate(model, ids, count=6)
        assert isinstance(problem, RequestFailed) and "allows no token" in str(problem)
        assert len(bad.output) == 2 and bad.finished == "error"
        service.engine.scheduler.blocks.check([])


def test_a_submission_that_is_given_up_leaves_the_engine_alive(smollm2: tuple[Llama, Tokenizer]) -> None:
    ids = tuple(smollm2[1].encode("one two"))

    async def give_up(service: Service) -> list[int]:
        for _ in range(20):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.0):
                    await collected(service, Request(ids, Sampling(max_tokens=6)))
        return await collected(service, Request(ids, Sampling(max_tokens=6)))

    with service_of(smollm2[0]) as service:
        assert asyncio.run(give_up(service)) == generate(smollm2[0], ids, count=6)


def test_a_reader_whose_loop_is_closed_leaves_the_engine_alive(smollm2: tuple[Llama, Tokenizer]) -> None:
    ids = tuple(smollm2[1].encode("one two"))
    with service_of(smollm2[0]) as service:
        loop = asyncio.new_event_loop()
        abandoned = service.tokens(Request(ids, Sampling(max_tokens=30)))
        loop.run_until_complete(anext(abandoned))
        loop.close()
        request = Request(ids, Sampling(max_tokens=6))
        assert asyncio.run(collected(service, request)) == generate(smollm2[0], ids, count=6)
        assert service.failure is None


def test_closing_a_service_ends_its_readers(smollm2: tuple[Llama, Tokenizer]) -> None:
    ids = tuple(smollm2[1].encode("one two"))
    service = service_of(smollm2[0])

    async def read_on() -> None:
        reading = service.tokens(Request(ids, Sampling(max_tokens=500)))
        await anext(reading)
        await asyncio.to_thread(service.__exit__)
        with pytest.raises(EngineStopped):
            while True:
                await anext(reading)
        with pytest.raises(EngineStopped):
            await collected(service, Request(ids, Sampling()))

    service.__enter__()
    asyncio.run(asyncio.wait_for(read_on(), 60))
