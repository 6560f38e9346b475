"""An engine in a thread of its own, for asynchronous callers: tokens come to them, and they may leave."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ai_research_skills.engine.engine import Engine
from ai_research_skills.engine.request import Request

Result = TypeVar("Result")
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Bounds of the histograms' buckets."""


class Overloaded(Exception):
    """As many requests wait as may; the client should come back later."""


class EngineFailed(Exception):
    """The engine's thread has ended with an error, which is its cause and in the log."""

    def __init__(self) -> None:
        super().__init__("the engine has failed → see its log, and start it again")


class Metrics:
    """What Prometheus may ask of a service."""

    def __init__(self, engine: Engine) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "engine_requests", "Requests by how they ended.", ["reason"], registry=self.registry
        )
        self.tokens = Counter("engine_answer_tokens", "Tokens answered.", registry=self.registry)
        self.first = Histogram(
            "engine_time_to_first_token_seconds", "From arrival.", registry=self.registry, buckets=SECONDS
        )
        self.gap = Histogram(
            "engine_inter_token_seconds", "Between tokens.", registry=self.registry, buckets=SECONDS
        )
        scheduler = engine.scheduler
        for name, text, value in (
            ("engine_requests_waiting", "Requests outside the batch.", lambda: len(scheduler.waiting)),
            ("engine_requests_running", "Requests in the batch.", lambda: len(scheduler.running)),
            ("engine_blocks_free", "Blocks that hold nothing.", lambda: scheduler.blocks.free),
        ):
            Gauge(name, text, registry=self.registry).set_function(value)


class Service:
    """Steps an engine while there is work; a context manager that starts and stops its thread.

    Attributes:
        engine: Touched by the thread alone, once that runs.
        metrics: Of what was served.
        failure: What ended the thread, if anything did.
    """

    def __init__(self, engine: Engine, *, most_waiting: int = 64) -> None:
        """Refuse requests while `most_waiting` wait already."""
        self.engine, self.most_waiting, self.metrics = engine, most_waiting, Metrics(engine)
        self.failure: Exception | None = None
        self._commands: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._listeners: dict[str, Callable[[], object]] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._commands.put(lambda: None)
        self._thread.join()

    async def tokens(self, request: Request) -> AsyncGenerator[list[int], None]:
        """New tokens of the answer as they come. To stop early, close the iterator: it frees the blocks.

        Raises:
            Overloaded: Too many requests wait.
            ValueError: The request does not fit.
            EngineFailed: Nothing can be answered any more.
        """
        loop, news, seen = asyncio.get_running_loop(), asyncio.Event(), 0
        self._listeners[request.name] = lambda: loop.call_soon_threadsafe(news.set)
        try:
            await asyncio.wrap_future(self._order(lambda: self._submit(request)))
            while True:
                await news.wait()
                news.clear()
                finished, new = request.finished, request.output[seen:]
                seen += len(new)
                if new:
                    yield new
                if finished:
                    return
                if self.failure:
                    raise EngineFailed from self.failure
        finally:
            self._listeners.pop(request.name, None)
            if not request.finished:
                self._order(lambda: self._cancel(request))

    def _order(self, act: Callable[[], Result]) -> Future[Result]:
        """Have the thread do something between two steps."""
        future: Future[Result] = Future()

        def command() -> None:
            try:
                future.set_result(act())
            except Exception as problem:
                future.set_exception(problem)

        if self.failure:
            future.set_exception(EngineFailed())
        else:
            self._commands.put(command)
        return future

    def _submit(self, request: Request) -> None:
        if len(self.engine.scheduler.waiting) >= self.most_waiting:
            raise Overloaded(f"{self.most_waiting} requests wait already → try again later")
        request.arrival = self.engine.now()
        self.engine.submit(request)

    def _cancel(self, request: Request) -> None:
        scheduler = self.engine.scheduler
        if request in scheduler.running or request in scheduler.waiting:
            self.engine.cancel(request)
            self.metrics.requests.labels("cancelled").inc()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._obey(wait=not self.engine.busy)
                for request in self.engine.step():
                    self._announce(request)
        except Exception as failure:
            logging.getLogger(__name__).exception("the engine stops")
            self.failure = failure
            for listener in list(self._listeners.values()):
                listener()

    def _obey(self, *, wait: bool) -> None:
        try:
            while True:
                self._commands.get(block=wait)()
                wait = False
        except Empty:
            return

    def _announce(self, request: Request) -> None:
        times = request.token_times
        if len(times) == 1:
            self.metrics.first.observe(request.time_to_first_token)
        elif times:
            self.metrics.gap.observe(times[-1] - times[-2])
        self.metrics.tokens.inc()
        if request.finished:
            self.metrics.requests.labels(request.finished).inc()
        if listener := self._listeners.get(request.name):
            listener()
