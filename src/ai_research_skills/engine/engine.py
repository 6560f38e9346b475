"""The loop of an inference engine: schedule, run, sample, and take note."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ai_research_skills.engine.request import Draft, Reason, Request, Sampling
from ai_research_skills.engine.sampler import Row, distributions, next_tokens
from ai_research_skills.engine.scheduler import Chunk, Scheduler
from ai_research_skills.engine.speculative import Drafter, sensible, verify


class Runner(Protocol):
    """What computes a step: `ModelRunner`, or a simulation of one."""

    context: int

    def run(self, chunks: Sequence[Chunk]) -> Tensor:
        """See `ModelRunner.run`."""
        ...


@dataclass(frozen=True)
class Step:
    """What one step did.

    Attributes:
        begin: Seconds on the engine's clock.
        end: Likewise.
        chunks: What was computed.
        answered: How many tokens each chunk's request got.
        waiting: Requests outside the batch.
        blocks: Blocks that the batch holds, shared ones counted once.
        stored: Tokens in them, shared ones counted once.
    """

    begin: float
    end: float
    chunks: tuple[Chunk, ...]
    answered: tuple[int, ...]
    waiting: int
    blocks: int
    stored: int


class Engine:
    """Answers many requests at once.

    Attributes:
        scheduler: Who is in the batch.
        observers: Called with each `Step`.
    """

    def __init__(
        self,
        runner: Runner,
        scheduler: Scheduler,
        *,
        now: Callable[[], float] = time.perf_counter,
        drafter: Drafter | None = None,
        draft_length: int = 4,
        observers: Iterable[Callable[[Step], None]] = (),
    ) -> None:
        """An engine without requests.

        Args:
            runner: Computes; its cache has as many blocks as the scheduler's manager.
            scheduler: Decides.
            now: Gives the time in seconds.
            drafter: Guesses tokens, if any.
            draft_length: Most guesses of one request and step.
            observers: Called with each step.
        """
        self.runner, self.scheduler, self.now = runner, scheduler, now
        self.drafter, self.draft_length = drafter, draft_length
        self.observers = list(observers)

    @property
    def busy(self) -> bool:
        """Whether any request is unfinished."""
        return bool(self.scheduler.running or self.scheduler.waiting)

    def submit(self, request: Request) -> Request:
        """Take the request in.

        Raises:
            ValueError: It could become longer than the model's context or than the cache.
        """
        most = len(request.prompt) + request.sampling.max_tokens
        if most > self.runner.context:
            raise ValueError(
                f"{request.name} may need {most} tokens → the model looks back on {self.runner.context}"
            )
        self.scheduler.add(request)
        return request

    def cancel(self, request: Request, reason: Reason = "cancelled") -> None:
        """Stop answering; its blocks are free at once. Nothing happens to a request that is finished."""
        if not request.finished:
            self._finish(request, reason)

    def step(self) -> list[Request]:
        """Compute once. Returns the requests that got a token or ended."""
        begin = self.now()
        self._guess()
        chunks = self.scheduler.schedule()
        if not chunks:
            return []
        for chunk in chunks:
            if chunk.request.admitted is None:
                chunk.request.admitted = begin
        logits = self.runner.run(chunks)
        answers = self._answers(chunks, logits)
        end = self.now()
        tables = [request.table for request in self.scheduler.running]
        self._observe(begin, end, chunks, answers, len({block for table in tables for block in table}))
        for chunk, answer in zip(chunks, answers, strict=True):
            self._take(chunk, answer, end)
        news = zip(chunks, answers, strict=True)
        return [chunk.request for chunk, answer in news if answer or chunk.request.finished]

    def generate(self, prompts: Iterable[Sequence[int]], sampling: Sampling | None = None) -> list[list[int]]:
        """Answer all prompts, given as token ids, and return the tokens of each answer."""
        requests = [
            self.submit(Request(tuple(prompt), sampling or Sampling(), arrival=self.now()))
            for prompt in prompts
        ]
        while not all(request.finished for request in requests):
            self.step()
        return [request.output for request in requests]

    def _guess(self) -> None:
        if self.drafter is None:
            return
        for request in self.scheduler.running:
            count = min(self.draft_length, request.remaining - 1)
            draft = self.drafter.propose(request, count) if request.decoding and count > 0 else None
            request.draft = draft and sensible(request, draft)

    def _answers(self, chunks: Sequence[Chunk], logits: Tensor) -> list[list[int]]:
        """New tokens of each chunk, none where the prompt is unfinished.

        Where no token can be chosen, because a constraint allows none, that request ends, and no other.
        """
        guessed = any(chunk.drafted for chunk in chunks)
        uniforms = [
            0.0 if guessed or not chunk.wanted or chunk.request.sampling.greedy else chunk.request.uniform()
            for chunk in chunks
        ]
        try:
            return self._chosen(chunks, logits, uniforms)
        except ValueError:
            each = torch.split(logits, [chunk.wanted for chunk in chunks])
            return [self._chosen_alone(*one) for one in zip(chunks, each, uniforms, strict=True)]

    def _chosen_alone(self, chunk: Chunk, logits: Tensor, uniform: float) -> list[int]:
        try:
            return self._chosen([chunk], logits, [uniform])[0]
        except ValueError as problem:
            chunk.request.error = str(problem)
            return []

    def _chosen(self, chunks: Sequence[Chunk], logits: Tensor, uniforms: Sequence[float]) -> list[list[int]]:
        asking = [chunk for chunk in chunks if chunk.wanted]
        rows = [
            Row(chunk.request.sampling, chunk.request.prompt, [*chunk.request.output, *guesses[:accepted]])
            for chunk in asking
            for guesses in [chunk.tokens[len(chunk.tokens) - chunk.drafted :]]
            for accepted in range(chunk.wanted)
        ]
        if not any(chunk.drafted for chunk in asking):
            numbers = [uniform for chunk, uniform in zip(chunks, uniforms, strict=True) if chunk.wanted]
            tokens = iter(next_tokens(logits, rows, numbers))
            return [[next(tokens)] if chunk.wanted else [] for chunk in chunks]
        targets = iter(torch.split(distributions(logits, rows), [chunk.wanted for chunk in asking]))
        return [self._verified(chunk, next(targets)) if chunk.wanted else [] for chunk in chunks]

    @staticmethod
    def _verified(chunk: Chunk, target: Tensor) -> list[int]:
        return verify(target, chunk.request.draft or Draft(()), chunk.request.uniform)

    def _take(self, chunk: Chunk, answer: list[int], moment: float) -> None:
        request, blocks = chunk.request, self.scheduler.blocks
        rejected = chunk.drafted - max(0, len(answer) - 1)
        before, request.computed = request.computed, chunk.start + len(chunk.tokens) - rejected
        request.draft = None
        reason: Reason | None = "error" if request.error else None
        for token in answer:
            if token in request.sampling.stop:
                reason = "stop"
                break
            request.output.append(token)
            request.token_times.append(moment)
            if not request.remaining:
                reason = "length"
                break
        request.computed = min(request.computed, request.length)
        if request.computed // blocks.size > before // blocks.size:
            blocks.keep(request.tokens[: request.computed], request.table)
        self.scheduler.policy.served(request, len(chunk.tokens))
        if reason:
            self._finish(request, reason)

    def _finish(self, request: Request, reason: Reason) -> None:
        self.scheduler.remove(request)
        request.finished, request.ended = reason, self.now()
        self.scheduler.policy.served(request, 0)
        if self.drafter is not None:
            self.drafter.forget(request)

    def _observe(
        self, begin: float, end: float, chunks: Sequence[Chunk], answers: Sequence[Sequence[int]], blocks: int
    ) -> None:
        if not self.observers:
            return
        scheduler = self.scheduler
        fed = {id(chunk.request): chunk.start + len(chunk.tokens) for chunk in chunks}
        filled: dict[int, int] = {}
        for request in scheduler.running:
            length = fed.get(id(request), request.computed)
            for index, block in enumerate(request.table):
                inside = min(scheduler.blocks.size, length - index * scheduler.blocks.size)
                filled[block] = max(filled.get(block, 0), inside)
        counts = tuple(len(answer) for answer in answers)
        step = Step(begin, end, tuple(chunks), counts, len(scheduler.waiting), blocks, sum(filled.values()))
        for observer in self.observers:
            observer(step)
