"""Arrivals, a clock, a fit and a simulation, each against what it promises."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from ai_research_skills.engine import BlockManager, Engine, Request, Sampling, Scheduler
from ai_research_skills.llama import Llama, Tokenizer
from ai_research_skills.traffic import (
    Clock,
    Latency,
    LatencyModel,
    Objective,
    Shape,
    SimulatedRunner,
    SkippingClock,
    VirtualClock,
    docstring_requests,
    percentile,
    poisson,
    replay,
)
from ai_research_skills.traffic.load import load
from ai_research_skills.traffic.outcome import Outcome

COST = LatencyModel(fixed=0.05, row=0.004, prefilled=0.001, context=1e-5)


def test_arrivals_are_poisson() -> None:
    moments = np.array(poisson(4.0, 20_000))
    gaps = np.diff(moments, prepend=0.0)
    assert gaps.mean() == pytest.approx(0.25, rel=0.03)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    counts = np.bincount(moments.astype(int))[:-1]
    assert counts.var() == pytest.approx(counts.mean(), rel=0.1)
    assert poisson(4.0, 5, seed=1) == poisson(4.0, 5, seed=1) != poisson(4.0, 5, seed=2)


def test_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a rate of 0 requests a second brings none → make it positive"):
        poisson(0, 3)


def test_requests_have_the_lengths_of_real_functions(smollm2: tuple[Llama, Tokenizer]) -> None:
    moments = poisson(1.0, 60)
    requests = docstring_requests(smollm2[1], moments, longest_prompt=40, longest_answer=50)
    assert [request.arrival for request in requests] == moments
    answers = [request.sampling.max_tokens for request in requests]
    assert max(answers) == 50 and len(set(answers)) > 10 and min(answers) >= 4
    assert len({request.prompt for request in requests}) == 60
    assert max(len(request.prompt) for request in requests) < 40 + 40


def test_a_fit_finds_the_costs_it_was_made_from() -> None:
    chance = np.random.default_rng(0)
    shapes = [Shape(*map(int, chance.integers(0, (16, 256, 4000)))) for _ in range(60)]
    noisy = [COST.seconds(shape) * chance.normal(1, 0.02) for shape in shapes]
    fitted = LatencyModel.fit(shapes, noisy)
    for name in ("fixed", "row", "prefilled", "context"):
        assert getattr(fitted, name) == pytest.approx(getattr(COST, name), rel=0.15)
    assert max(map(abs, COST.errors(shapes, [COST.seconds(shape) for shape in shapes]))) < 1e-12
    assert LatencyModel.fit(shapes, [1.0] * 60).row >= 0


def test_a_simulation_takes_the_time_that_its_steps_cost() -> None:
    clock = VirtualClock()
    steps = []
    scheduler = Scheduler(BlockManager(64), max_running=4, token_budget=64, chunk=32)
    engine = Engine(SimulatedRunner(COST, clock), scheduler, now=clock.now, observers=[steps.append])
    requests = [
        Request(tuple(range(50)), Sampling(max_tokens=6), arrival=moment) for moment in (0.0, 0.1, 9.0)
    ]
    begin = time.perf_counter()
    replay(engine, requests, clock)
    assert time.perf_counter() - begin < 2
    for step in steps:
        assert step.end - step.begin == pytest.approx(COST.seconds(Shape.of(step.chunks)))
    assert requests[2].admitted == 9.0  # it came when all was idle
    assert all(len(request.output) == 6 for request in requests)


def test_shapes_count_tokens_and_the_keys_they_read() -> None:
    scheduler = Scheduler(BlockManager(64, share_prefixes=False), token_budget=64)
    scheduler.add(Request(tuple(range(3)), Sampling(max_tokens=2)))
    scheduler.add(Request(tuple(range(20)), Sampling(max_tokens=2)))
    assert Shape.of(scheduler.schedule()) == Shape(rows=3, prefilled=20, context=1 + 2 + 3 + 20)


@pytest.mark.parametrize("clock", [SkippingClock(), VirtualClock()])
def test_waiting_is_free_and_time_never_runs_back(clock: Clock) -> None:
    begin = time.perf_counter()
    clock.wait_until(1000.0)
    assert time.perf_counter() - begin < 1
    assert 1000.0 <= clock.now() < 1001
    clock.wait_until(5.0)
    assert clock.now() >= 1000.0


def test_an_objective_counts_only_what_came_whole_and_in_time() -> None:
    objective = Objective(first=1.0, between=0.1)
    good = Outcome(due=0.0, sent=0.0, token_times=[0.5, 0.55, 0.6], ended=0.6, status=200)
    queued = Outcome(due=0.0, sent=1.9, token_times=[2.0, 2.05], ended=2.05, status=200)
    slow = Outcome(due=0.0, token_times=[0.5, 1.5], ended=1.5, status=200)
    broken = Outcome(
        due=0.0, token_times=[0.5, 0.55], ended=0.6, status=200, error="the stream ended before [DONE]"
    )
    refused = Outcome(due=0.0, ended=0.01, status=429, error="later")
    latencies = [Latency.of(outcome) for outcome in (good, queued, slow, broken, refused)]
    assert [objective.met(latency) for latency in latencies] == [True, False, False, False, False]
    assert objective.attainment(latencies) == pytest.approx(0.2)
    assert objective.goodput(latencies) == pytest.approx(1 / 2.05)


def test_a_percentile_is_a_value_that_occurred() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (50, 99, 100)] == [50, 99, 100]
    assert percentile([1.0, math.inf], 99) == math.inf


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'data: {"choices":[{"text":"a"}]}\n\ndata:{"choices":[{"text":"b"}]}\n\ndata: [DONE]\n\n', ""),
        (b'data: {"choices":[{"text":"ab"}]}\n\n', "the stream ended before [DONE]"),
        (b"data: nonsense\n\n", "no event of a stream: JSONDecodeError"),
        (b'data: {"id":1}\n\n', "no event of a stream: KeyError"),
        (b'data: {"error":{"message":"broken"}}\n\n', "broken"),
    ],
)
def test_whatever_a_server_sends_becomes_an_outcome(body: bytes, error: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        (outcome,) = asyncio.run(load(f"http://127.0.0.1:{server.server_port}/", [{}], [0.0]))
        server.shutdown()
        thread.join()
    assert error in outcome.error and outcome.complete == (not error)
    if not error:
        assert outcome.text == "ab" and len(outcome.token_times) == 2
