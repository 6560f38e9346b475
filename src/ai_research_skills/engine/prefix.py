"""Which blocks hold which prefixes: a radix tree whose every edge is one full block of tokens.

Keys and values of a token depend on all tokens before it. So a block may be shared exactly by requests that
agree on every token up to its end, which is what a path from the root spells.

Source: RadixAttention, Zheng et al., https://arxiv.org/abs/2312.07104
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


class _Node:
    """A full block, and the tokens in it."""

    __slots__ = ("block", "children", "parent", "tokens", "used")

    def __init__(self, tokens: tuple[int, ...], block: int, parent: _Node | None) -> None:
        self.tokens, self.block, self.parent = tokens, block, parent
        self.children: dict[tuple[int, ...], _Node] = {}
        self.used = 0


class PrefixTree:
    """Prefixes by the blocks that hold them; it neither owns nor counts blocks."""

    def __init__(self, size: int) -> None:
        """An empty tree over blocks of `size` tokens."""
        self.size = size
        self._root = _Node((), -1, None)
        self._leaves: set[_Node] = set()
        self._nodes = 0
        self._tick = 0

    def __len__(self) -> int:
        """Blocks in the tree."""
        return self._nodes

    def blocks(self) -> Iterator[int]:
        """Every block in the tree, a parent before its children."""
        rest = list(self._root.children.values())
        while rest:
            node = rest.pop()
            yield node.block
            rest.extend(node.children.values())

    def match(self, tokens: Sequence[int]) -> list[int]:
        """Blocks of the longest known prefix of `tokens`, which counts as a use of each of them."""
        return [node.block for node in self._path(tokens)]

    def insert(self, tokens: Sequence[int], blocks: Sequence[int]) -> list[int]:
        """Enter the full blocks of `tokens`.

        Where the tree knows a prefix already, its own block stays, and the one in `blocks` is not taken up.

        Returns:
            Those of `blocks` that are new in the tree.
        """
        known = self._path(tokens)
        node, added = known[-1] if known else self._root, list[int]()
        for index in range(len(known), len(tokens) // self.size):
            key = tuple(tokens[index * self.size : (index + 1) * self.size])
            child = _Node(key, blocks[index], node)
            child.used = self._tick
            node.children[key] = child
            self._leaves.discard(node)
            node = child
            added.append(child.block)
        if added:
            self._leaves.add(node)
            self._nodes += len(added)
        return added

    def evict(self, unused: Callable[[int], bool]) -> int | None:
        """Forget the leaf that was used longest ago among those whose block is `unused`; its block, or None.

        Only leaves go: a prefix without its beginning could not be found again.
        """
        candidates = [leaf for leaf in self._leaves if unused(leaf.block)]
        if not candidates:
            return None
        leaf = min(candidates, key=lambda node: (node.used, node.block))
        parent = leaf.parent
        assert parent is not None
        del parent.children[leaf.tokens]
        self._leaves.remove(leaf)
        if not parent.children and parent is not self._root:
            self._leaves.add(parent)
        self._nodes -= 1
        return leaf.block

    def _path(self, tokens: Sequence[int]) -> list[_Node]:
        self._tick += 1
        node, path = self._root, list[_Node]()
        for start in range(0, len(tokens) - self.size + 1, self.size):
            child = node.children.get(tuple(tokens[start : start + self.size]))
            if child is None:
                break
            child.used = self._tick
            path.append(child)
            node = child
        return path
