"""What was found about each skill, kept for those who cannot ask: the site above all."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from ai_research_skills.catalog.drift_record import (
    DRIFT_FILE,
    DriftEntry,
    DriftRecord,
    RecordedBreak,
    RecordedPin,
)
from ai_research_skills.checks.drift.issues import plain
from ai_research_skills.checks.drift.newer_releases import Row
from ai_research_skills.checks.drift.skill_drift import SkillDrift
from ai_research_skills.checks.whole_file import write_whole


def renewed(
    record: DriftRecord | None, found: Sequence[SkillDrift], asked: dt.date, skills: Collection[str]
) -> DriftRecord:
    """`record` with what was `found` in answers of the day `asked`; it keeps the other `skills` of the tree.

    Where nobody told of any pin of a skill, what was known before is better.
    """
    before = record.skills if record else {}
    entries = {name: entry for name, entry in before.items() if name in skills}
    entries |= {drift.skill.name: drift_entry(drift, asked) for drift in found if is_known(drift)}
    return DriftRecord(skills=dict(sorted(entries.items())))


def is_known(drift: SkillDrift) -> bool:
    """Whether anybody told of a pin of the skill what its newest release is."""
    return any(one.newest is not None for one in drift.rows)


def drift_entry(drift: SkillDrift, asked: dt.date) -> DriftEntry:
    """What a reader of the record wants of `drift`. Doubts about a project are for its maintainer, and left out."""
    uses = Counter(_broken_uses(drift))
    texts = (f"{one.distribution}: {plain(one.text)}" for one in drift.concerns if not one.is_doubt)
    return DriftEntry(
        asked=asked,
        pins=tuple(map(_pin, drift.rows)),
        breaks=tuple(
            RecordedBreak(page=page, text=text, uses=count, is_certain=is_certain)
            for (page, text, is_certain), count in sorted(uses.items())
        ),
        repinnable=drift.is_repinnable if drift.held is not None else None,
        concerns=tuple(dict.fromkeys(texts)),
    )


def write_record(root: Path, record: DriftRecord) -> None:
    """Put the record in its place below `root`."""
    write_whole(root / DRIFT_FILE, record.model_dump_json(indent=1, exclude_defaults=True) + "\n")


def _pin(row: Row) -> RecordedPin:
    return RecordedPin(
        pin=str(row.pin),
        newest=row.newest,
        together=row.together if row.is_outdated else None,
        step=row.step,
        released=row.released,
    )


def _broken_uses(drift: SkillDrift) -> Iterator[tuple[str, str, bool]]:
    """The page, what breaks, and whether that is certain, for each use and for each change that may break one."""

    def page(path: Path) -> str:
        return path.relative_to(drift.skill.folder).as_posix()

    for one in drift.breaks:
        yield page(one.path), plain(one.message), one.is_certain
    for change in drift.untold_changes:
        yield page(change.places[0][0]), plain(change.sentence), False
