"""Finding a function by what its docstring says: a retrieval task on text that every Python carries.

The text is the source of the standard library, © Python Software Foundation, PSF licence.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

SHORTEST_DOCSTRING = 40
"""Characters; less than that seldom says what sets a function apart."""

SHORTEST_BODY = 80
"""Characters; `raise NotImplementedError` answers every docstring alike."""

LONGEST_BODY = 1200
"""Characters of a body that are kept: about what an encoder of 256 tokens reads."""


@dataclass(frozen=True)
class Pair:
    """A function of the standard library.

    Attributes:
        name: `textwrap.dedent`.
        docstring: Its first paragraph, the query.
        body: Its code without the docstring and without its name, the document.
    """

    name: str
    docstring: str
    body: str


def docstring_pairs(count: int) -> list[Pair]:
    """`count` functions of the top-level modules, spread evenly over the alphabet.

    Raises:
        ValueError: The standard library has fewer.
    """
    modules = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    found = [pair for path in modules for pair in _pairs(path)]
    # The same docstring on two functions would make one of them impossible to find.
    distinct = list({pair.docstring: pair for pair in found}.values())
    if count > len(distinct):
        raise ValueError(f"{count} functions → the standard library has {len(distinct)} with a docstring")
    return [distinct[index * len(distinct) // count] for index in range(count)]


def reciprocal_ranks(queries: Tensor, documents: Tensor) -> NDArray[np.float64]:
    """One over the place of the right document among all, for each query; their mean is the MRR.

    Args:
        queries: Normalised embeddings, [pairs, width].
        documents: Likewise; row i answers query i. Ties count against the right one.

    Returns:
        [pairs], in (0, 1].
    """
    scores = queries.double() @ documents.double().T
    ranks = (scores >= scores.diagonal().unsqueeze(-1)).sum(-1)
    found: NDArray[np.float64] = (1 / ranks.double()).cpu().numpy()
    return found


def _pairs(path: Path) -> Iterator[Pair]:
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            docstring = (ast.get_docstring(node) or "").partition("\n\n")[0]
            body = "\n".join(ast.unparse(statement) for statement in node.body[1:])
            if len(docstring) >= SHORTEST_DOCSTRING and len(body) >= SHORTEST_BODY:
                yield Pair(f"{path.stem}.{node.name}", " ".join(docstring.split()), body[:LONGEST_BODY])
