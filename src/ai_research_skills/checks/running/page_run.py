"""Running the Python of a page as the program that it is, and taking what came of each block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.example import Example, Mark
from ai_research_skills.catalog.skill import Page
from ai_research_skills.checks.running import page_runner
from ai_research_skills.checks.running.expected_output import difference
from ai_research_skills.checks.running.isolated import Limits, run_sandboxed

PAGE_TIMEOUT = 600
"""Seconds for all blocks of a page."""


@dataclass(frozen=True)
class BlockRun:
    """What came of one block.

    Attributes:
        ran: Whether it did what its mark says, and printed what the page says.
        fault: Why not, if it was to be run and did something else.
        passed_over: Why it was not run.
        types: `module:class` of each name's value before the block, if it was passed over.
    """

    ran: bool = False
    seconds: float = 0.0
    fault: str = ""
    passed_over: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
