"""Who is served when: budgets, order, fairness, and that nobody starves."""

from __future__ import annotations

import pytest

from ai_research_skills.engine import (
    BlockManager,
    Engine,
    FairShare,
    Priority,
    Request,
    Sampling,
    Scheduler,
    ShortestFirst,
)
from ai_research_skills.traffic import LatencyModel, SimulatedRunner, VirtualClock, replay


def simulated(**settings: object) -> tuple[Engine, VirtualClock]:
    """An engine whose steps take a second and a hundredth for each token."""
    clock = VirtualClock()
    runner = SimulatedRunner(LatencyModel(1.0, 0.01, 0.01, 0.0), clock)
    scheduler = Scheduler(BlockManager(500, share_prefixes=False), **settings)  # type: ignore[arg-type]
    return Engine(runner, scheduler, now=clock.now), clock


def asked(length: int, most: int, **settings: object) -> Request:
    return Request(tuple(range(length)), Sampling(max_tokens=most), **settings)  # type: ignore[arg-type]


def test_no_step_exceeds_the_budget_and_those_that_decode_go_first() -> None:
    engine, _ = simulated(token_budget=20, max_running=8, chunk=15)
    first = engine.submit(asked(10, 30))
    engine.step()
    long = engine.submit(asked(100, 5, arrival=1))
    while engine.busy:
        chunks = engine.scheduler.schedule()
        assert sum(len(chunk.tokens) for chunk in chunks) <= 20
        assert all(len(chunk.tokens) <= 15 for chunk in chunks)
        if not first.finished:
            assert any(chunk.request is first for chunk in chunks)
        # The plan is carried out by hand, for `step` would make one of its own.
        logits = engine.runner.run(chunks)
        for chunk, answer in zip(chunks, engine._answers(chunks, logits), strict=True):
            engine._take(chunk, answer, 0.0)
    assert first.finished == long.finished == "length"


def test_a_budget_below_the_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="a budget of 4 tokens leaves some of 8 requests without any"):
        Scheduler(BlockManager(4), token_budget=4)


def test_static_batches_wait_for_their_longest_answer() -> None:
    engine, clock = simulated(continuous=False, max_running=2, token_budget=100)
    requests = [asked(4, most) for most in (2, 10, 3)]
    replay(engine, requests, clock)
    assert requests[2].admitted == pytest.approx(max(r.ended or 0 for r in requests[:2]))


def test_urgent_requests_overtake_and_take_over() -> None:
    engine, clock = simulated(policy=Priority(), preemptive=True, max_running=1, token_budget=64)
    patient, urgent = asked(8, 20, priority=1), asked(8, 2, arrival=5.0, priority=0)
    replay(engine, [patient, urgent], clock)
    assert (urgent.ended or 0) < (patient.ended or 0) and patient.preemptions == 1
    assert urgent.time_to_first_token < 2.5
    assert len(patient.output) == 20


def test_the_shortest_goes_first() -> None:
    engine, clock = simulated(policy=ShortestFirst(), max_running=1, token_budget=64)
    requests = [asked(8, most) for most in (30, 20, 5)]
    replay(engine, requests, clock)
    assert sorted(requests, key=lambda r: r.ended or 0) == [requests[2], requests[1], requests[0]]


def test_a_flood_of_one_client_does_not_delay_another() -> None:
    delays = {}
    for name, policy in (("first come", None), ("fair", FairShare())):
        engine, clock = simulated(policy=policy, max_running=2, token_budget=64)
        flood = [asked(16, 16, client="flood") for _ in range(20)]
        guest = asked(16, 16, client="guest", arrival=3.0)
        replay(engine, [*flood, guest], clock)
        delays[name] = guest.time_to_first_token
    assert delays["fair"] < 20 < 100 < delays["first come"]


def test_a_client_that_paused_claims_nothing_for_the_pause() -> None:
    policy = FairShare()
    busy = asked(4, 4, client="busy")
    policy.key(busy)
    policy.served(busy, 1000)
    late = asked(4, 4, client="late")
    assert policy.key(late)[0] == 1000
