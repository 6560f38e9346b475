"""Holding the examples of one skill against its pins: parsed and, where this machine can, executed."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ai_research_skills.catalog.evidence import (
    OUTPUT_LANGUAGES,
    Finding,
    Level,
    SkillEvidence,
    evidence_path,
    page_key,
)
from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.checks import page_runner
from ai_research_skills.checks.environment import Environment
from ai_research_skills.checks.parsing import DoesNotParse, parses

PAGE_TIMEOUT = 600
"""Seconds for all blocks of a page."""

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "WANDB_MODE": "disabled",
    "CUDA_VISIBLE_DEVICES": "",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
}
"""An example that needs the network does not run: what it fetched could be another thing tomorrow."""


@dataclass(frozen=True)
class Checked:
    """The evidence that was found, and what is wrong."""

    evidence: SkillEvidence
    problems: tuple[Problem, ...]


def check_skill(skill: Skill, environment: Environment | None, today: dt.date) -> Checked:
    """Parse every example of `skill`, and run its pages in `environment` if there is one."""
    findings: list[Finding] = []
    problems: list[Problem] = []
    for page in skill.pages:
        examples = [example for example in page_examples(page) if example.language not in OUTPUT_LANGUAGES]
        levels = {example.index: _parsed(example, problems) for example in examples}
        seconds: dict[int, float] = {}
        if environment:
            ran = _run_page(skill, page, examples, environment, problems)
            levels |= dict.fromkeys(ran, Level.EXECUTED)
            seconds = dict(ran)
        findings += [
            Finding(
                page=page_key(skill, example),
                line=example.line,
                sha256=example.sha256,
                level=levels[example.index],
                seconds=round(seconds[example.index], 2) if example.index in seconds else None,
            )
            for example in examples
        ]
    evidence = SkillEvidence(
        skill=skill.name,
        pins=tuple(map(str, skill.metadata.packages)),
        absent=tuple(map(str, environment.absent)) if environment else (),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}, CPU",
        checked=today,
        findings=tuple(findings),
    )
    return Checked(evidence, tuple(problems))


def write_evidence(root: Path, evidence: SkillEvidence) -> Path:
    """Write the record of one skill; returns its path relative to `root`."""
    path = evidence_path(evidence.skill)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    draft = (root / path).with_suffix(".partial")
    draft.write_text(evidence.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
    draft.replace(root / path)
    return path


def _parsed(example: Example, problems: list[Problem]) -> Level:
    try:
        return Level.PARSED if parses(example) else Level.STATED
    except DoesNotParse as error:
        problems.append(Problem(example.path, example.line, str(error), "correct the example"))
        return Level.STATED


def _run_page(
    skill: Skill, page: Page, examples: Sequence[Example], environment: Environment, problems: list[Problem]
) -> Mapping[int, float]:
    """Seconds of every block that did what its mark says, by the block's index."""
    blocks = [example for example in examples if example.language == "python"]
    if not blocks:
        return {}
    outcomes = _outcomes(page, blocks, environment)
    if outcomes is None:
        message = f"did not end within {PAGE_TIMEOUT} s, or ended the interpreter"
        problems.append(Problem(page.path, 0, message, "make the examples smaller"))
        return {}
    ran: dict[int, float] = {}
    for example, outcome in zip(blocks, outcomes, strict=True):
        if outcome["outcome"] in {"ran", "raised"}:
            ran[example.index] = outcome["seconds"]
        elif outcome["outcome"] == "failed":
            message = f"example failed: {outcome['message'].splitlines()[-1][:300]}"
            mend = "correct it, or mark it `gpu` or `fails`"
            problems.append(Problem(example.path, example.line, message, mend))
    return ran


def _outcomes(page: Page, blocks: Sequence[Example], environment: Environment) -> list[dict[str, Any]] | None:
    program = [
        {"page": page.path.name, "line": block.line, "source": block.source, "mark": block.mark}
        for block in blocks
    ]
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "blocks.json"), Path(folder, "outcomes.json")
        given.write_text(json.dumps(program), encoding="utf-8")
        work = Path(folder, "work")
        work.mkdir()
        command = [environment.python, Path(page_runner.__file__), given, found]
        try:
            subprocess.run(
                command,
                cwd=work,
                env={**os.environ, **OFFLINE},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PAGE_TIMEOUT,
                check=False,
            )
            outcomes: list[dict[str, Any]] = json.loads(found.read_text(encoding="utf-8"))
        except (subprocess.TimeoutExpired, FileNotFoundError):
            return None
        return outcomes
