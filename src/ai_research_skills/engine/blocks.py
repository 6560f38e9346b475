"""Who holds which block of the KV cache: by counting references, as for pages of shared memory.

Source: PagedAttention, Kwon et al., https://arxiv.org/abs/2309.06180
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ai_research_skills.engine.prefix import PrefixTree


class BlockManager:
    """Hands out blocks, shares them between requests, and keeps what finished requests leave for the next.

    Attributes:
        count: Blocks in all.
        size: Tokens a block holds.
        tree: Prefixes that are kept, or None when nothing is shared.
    """

    def __init__(self, count: int, size: int = 16, *, share_prefixes: bool = True) -> None:
        self.count, self.size = count, size
        self.tree = PrefixTree(size) if share_prefixes else None
        self._free = deque(range(count))
        self._holders = [0] * count
        self._kept: set[int] = set()
        self._idle = 0

    @property
    def free(self) -> int:
        """Blocks that hold nothing."""
        return len(self._free)

    @property
    def available(self) -> int:
        """Blocks that could be taken: free ones, and those that only the prefix tree holds."""
        return self.free + self._idle

    def needed(self, tokens: int) -> int:
        """Blocks that hold so many tokens."""
        return -(-tokens // self.size)

    def match(self, tokens: Sequence[int]) -> list[int]:
        """Blocks of the longest kept prefix of `tokens`, held from now on by the caller too.

        The last token is never among them: its logits are wanted, so it must be computed.
        """
        if self.tree is None:
            return []
        table = self.tree.match(tokens[: len(tokens) - 1])
        for block in table:
            self._hold(block)
        return table

    def grow(self, table: list[int], tokens: int) -> bool:
        """Append blocks to `table` until it holds `tokens`; forgets unused prefixes where it must.

        Returns:
            Whether there was room. If not, `table` is as it was.
        """
        missing = self.needed(tokens) - len(table)
        while len(self._free) < missing:
            if not self._forget_one():
                return False
        for _ in range(missing):
            block = self._free.popleft()
            self._holders[block] = 1
            table.append(block)
        return True

    def keep(self, tokens: Sequence[int], table: list[int]) -> None:
        """Let others find the full blocks of `tokens`, whose keys and values `table` holds by now.

        What the tree knows already replaces its twin in `table`. So whoever holds a block of the tree holds
        the whole path to it, and a prefix that nobody holds can be forgotten from its end.
        """
        if self.tree is None:
            return
        for index, block in enumerate(self.tree.match(tokens)):
            if table[index] != block:
                self._hold(block)
                self._drop(table[index])
                table[index] = block
        for block in self.tree.insert(tokens, table):
            self._hold(block)
            self._kept.add(block)

    def release(self, table: list[int]) -> None:
        """Give back every block of `table` and empty it.

        Raises:
            ValueError: A block has no holder: it was given back before.
        """
        while table:
            self._drop(table.pop())

    def forget_prefixes(self) -> None:
        """Empty the tree of everything that no request holds."""
        while self._forget_one():
            pass

    def check(self, tables: Sequence[Sequence[int]]) -> None:
        """See that `tables` and the tree hold exactly what is counted, and that the rest is free once.

        Raises:
            AssertionError: A block leaked, or is held by somebody unknown.
        """
        expected = [0] * self.count
        kept = [] if self.tree is None else list(self.tree.blocks())
        for table in (*tables, kept):
            for block in table:
                expected[block] += 1
        assert expected == self._holders, f"holders counted {self._holders}, found {expected}"
        idle = sum(expected[block] == 1 for block in kept)
        assert idle == self._idle, f"idle blocks counted {self._idle}, found {idle}"
        unheld = [block for block, holders in enumerate(expected) if not holders]
        assert sorted(self._free) == unheld, f"free list {sorted(self._free)}, unheld {unheld}"

    def _forget_one(self) -> bool:
        block = None if self.tree is None else self.tree.evict(lambda block: self._holders[block] == 1)
        if block is None:
            return False
        self._kept.remove(block)
        self._idle -= 1
        self._drop(block)
        return True

    def _hold(self, block: int) -> None:
        if block in self._kept and self._holders[block] == 1:
            self._idle -= 1
        self._holders[block] += 1

    def _drop(self, block: int) -> None:
        if not self._holders[block]:
            raise ValueError(f"block {block} is given back twice → release a table once")
        self._holders[block] -= 1
        if block in self._kept and self._holders[block] == 1:
            self._idle += 1
        if not self._holders[block]:
            self._free.append(block)
