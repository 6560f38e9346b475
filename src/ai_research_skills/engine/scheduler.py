"""What is computed in the next step: decided anew each time, from a budget of tokens and a pool of blocks.

Source: iteration-level scheduling, Yu et al., https://www.usenix.org/conference/osdi22/presentation/yu, and
chunked prefill, Agrawal et al., https://arxiv.org/abs/2403.02310
"""

from __future__ import annotations

from dataclasses import dataclass

from ai_research_skills.engine.blocks import BlockManager
from ai_research_skills.engine.policies import FirstCome, Policy
from ai_research_skills.engine.request import Request


@dataclass(frozen=True)
class Chunk:
    """Consecutive tokens of one request that one step computes.

    Attributes:
        request: Whose.
        start: Position of the first of them.
        tokens: Ids; drafted ones come last.
        drafted: How many of them are guesses.
        wanted: Logits are wanted of so many last tokens: none while a prompt is unfinished.
    """

    request: Request
    start: int
    tokens: tuple[int, ...]
    drafted: int
    wanted: int


class Scheduler:
    """Decides who is in the batch.

    Attributes:
        blocks: Where keys and values lie.
        waiting: Requests outside the batch.
        running: Requests in it, which hold blocks.
    """

    def __init__(
        self,
        blocks: BlockManager,
        *,
        policy: Policy | None = None,
        max_running: int = 8,
        token_budget: int = 256,
        chunk: int | None = None,
        continuous: bool = True,
        preemptive: bool = False,
    ) -> None:
        """An empty scheduler.

        Args:
            blocks: Where keys and values lie.
            policy: Whose turn it is; by arrival if none is given.
            max_running: Most requests in the batch.
            token_budget: Most tokens of one step.
            chunk: Most tokens of one request in one step; else the budget is the only bound.
            continuous: Admit at every step; else only once the whole batch is finished (static batching).
            preemptive: A request that is more urgent may throw a less urgent one out of a full batch.
        """
        if token_budget < max_running:
            raise ValueError(
                f"a budget of {token_budget} tokens leaves some of {max_running} requests without any"
            )
        self.blocks, self.policy = blocks, policy or FirstCome()
        self.max_running, self.token_budget = max_running, token_budget
        self.chunk = chunk or token_budget
        self.continuous, self.preemptive = continuous, preemptive
        self.waiting: list[Request] = []
        self.running: list[Request] = []
        self._left = token_budget

    def add(self, request: Request) -> None:
        """Let the request wait for its turn.

        Raises:
            ValueError: It would not fit if it were alone.
        """
        most = len(request.prompt) + request.sampling.max_tokens
        if self.blocks.needed(most) > self.blocks.count:
            room = self.blocks.count * self.blocks.size
            raise ValueError(f"{request.name} may need {most} tokens → the cache holds {room} in all")
        self.waiting.append(request)

    def remove(self, request: Request) -> None:
        """Forget the request, which is finished or cancelled, and give its blocks back."""
        (self.running if request in self.running else self.waiting).remove(request)
        self.blocks.release(request.table)

    def schedule(self) -> list[Chunk]:
        """The chunks of the next step; blocks for all their tokens are taken. Empty when nothing waits."""
        chunks: list[Chunk] = []
        self._left = self.token_budget
        crowded = self._continue(chunks)
        if not crowded and (self.continuous or not self.running):
            self._admit(chunks)
        return chunks

    def preempt(self, request: Request) -> None:
        """Take the request out of the batch; what it has answered stays, and is computed again later."""
        self.running.remove(request)
        self.blocks.release(request.table)
        request.computed, request.draft = 0, None
        request.preemptions += 1
        self.waiting.append(request)

    def _continue(self, chunks: list[Chunk]) -> bool:
        """Serve who is in the batch, those that decode first; whether somebody had to leave for want of blocks."""
        rest = sorted(self.running, key=lambda request: (not request.decoding, self.policy.key(request)))
        crowded = False
        while rest:
            request = rest.pop(0)
            chunk = self._next_chunk(request)
            if chunk is None:
                continue
            while not self.blocks.grow(request.table, chunk.start + len(chunk.tokens)):
                crowded = True
                victim = max((*rest, request), key=self.policy.key)
                self.preempt(victim)
                if victim is request:
                    break
                rest.remove(victim)
            else:
                self._plan(chunk, chunks)
        return crowded

    def _admit(self, chunks: list[Chunk]) -> None:
        while self.waiting and self._left:
            request = min(self.waiting, key=self.policy.key)
            if len(self.running) >= self.max_running and not self._make_way(request, chunks):
                return
            request.table = self.blocks.match(request.tokens)
            if self.blocks.needed(request.length) - len(request.table) > self.blocks.available:
                self.blocks.release(request.table)
                return
            request.computed = request.cached = len(request.table) * self.blocks.size
            self.waiting.remove(request)
            self.running.append(request)
            if chunk := self._next_chunk(request):
                self.blocks.grow(request.table, chunk.start + len(chunk.tokens))
                self._plan(chunk, chunks)

    def _make_way(self, request: Request, chunks: list[Chunk]) -> bool:
        worst = max(self.running, key=self.policy.key)
        if not self.preemptive or self.policy.key(worst) <= self.policy.key(request):
            return False
        for chunk in [chunk for chunk in chunks if chunk.request is worst]:
            chunks.remove(chunk)
            self._left += len(chunk.tokens)
        self.preempt(worst)
        return True

    def _plan(self, chunk: Chunk, chunks: list[Chunk]) -> None:
        chunks.append(chunk)
        self._left -= len(chunk.tokens)

    def _next_chunk(self, request: Request) -> Chunk | None:
        known = request.pending
        count = min(len(known), self._left, self.chunk)
        if not count:
            return None
        if count < len(known):
            return Chunk(request, request.computed, tuple(known[:count]), drafted=0, wanted=0)
        draft = request.draft.tokens[: self._left - count] if request.draft else ()
        return Chunk(request, request.computed, (*known, *draft), len(draft), wanted=len(draft) + 1)
