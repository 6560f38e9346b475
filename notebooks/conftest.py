"""Guards around nbmake: sources are never written to, no notebook runs for ever, and proven ones are sampled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_research_skills.catalog.notebook import load_notebooks
from ai_research_skills.checks.notebook_run import NOTEBOOK_TIMEOUT
from ai_research_skills.checks.sample import commit_seed, sampled_notebooks

ROOT = Path(__file__).parent.parent
SAMPLE_SECONDS = 120.0
"""CPU seconds, as recorded, of the proven notebooks that are run again with every commit."""


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("overwrite"):
        raise pytest.UsageError(
            "--overwrite writes a failing run over its source → `ai-skills notebooks record` keeps outputs"
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out notebooks whose CPU record is fresh and that the sample skips, unless they were asked for."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    notebooks, _ = load_notebooks(ROOT)
    due = {
        ROOT / book.path
        for book in sampled_notebooks(notebooks, commit_seed(ROOT), cpu_seconds=SAMPLE_SECONDS)
    }
    proven = [item for item in items if hasattr(item, "nbmake") and item.path not in due]
    config.hook.pytest_deselected(items=proven)
    items[:] = [item for item in items if item not in proven]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    """Nbmake limits a cell; a notebook of many slow cells has to fail too."""
    report: pytest.TestReport = yield
    if hasattr(item, "nbmake") and call.when == "call" and call.duration > NOTEBOOK_TIMEOUT:
        report.outcome = "failed"
        report.longrepr = f"took {call.duration:.0f} s, more than the {NOTEBOOK_TIMEOUT} s of a notebook"
    return report
