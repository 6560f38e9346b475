"""Blocks are held as often as they are counted, prefixes are found exactly, and the least used go first."""

from __future__ import annotations

import random

import pytest

from ai_research_skills.engine import BlockManager, PrefixTree


def naive(stored: list[list[int]], tokens: list[int], size: int) -> int:
    """Blocks of `tokens` that begin some stored sequence."""
    best = 0
    for other in stored:
        same = next(
            (i for i, (a, b) in enumerate(zip(other, tokens, strict=False)) if a != b),
            min(len(other), len(tokens)),
        )
        best = max(best, same // size)
    return best


def test_the_tree_finds_the_longest_stored_prefix() -> None:
    chance, size = random.Random(0), 3
    tree, stored, blocks = PrefixTree(size), list[list[int]](), iter(range(10_000))
    for _ in range(300):
        tokens = [chance.randrange(2) for _ in range(chance.randrange(20))]
        found = tree.match(tokens)
        assert len(found) == naive(stored, tokens, size)
        mine = found + [next(blocks) for _ in range(len(tokens) // size - len(found))]
        assert tree.insert(tokens, mine) == mine[len(found) :]
        stored.append(tokens[: len(tokens) // size * size])
        assert tree.match(tokens) == mine
    assert len(tree) == len(set(tree.blocks()))


def test_a_prefix_belongs_to_what_came_before_it() -> None:
    tree = PrefixTree(2)
    tree.insert([1, 2, 3, 4], [10, 11])
    assert tree.match([3, 4]) == []
    assert tree.match([1, 2, 9, 9]) == [10]
    assert tree.match([1, 2, 3]) == [10]


def test_eviction_takes_the_leaf_used_longest_ago_and_never_an_inner_block() -> None:
    tree = PrefixTree(1)
    tree.insert([1, 2, 3], [0, 1, 2])
    tree.insert([1, 4], [0, 3])
    tree.match([1, 2, 3])
    assert tree.evict(lambda block: True) == 3
    assert tree.evict(lambda block: block != 2) is None
    assert [tree.evict(lambda block: True) for _ in range(4)] == [2, 1, 0, None]
    assert len(tree) == 0


def test_growing_takes_all_or_nothing() -> None:
    manager = BlockManager(4, 2)
    table: list[int] = []
    assert manager.grow(table, 5) and len(table) == 3
    assert not manager.grow(table, 9) and len(table) == 3
    other: list[int] = []
    assert manager.grow(other, 2) and not set(other) & set(table)
    manager.check([table, other])


def test_the_last_token_is_never_taken_from_the_cache() -> None:
    manager = BlockManager(8, 2)
    table: list[int] = []
    manager.grow(table, 4)
    manager.keep([1, 2, 3, 4], table)
    assert manager.match([1, 2, 3, 4]) == table[:1]
    assert manager.match([1, 2, 3, 4, 5]) == table


def test_what_two_computed_is_kept_once() -> None:
    manager = BlockManager(8, 2)
    first, second = list[int](), list[int]()
    manager.grow(first, 4)
    manager.grow(second, 6)
    manager.keep([1, 2, 3, 4], first)
    manager.keep([1, 2, 3, 4, 5, 6], second)
    assert second[:2] == first and manager.free == 8 - 3
    manager.release(first)
    manager.release(second)
    manager.check([])
    assert manager.free == 5 and manager.available == 8
    assert manager.grow(first, 16) and len(manager.tree or ()) == 0


def test_giving_back_twice_is_an_error() -> None:
    manager = BlockManager(2, 2)
    table: list[int] = []
    manager.grow(table, 2)
    copy = list(table)
    manager.release(table)
    with pytest.raises(ValueError, match="block 0 is given back twice"):
        manager.release(copy)


def test_a_leak_is_found() -> None:
    manager = BlockManager(2, 2)
    manager.grow([], 2)
    with pytest.raises(AssertionError, match="holders counted"):
        manager.check([])
