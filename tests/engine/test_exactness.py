"""Whatever the engine does to save time, an answer is the one that the plain model gives alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ai_research_skills.engine import (
    BlockManager,
    Draft,
    Engine,
    FairShare,
    ModelDrafter,
    ModelRunner,
    Priority,
    PromptLookup,
    Request,
    Sampling,
    Scheduler,
    ShortestFirst,
    Step,
    shallow,
)
from ai_research_skills.llama import Llama, Tokenizer, generate

BLOCK = 4


def prompts(seed: int = 0, count: int = 6) -> list[tuple[int, ...]]:
    """Of any length from one token on; the last begins as the first does."""
    chance = random.Random(seed)
    drawn = [tuple(chance.randrange(50) for _ in range(chance.randrange(1, 60))) for _ in range(count)]
    return [*drawn, (*drawn[0][:20], 1, 2, 3)]


def engine_of(
    model: Llama, *, blocks: int = 100, share: bool = True, drafter: Any = None, **settings: Any
) -> Engine:
    manager = BlockManager(blocks, BLOCK, share_prefixes=share)
    runner = ModelRunner(model, blocks=blocks, size=BLOCK)
    return Engine(runner, Scheduler(manager, **settings), drafter=drafter)


def answers(engine: Engine, requests: Sequence[Request]) -> list[list[int]]:
    """Step until all are answered; every block is accounted for after every step."""
    for request in requests:
        engine.submit(request)
    while engine.busy:
        engine.step()
        engine.scheduler.blocks.check([request.table for request in engine.scheduler.running])
    return [request.output for request in requests]


@pytest.mark.parametrize(
    ("settings", "must"),
    [
        ({}, lambda requests: True),
        ({"chunk": 5, "token_budget": 12}, lambda requests: True),
        ({"token_budget": 9, "max_running": 3}, lambda requests: True),
        ({"continuous": False, "token_budget": 1000}, lambda requests: True),
        ({"blocks": 26, "share": False}, lambda requests: any(r.preemptions for r in requests)),
        ({"blocks": 26}, lambda requests: any(r.preemptions for r in requests)),
        ({"policy": ShortestFirst(), "preemptive": True, "max_running": 2}, lambda requests: True),
        (
            {"policy": FairShare(), "preemptive": True, "max_running": 2},
            lambda requests: any(r.preemptions for r in requests),
        ),
    ],
    ids=["plain", "chunks", "budget", "static", "crowded", "crowded-shared", "shortest", "fair"],
)
@pytest.mark.parametrize("drafting", ["alone", "lookup", "model"])
def test_greedy_answers_are_those_of_the_model_alone(
    small: Llama, settings: dict[str, Any], must: Callable[[list[Request]], bool], drafting: str
) -> None:
    drafter = {"alone": None, "lookup": PromptLookup(), "model": ModelDrafter(shallow(small, [0]))}[drafting]
    engine = engine_of(small, drafter=drafter, **settings)
    requests = [
        Request(prompt, Sampling(max_tokens=30), client="ab"[index % 2])
        for index, prompt in enumerate(prompts())
    ]
    assert answers(engine, requests) == [generate(small, prompt, count=30) for prompt in prompts()]
    assert must(requests)


def test_a_second_time_is_answered_from_kept_prefixes(small: Llama) -> None:
    engine = engine_of(small)
    first = [Request(prompt, Sampling(max_tokens=9)) for prompt in prompts()]
    second = [Request(prompt, Sampling(max_tokens=9)) for prompt in prompts()]
    assert answers(engine, first) == answers(engine, second)
    for request in second:
        assert request.cached == (len(request.prompt) - 1) // BLOCK * BLOCK


def test_seeded_answers_do_not_depend_on_the_company(small: Llama) -> None:
    sampling = Sampling(max_tokens=12, temperature=1.0, top_k=20, top_p=0.9, seed=7)
    (alone,) = answers(engine_of(small), [Request(prompts()[0], sampling)])
    company = [Request(prompt, replace(sampling, seed=index)) for index, prompt in enumerate(prompts()[1:])]
    together = answers(engine_of(small, chunk=5), [Request(prompts()[0], sampling), *company])
    assert together[0] == alone
    assert len({tuple(answer) for answer in together}) == len(together)


def test_drafts_do_not_change_the_distribution(small: Llama) -> None:
    """The second token of a sampled answer, with a draft model and without, over many seeds."""
    sampling = Sampling(max_tokens=3, temperature=1.0)
    counts = []
    for drafter in (None, ModelDrafter(shallow(small, [0]))):
        engine = engine_of(small, blocks=1200, drafter=drafter, max_running=64)
        requests = [Request(prompts()[0][:6], replace(sampling, seed=seed)) for seed in range(1500)]
        seconds = torch.tensor([answer[1] for answer in answers(engine, requests)])
        counts.append(torch.bincount(seconds, minlength=50).double())
    common = (counts[0] + counts[1]) >= 20
    pairs = torch.stack([torch.cat((c[common], c[~common].sum()[None])) for c in counts])
    expected = pairs.sum(0, keepdim=True) / 2
    statistic = float(((pairs - expected).square() / expected.clamp_min(1)).sum())
    freedom = pairs.shape[1] - 1
    assert freedom > 10
    assert statistic < freedom + 4 * (2 * freedom) ** 0.5


def test_good_guesses_save_steps_and_bad_ones_cost_no_token(small: Llama) -> None:
    class Oracle:
        def __init__(self, right: bool) -> None:
            self.right = right

        def propose(self, request: Request, count: int) -> Draft:
            known = generate(small, request.prompt, count=30)[len(request.output) :][:count]
            return Draft(tuple(known if self.right else [(token + 1) % 50 for token in known]))

        def forget(self, request: Request) -> None: ...

    prompt = prompts()[0]
    for right, steps in ((True, 6), (False, 30)):
        engine = engine_of(small, drafter=Oracle(right))
        assert answers(engine, [Request(prompt, Sampling(max_tokens=30))]) == [
            generate(small, prompt, count=30)
        ]
        # The first token comes with the prompt; each further step gives five at best.
        assert engine.runner.forwards in (steps, steps + 1)  # type: ignore[attr-defined]


def test_a_stop_token_ends_the_answer_also_within_a_draft(small: Llama) -> None:
    prompt = prompts()[0]
    whole = generate(small, prompt, count=30)
    stop = whole[17]
    expected = whole[: whole.index(stop)]
    for drafter in (None, PromptLookup(), ModelDrafter(small)):
        engine = engine_of(small, drafter=drafter)
        request = Request(prompt, Sampling(max_tokens=30, stop=frozenset([stop])))
        assert answers(engine, [request]) == [expected]
        assert request.finished == "stop"


def test_a_constraint_holds_and_leaves_the_neighbours_alone(small: Llama) -> None:
    class Even:
        def allowed(self, output: Sequence[int]) -> Tensor:
            assert all(token % 2 == 0 and token not in stop for token in output), (
                "asked about what it forbids"
            )
            return torch.arange(50) % 2 == 0

    stop = frozenset[int]()
    bound_outputs = []
    for drafter in (None, PromptLookup(), ModelDrafter(shallow(small, [0]))):
        engine = engine_of(small, drafter=drafter)
        free, bound = (Request(prompts()[0], Sampling(max_tokens=20, constraint=c)) for c in (None, Even()))
        answers(engine, [free, bound])
        assert free.output == generate(small, prompts()[0], count=20)
        assert all(token % 2 == 0 for token in bound.output) and any(token % 2 for token in free.output)
        bound_outputs.append(bound.output)
    assert bound_outputs[0] == bound_outputs[1] == bound_outputs[2]
    stop = frozenset(bound_outputs[0][4:5])
    for drafter in (None, PromptLookup(), ModelDrafter(shallow(small, [0])), ModelDrafter(small)):
        sampling = Sampling(max_tokens=20, constraint=Even(), stop=stop)
        (output,) = answers(engine_of(small, drafter=drafter), [Request(prompts()[0], sampling)])
        assert output == bound_outputs[0][: bound_outputs[0].index(*stop)]


def test_smollm2_answers_four_questions_at_once_as_it_does_one_by_one(
    smollm2: tuple[Llama, Tokenizer],
) -> None:
    model, tokenizer = smollm2
    questions = ("What is the capital of France?", "Name three colours.", "What is 2 + 2?")
    ids = [tokenizer.chat(question) for question in questions]
    sampling = Sampling(max_tokens=8, stop=frozenset([tokenizer.end_of_turn]))
    engine = Engine(
        ModelRunner(model, blocks=32), Scheduler(BlockManager(32), chunk=24), drafter=PromptLookup()
    )
    expected = [generate(model, prompt, count=8, stop=tokenizer.end_of_turn) for prompt in ids]
    assert engine.generate(ids, sampling) == expected


def test_a_thousand_random_events_lose_no_block_and_no_request(small: Llama) -> None:
    chance = random.Random(1)
    engine = engine_of(
        small, blocks=60, policy=Priority(), preemptive=True, max_running=4, chunk=16, token_budget=32,
        drafter=PromptLookup(),
    )  # fmt: skip
    requests: list[Request] = []
    for moment in range(1000):
        if chance.random() < 0.5:
            length, most = chance.randrange(1, 60), chance.randrange(1, 20)
            prompt = tuple(chance.randrange(3) for _ in range(length))
            requests.append(
                engine.submit(
                    Request(prompt, Sampling(max_tokens=most), priority=chance.randrange(3), arrival=moment)
                )
            )
        elif chance.random() < 0.2 and requests:
            engine.cancel(chance.choice(requests))
        else:
            engine.step()
        engine.scheduler.blocks.check([request.table for request in engine.scheduler.running])
    while engine.busy:
        engine.step()
    assert all(request.finished for request in requests)
    assert {request.finished for request in requests} == {"length", "cancelled"}
    assert sum(request.preemptions for request in requests) > 10
    assert all(len(r.output) == r.sampling.max_tokens for r in requests if r.finished == "length")
    engine.scheduler.blocks.forget_prefixes()
    engine.scheduler.blocks.check([])
    assert engine.scheduler.blocks.free == 60


def test_steps_say_what_they_did(small: Llama) -> None:
    steps: list[Step] = []
    engine = engine_of(small, chunk=16)
    engine.observers.append(steps.append)
    requests = [Request(prompt, Sampling(max_tokens=5)) for prompt in prompts()]
    answers(engine, requests)
    for request in requests:
        mine = [
            (c, n)
            for step in steps
            for c, n in zip(step.chunks, step.answered, strict=True)
            if c.request is request
        ]
        assert sum(answered for _, answered in mine) == 5
        assert sum(len(chunk.tokens) for chunk, _ in mine) == request.length - 1 - request.cached
    assert all(0 < step.stored <= step.blocks * BLOCK for step in steps)
    assert all(before.end <= after.begin for before, after in itertools.pairwise(steps))


def test_what_cannot_fit_is_refused_with_the_reason(small: Llama) -> None:
    engine = engine_of(small, blocks=10)
    with pytest.raises(ValueError, match=r"may need 41 tokens → the cache holds 40 in all"):
        engine.submit(Request((1,), Sampling(max_tokens=40)))
    with pytest.raises(ValueError, match=r"may need 300 tokens → the model looks back on 256"):
        engine.submit(Request((1,) * 299, Sampling(max_tokens=1)))
    assert not engine.busy


def test_a_cancelled_request_frees_its_blocks_at_once(small: Llama) -> None:
    engine = engine_of(small, share=False)
    requests = [engine.submit(Request(prompt, Sampling(max_tokens=30))) for prompt in prompts()]
    engine.step()
    for request in requests:
        engine.cancel(request)
        engine.cancel(request)
    assert engine.scheduler.blocks.free == engine.scheduler.blocks.count
    assert {request.finished for request in requests} == {"cancelled"}
