"""Runs the model on the chunks of a step, whatever requests they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ai_research_skills.engine.paged import Layout, PagedCache, Span
from ai_research_skills.engine.scheduler import Chunk
from ai_research_skills.llama.model import Llama

SHORT = 8
"""Chunks of at most so many tokens attend token by token: decoding, and the verification of a draft."""
SHORT_ON_GPU = 128
"""Likewise on a GPU, whose kernel serves many short prompts at once faster than one span after the other."""
MOST_GRAPH_ROWS = 512


class ModelRunner:
    """A model and its paged cache.

    Attributes:
        context: Most tokens of one request.
        cache: Where keys and values lie.
        short: Chunks of at most so many tokens attend token by token.
        forwards: How often the model was called.
    """

    def __init__(self, model: Llama, *, blocks: int, size: int = 16, graphs: bool | None = None) -> None:
        """Make the cache, in the model's type and on its device.

        Args:
            model: The model.
            blocks: Of the cache.
            size: Tokens a block holds.
            graphs: Replay CUDA graphs in steps that have no long chunk; by default on a GPU.
        """
        weight = model.norm
        self.model, self.context = model, model.config.context
        self.cache = PagedCache(
            model.config, blocks=blocks, size=size, dtype=weight.dtype, device=weight.device
        )
        self.forwards = 0
        self.short = SHORT_ON_GPU if weight.is_cuda else SHORT
        self._graphs: dict[int, _Graph] | None = (
            {} if (weight.is_cuda if graphs is None else graphs) else None
        )

    @torch.no_grad()
    def run(self, chunks: Sequence[Chunk]) -> Tensor:
        """Compute all chunks in one forward pass and keep their keys and values.

        Returns:
            Logits of the wanted tokens, in the order of the chunks, [wanted, vocabulary].
        """
        self.forwards += 1
        ordered = sorted(chunks, key=lambda chunk: len(chunk.tokens) > self.short)
        ends = dict(zip(map(id, ordered), np.cumsum([len(chunk.tokens) for chunk in ordered]), strict=True))
        wanted = [int(ends[id(chunk)]) - back for chunk in chunks for back in range(chunk.wanted, 0, -1)]
        graph = self._graph(ordered)
        if graph is not None:
            return graph.replay(self._layout(ordered, graph.rows))[wanted]
        self.cache.layout = self._layout(ordered)
        states = self.model.final_states(
            self.cache.layout.ids, cache=self.cache, positions=self.cache.layout.positions
        )
        return self.model.logits(states[0, wanted])

    def _layout(self, ordered: Sequence[Chunk], padded: int = 0) -> Layout:
        """Short chunks first. With `padded` rows, those behind the last token write to the spare block."""
        size, device = self.cache.size, self.cache.keys.device
        short = [chunk for chunk in ordered if len(chunk.tokens) <= self.short]
        positions = [at for chunk in ordered for at in range(chunk.start, chunk.start + len(chunk.tokens))]
        blocks = [
            chunk.request.table[at // size]
            for chunk in ordered
            for at in range(chunk.start, chunk.start + len(chunk.tokens))
        ]
        ids = [token for chunk in ordered for token in chunk.tokens]
        spare = max(0, padded - len(ids))
        rows = sum(len(chunk.tokens) for chunk in short) + spare
        width = (
            -(-self.context // size)
            if padded
            else max((len(chunk.request.table) for chunk in short), default=1)
        )
        tables = np.full((rows, width), self.cache.count)
        row = 0
        for chunk in short:
            tables[row : row + len(chunk.tokens), : len(chunk.request.table)] = chunk.request.table
            row += len(chunk.tokens)
        flat = torch.tensor([ids + [0] * spare, positions + [0] * spare, blocks + [self.cache.count] * spare])
        flat = flat.to(device)
        spans, begin = [], row
        for chunk in ordered[len(short) :]:
            end = begin + len(chunk.tokens)
            reach = -(-(chunk.start + len(chunk.tokens)) // size)
            spans.append(Span(begin, end, torch.tensor(chunk.request.table[:reach], device=device)))
            begin = end
        return Layout(
            ids=flat[0:1],
            positions=flat[1:2],
            blocks=flat[2],
            offsets=flat[1] % size,
            lengths=flat[1, :rows] + 1,
            tables=torch.from_numpy(tables).to(device),
            spans=spans,
        )

    def _graph(self, ordered: Sequence[Chunk]) -> _Graph | None:
        tokens = sum(len(chunk.tokens) for chunk in ordered)
        if self._graphs is None or len(ordered[-1].tokens) > self.short or tokens > MOST_GRAPH_ROWS:
            return None
        rows = 1 << (tokens - 1).bit_length()
        if rows not in self._graphs:
            self._graphs[rows] = _Graph(self.model, self.cache, self._layout([], rows))
        return self._graphs[rows]


class _Graph:
    """The model over a fixed number of rows, launched as a whole.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """

    def __init__(self, model: Llama, cache: PagedCache, layout: Layout) -> None:
        self.rows, self._layout = layout.ids.shape[1], layout
        cache.layout = layout
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):  # compiles the kernels, and makes the libraries take their workspaces
                self._run(model, cache)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits = self._run(model, cache)

    def replay(self, layout: Layout) -> Tensor:
        """Logits of every row, [rows, vocabulary]; valid until the next replay."""
        for name in ("ids", "positions", "blocks", "offsets", "lengths", "tables"):
            getattr(self._layout, name).copy_(getattr(layout, name))
        self._graph.replay()
        return self._logits

    def _run(self, model: Llama, cache: PagedCache) -> Tensor:
        states = model.final_states(self._layout.ids, cache=cache, positions=self._layout.positions)
        return model.logits(states[0])
