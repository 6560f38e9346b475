"""The cell magic `%%cuda NAME`, which gives a cell of CUDA C++ a name in the notebook."""

from __future__ import annotations

import keyword
from typing import Any

from ai_research_skills.lab.cuda.source import Source


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext ai_research_skills.lab.cuda`."""

    def cuda(line: str, cell: str) -> None:
        """Bind the cell's text to the name on its first line, as a `Source`."""
        name = line.strip()
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(
                f"%%cuda {line} names nothing → write %%cuda and one Python name, such as %%cuda sgemm"
            )
        shell.push({name: Source(cell)})

    shell.register_magic_function(cuda, magic_kind="cell", magic_name="cuda")
