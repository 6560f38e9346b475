"""Whose turn it is: the order in which requests are admitted, and in reverse the order in which they give way."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

from ai_research_skills.engine.request import Request


class Policy(Protocol):
    """An order of requests that may depend on what was served before."""

    def key(self, request: Request) -> tuple[float, ...]:
        """The smaller, the sooner."""
        ...

    def served(self, request: Request, tokens: int) -> None:
        """Take note that `tokens` of the request were computed."""
        ...


class FirstCome:
    """By arrival."""

    def key(self, request: Request) -> tuple[float, ...]:
        """See `Policy.key`."""
        return (request.arrival,)

    def served(self, request: Request, tokens: int) -> None:
        """See `Policy.served`."""


class Priority(FirstCome):
    """The smaller `Request.priority`, the sooner; then by arrival."""

    def key(self, request: Request) -> tuple[float, ...]:
        """See `Policy.key`."""
        return (request.priority, request.arrival)


class ShortestFirst(FirstCome):
    """By the tokens still to compute, with `max_tokens` for the length of the answer that nobody knows."""

    def key(self, request: Request) -> tuple[float, ...]:
        """See `Policy.key`."""
        return (request.length - request.computed + request.remaining, request.arrival)


class FairShare:
    """The client that was served least, sooner: a virtual token counter for each client.

    A client that comes back after a pause does not claim what it left unused: its counter is lifted to the
    least of the clients that are waiting or running.

    Source: Sheng et al., https://arxiv.org/abs/2401.00588
    """

    def __init__(self) -> None:
        self.counters: dict[str, float] = defaultdict(float)
        self._active: dict[str, set[str]] = defaultdict(set)

    def key(self, request: Request) -> tuple[float, ...]:
        """See `Policy.key`."""
        if request.name not in self._active[request.client]:
            self._enter(request)
        return (self.counters[request.client], request.arrival)

    def served(self, request: Request, tokens: int) -> None:
        """See `Policy.served`."""
        self.counters[request.client] += tokens
        if request.finished:
            self._active[request.client].discard(request.name)

    def _enter(self, request: Request) -> None:
        others = [self.counters[client] for client, names in self._active.items() if names]
        if not self._active[request.client] and others:
            self.counters[request.client] = max(self.counters[request.client], min(others))
        self._active[request.client].add(request.name)
