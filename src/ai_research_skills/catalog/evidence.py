"""What was found about the examples of a skill, read from `docs/evidence/skills/`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.catalog.source import read_source

FOLDER = Path("docs/evidence/skills")

RULES = 2
"""Version of the rules by which examples are checked. Raise it when a check finds more or less than it did:
every record made by other rules is stale."""


class Level(IntEnum):
    """How much was found true of an example; the ladder of the project."""

    STATED = 0
    PARSED = 1
    RESOLVED = 2
    EXECUTED = 3
    EXECUTED_ON_GPU = 4

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", " ").replace("gpu", "GPU")


class Fault(BaseModel):
    """One thing that is wrong with an example.

    Attributes:
        at: Its line, counted from the opening fence.
        mend: What to write instead, where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: int
    text: str
    mend: str = ""


class Finding(BaseModel):
    """The level that one example reached.

    Attributes:
        page: The page, relative to the skill's folder.
        line: Line of the opening fence when the record was written; it proves nothing.
        sha256: Hash of the example.
        context: Hash of everything above it on its page that its evidence builds on.
        checked: The day on which this level was found.
        by: Who found it, such as `ast`, `ty`, `packages` or `run`; `SkillEvidence.engines` has their versions.
        seconds: How long it ran.
        device: What it ran on, if that was a GPU.
        tried: The highest level that was tried.
        why: What keeps it from a higher level.
        faults: What is wrong with it; an example with a fault breaks every check until it is mended.
        waived: Uses that nobody could verify and that a waiver passes, each with its reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    page: str
    line: int
    sha256: str
    context: str
    level: Level
    checked: dt.date
    by: tuple[str, ...] = ()
    seconds: float | None = None
    device: str = ""
    tried: Level = Level.EXECUTED
    why: str = ""
    faults: tuple[Fault, ...] = ()
    waived: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """All that is wrong with it, in one line."""
        return "; ".join(fault.text for fault in self.faults)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.page, self.context, self.sha256


class SkillEvidence(BaseModel):
    """One record: every example of one skill, checked against one set of releases.

    Attributes:
        rules: The version of `RULES` that it was checked by.
        pins: The releases that the skill names.
        lock: The releases that the pins resolve to, dependencies included, as `name==version`.
        python: Version of Python that the examples were held against.
        absent: Pins that have no wheel for this machine, and so are read but not installed.
        engines: Version of each checker that `Finding.by` names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    skill: str
    rules: int
    pins: tuple[str, ...]
    python: str
    platform: str
    absent: tuple[str, ...] = ()
    engines: dict[str, str] = {}
    findings: tuple[Finding, ...]
    lock: tuple[str, ...] = ()

    @property
    def checked(self) -> dt.date | None:
        """The day of the newest finding."""
        return max((finding.checked for finding in self.findings), default=None)


def evidence_path(name: str) -> Path:
    """Where the record of the skill `name` lies, relative to the root."""
    return FOLDER / f"{name}.json"


def load_evidence(root: Path) -> tuple[dict[str, SkillEvidence], tuple[Problem, ...]]:
    """Read every record below `root`, by skill."""
    records: dict[str, SkillEvidence] = {}
    problems: list[Problem] = []
    for path in sorted((root / FOLDER).glob("*.json")):
        source = read_source(root, path)
        problems += source.problems
        try:
            record = SkillEvidence.model_validate_json(source.text)
        except ValidationError as error:
            mend = f"run `ai-skills check {path.stem} --all`"
            problems.append(
                Problem(source.path, 0, f"is no evidence record: {error.errors()[0]['msg']}", mend)
            )
            continue
        if record.skill != path.stem:
            mend = f"remove it, or run `ai-skills check {path.stem} --all`"
            problems.append(Problem(source.path, 0, f"is a record of {record.skill!r}", mend))
            continue
        records[record.skill] = record
    return records, tuple(problems)


def fresh_findings(skill: Skill, record: SkillEvidence | None) -> Mapping[Example, Finding]:
    """For every example of `skill` of which the record still holds, what it says.

    A record made by other rules or against other pins is stale as a whole; a finding whose example changed, or
    anything above it on its page, is stale by itself.
    """
    if record is None or record.rules != RULES or record.pins != tuple(map(str, skill.metadata.packages)):
        return {}
    kept = {finding.key: finding for finding in record.findings}
    wanted = skill.metadata.python
    if wanted and not f"{record.python}.".startswith(f"{wanted}."):
        return {}
    keys = {
        example: (page_key(skill, example), context, example.sha256)
        for example, context in checked_examples(skill)
    }
    return {example: kept[key] for example, key in keys.items() if key in kept}


def example_levels(skill: Skill, record: SkillEvidence | None) -> tuple[tuple[Example, Level], ...]:
    """Every example of `skill` with its level; one without a fresh finding is at level 0."""
    fresh = fresh_findings(skill, record)
    return tuple(
        (example, fresh[example].level if example in fresh else Level.STATED)
        for example, _ in checked_examples(skill)
    )


def checked_examples(skill: Skill) -> Iterator[tuple[Example, str]]:
    """Every block of `skill` that counts as an example, with its context as `Finding.context` has it."""
    for page in skill.pages:
        yield from page_contexts(page_examples(page))


def page_contexts(examples: Iterable[Example]) -> Iterator[tuple[Example, str]]:
    """Each example among the blocks of one page, with the hash of the examples above it."""
    context = ""
    for example in examples:
        if not example.is_output:
            yield example, context
            context = hashlib.sha256(f"{context}\0{example.sha256}".encode()).hexdigest()[:16]


RESOLVABLE = frozenset({"python", "bash", "sh"})
"""Languages whose examples name things of a release. A diff or a YAML file says no more than that it parses."""


def required_level(example: Example) -> Level:
    """The level that an example of a gold skill must reach: the highest that holds without running anything."""
    return Level.RESOLVED if example.language in RESOLVABLE else Level.PARSED


def page_key(skill: Skill, example: Example) -> str:
    """The page of an example as records name it, relative to the skill's folder."""
    return example.path.relative_to(skill.folder).as_posix()
