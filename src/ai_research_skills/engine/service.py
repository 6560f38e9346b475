"""An engine in a thread of its own, for asynchronous callers: tokens come to them, and they may leave."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ai_research_skills.engine.engine import Engine
from ai_research_skills.engine.request import Reason, Request

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Bounds of the histograms' buckets."""


class Overloaded(Exception):
    """As many requests wait as may; the client should come back later."""


class EngineStopped(Exception):
    """The engine's thread has ended; if with an error, that is the cause, and in the log."""

    def __init__(self) -> None:
        super().__init__("the engine has stopped → its log says why; start it again")


class RequestFailed(Exception):
    """No next token could be chosen for this one request."""


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
        most_waiting: Requests that may wait beside a full batch.
        metrics: Of what was served.
        failure: What ended the thread, if anything did.
    """

    def __init__(self, engine: Engine, *, most_waiting: int = 64) -> None:
        """Refuse requests while `most_waiting` wait beside a full batch."""
        self.engine, self.most_waiting, self.metrics = engine, most_waiting, Metrics(engine)
        self.failure: Exception | None = None
        self._orders: SimpleQueue[tuple[Future[None], Callable[[], None]]] = SimpleQueue()
        self._listeners: dict[str, Callable[[], object]] = {}
        self._announced: dict[str, int] = {}
        self._open = True
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._thread.join()

    async def tokens(self, request: Request) -> AsyncGenerator[list[int], None]:
        """New tokens of the answer as they come. To stop early, close the iterator: it frees the blocks.

        Raises:
            Overloaded: Too many requests wait.
            ValueError: The request does not fit.
            RequestFailed: Its constraint or its logits leave no token to choose.
            EngineStopped: Nothing can be answered any more.
        """
        loop, news, seen = asyncio.get_running_loop(), asyncio.Event(), 0
        self._listeners[request.name] = lambda: loop.call_soon_threadsafe(news.set)
        try:
            await self._order(lambda: self._submit(request))
            while True:
                await news.wait()
                news.clear()
                finished, new = request.finished, request.output[seen:]
                seen += len(new)
                if new:
                    yield new
                if finished == "error":
                    raise RequestFailed(request.error)
                if finished:
                    return
                if not self._open:
                    raise EngineStopped from self.failure
        finally:
            self._listeners.pop(request.name, None)
            if not request.finished and self._open:
                self._put(lambda: self._end(request, "cancelled"))

    async def stop(self, request: Request) -> None:
        """End the answer where it is, because its text is complete."""
        await self._order(lambda: self._end(request, "stop"))

    async def _order(self, act: Callable[[], None]) -> None:
        """Have the thread do something between two steps, and wait until it has."""
        await asyncio.wrap_future(self._put(act))

    def _put(self, act: Callable[[], None]) -> Future[None]:
        future: Future[None] = Future()
        with self._lock:
            if self._open:
                self._orders.put((future, act))
            else:
                future.set_exception(EngineStopped())
        return future

    def _submit(self, request: Request) -> None:
        scheduler = self.engine.scheduler
        inside = len(scheduler.waiting) + len(scheduler.running)
        if inside >= scheduler.max_running + self.most_waiting:
            self.metrics.requests.labels("refused").inc()
            raise Overloaded(f"{self.most_waiting} requests wait already → try again later")
        request.arrival = self.engine.now()
        self.engine.submit(request)
        self._announced[request.name] = 0

    def _end(self, request: Request, reason: Reason) -> None:
        if request.name in self._announced and not request.finished:
            self.engine.cancel(request, reason)
            self._count_end(request)

    def _run(self) -> None:
        try:
            while self._open:
                self._obey(wait=not self.engine.busy)
                for request in self.engine.step():
                    self._announce(request)
        except Exception as failure:
            logging.getLogger(__name__).exception("the engine stops")
            self.failure = failure
        self._close()
        with contextlib.suppress(Empty):
            while True:
                future, _ = self._orders.get_nowait()
                if future.set_running_or_notify_cancel():
                    future.set_exception(EngineStopped())
        for name in list(self._listeners):
            self._wake(name)

    def _close(self) -> None:
        """Take no more orders; the last one wakes the thread."""
        with self._lock:
            self._open = False
            self._orders.put((Future(), lambda: None))

    def _obey(self, *, wait: bool) -> None:
        """Carry out all orders; without work, wait for the first."""
        with contextlib.suppress(Empty):
            while True:
                future, act = self._orders.get(block=wait)
                wait = False
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    act()
                except Exception as problem:
                    future.set_exception(problem)
                else:
                    future.set_result(None)

    def _announce(self, request: Request) -> None:
        times, known = request.token_times, self._announced[request.name]
        for index in range(known, len(times)):
            if index == 0:
                self.metrics.first.observe(request.time_to_first_token)
            else:
                self.metrics.gap.observe(times[index] - times[index - 1])
        self.metrics.tokens.inc(len(times) - known)
        self._announced[request.name] = len(times)
        if request.finished:
            self._count_end(request)
        self._wake(request.name)

    def _count_end(self, request: Request) -> None:
        self.metrics.requests.labels(request.finished).inc()
        del self._announced[request.name]

    def _wake(self, name: str) -> None:
        try:
            self._listeners.get(name, lambda: None)()
        except RuntimeError:  # its event loop is closed: nobody listens any more
            self._listeners.pop(name, None)
