"""Running the Python of a page as the program that it is, and taking what came of each block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from ai_research_skills.catalog.example import Example, Mark
from ai_research_skills.checks.running import page_runner
from ai_research_skills.checks.running.expected_output import mismatch
from ai_research_skills.checks.running.isolated import outcome_inside
from ai_research_skills.checks.running.limits import Limits
from ai_research_skills.checks.running.page_runner import UNFINISHED
from ai_research_skills.checks.running.sandbox import Outcome

PAGE_TIMEOUT = 600
"""Seconds for all blocks of a page."""


@dataclass(frozen=True)
class BlockRun:
    """What came of one block.

    Attributes:
        ran: Whether it did what its mark says, and printed what the page says.
        device: The GPU that it had used by then, if any.
        fault: Why it did not, if it was to run.
        at: Line of the fault, counted from the opening fence.
        passed_over: Why it was not to run.
        types: `module:class` of the value of each name before the block, if it was passed over.
    """

    ran: bool = False
    seconds: float = 0.0
    device: str = ""
    fault: str = ""
    at: int = 0
    passed_over: str = ""
    types: Mapping[str, str] = field(default_factory=dict)


class _Found(BaseModel):
    """An outcome of `page_runner`. It comes from where the examples ran, so nothing about it is certain."""

    outcome: Literal["ran", "raised", "failed", "skipped"]
    seconds: float = 0.0
    message: str = ""
    error: str = ""
    line: int = 0
    stdout: str = ""
    truncated: bool = False
    device: str = ""
    types: dict[str, str] = Field(default_factory=dict)


def run_page(examples: Sequence[Example], python: Path, *, gpu: bool = False) -> dict[Example, BlockRun]:
    """Run the Python among the `examples` of one page, in order, in the interpreter `python`.

    Diffs are passed over like blocks for a GPU: what the names are there is wanted by those who resolve them.

    Raises:
        NoSandbox: The machine cannot isolate the page.
    """
    blocks = [example for example in examples if example.language in {"python", "diff"}]
    if not any(block.language == "python" for block in blocks):
        return {}
    given = {"blocks": [_given(block) for block in blocks], "gpu": gpu, "seconds": PAGE_TIMEOUT - 10}
    limits = Limits(seconds=PAGE_TIMEOUT, gpu=gpu)
    outcome = outcome_inside(python, page_runner.__file__, given, limits)
    return _block_runs(blocks, outcome)


def _given(block: Example) -> dict[str, Any]:
    return {
        "page": block.path.name,
        "line": block.line,
        "source": block.source,
        "mark": block.mark,
        "run": block.language == "python",
    }


def _block_runs(blocks: Sequence[Example], outcome: Outcome) -> dict[Example, BlockRun]:
    """What came of each block; where the page ended before its time, the block that ended it says why."""
    try:
        found = list(map(_Found.model_validate, outcome.answer or ()))
    except (TypeError, ValidationError):
        found = []
    if len(found) == len(blocks):
        pairs = zip(blocks, found, strict=True)
        return {block: _block_run(block, one, outcome.reason) for block, one in pairs}
    reason = outcome.reason or "gave an answer that was tampered with"
    first = next(block for block in blocks if block.language == "python")
    tail = outcome.output_tail.strip().splitlines()[-1:]
    return {first: BlockRun(fault="; it last printed: ".join([f"example failed: its page {reason}", *tail]))}


def _block_run(block: Example, found: _Found, reason: str) -> BlockRun:
    if found.outcome == "skipped":
        passed_over = "needs a GPU" if block.mark == Mark.GPU else "a block above it did not run"
        return BlockRun(passed_over=passed_over if block.language == "python" else "", types=found.types)
    if found.outcome == "failed":
        message = reason if reason and found.message == UNFINISHED else found.message
        return BlockRun(fault=f"example failed: {message}", at=max(0, found.line - block.line))
    wrong = mismatch(block.expected, found.model_dump()) if block.expected is not None else None
    if wrong:
        return BlockRun(fault=f"example failed: it {wrong}")
    return BlockRun(ran=True, seconds=found.seconds, device=found.device)
