"""`outdated`: what moved since the skills were pinned."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ai_research_skills.cache import cache_folder
from ai_research_skills.catalog.drift_record import DRIFT_FILE, DriftRecord, load_drift
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.drift.audit import audit_by_pip_audit, vulnerabilities
from ai_research_skills.checks.drift.held_examples import Resolver
from ai_research_skills.checks.drift.issues import counted, issue, plain
from ai_research_skills.checks.drift.memory import Memory
from ai_research_skills.checks.drift.newer_releases import newest_together
from ai_research_skills.checks.drift.recording import is_known, renewed, write_record
from ai_research_skills.checks.drift.registry import Registry, fetched, newest_by_uv
from ai_research_skills.checks.drift.skill_drift import (
    SkillDrift,
    Sources,
    names_to_ask,
    python_of,
    skill_drift,
)
from ai_research_skills.checks.drift.static_resolver import resolved_statically
from ai_research_skills.checks.releases.uv_command import find_uv
from ai_research_skills.checks.whole_file import write_whole
from ai_research_skills.cli.output import json_option, root_option, say, say_json, working

_OFFLINE = "UV_OFFLINE"


@click.command()
@click.argument("names", nargs=-1)
@click.option("--offline", is_flag=True, help="Ask nobody; use the answers that are kept.")
@click.option(
    "--issues",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write FILE: one issue a skill, as JSON for a tracker.",
)
@click.option("--write", is_flag=True, help=f"Also keep what is found in {DRIFT_FILE}, for the site to show.")
@root_option
@json_option
def outdated(
    names: tuple[str, ...], offline: bool, issues: Path | None, write: bool, root: Path, as_json: bool
) -> None:
    """Ask the registry for newer releases, and hold every example against them as well."""
    skills = {skill.name: skill for skill in load_skills(root).skills}
    unknown = sorted(set(names) - set(skills))
    if unknown:
        raise click.UsageError(f"no skill is named {', '.join(unknown)} → `ai-skills list` names them all")
    asked = [skills[name] for name in dict.fromkeys(names or sorted(skills))]
    record = _record(root) if write else None
    with _uv_asks_nobody() if offline else nullcontext():
        survey = _survey(asked, offline=offline)
    found, word = survey.found, survey.word
    if issues:
        texts = [issue(drift, word) for drift in found]
        write_whole(issues, json.dumps(texts, indent=1, ensure_ascii=False) + "\n")
    if as_json:
        say_json({"answers": word, "skills": [drift.as_json() for drift in found]})
    else:
        _show(found, word)
    if write:
        _write(root, record, survey, skills)
    sys.exit(1 if any(drift.is_outdated for drift in found) else 0)


@contextmanager
def _uv_asks_nobody() -> Iterator[None]:
    """Whatever else here calls uv reads uv's cache alone meanwhile."""
    before = os.environ.get(_OFFLINE)
    os.environ[_OFFLINE] = "1"
    try:
        yield
    finally:
        os.environ.pop(_OFFLINE)
        if before is not None:
            os.environ[_OFFLINE] = before


@dataclass(frozen=True)
class _Survey:
    """What was found about each skill.

    Attributes:
        word: How old the answers are, for a reader.
        day: The day of the oldest.
    """

    found: tuple[SkillDrift, ...]
    word: str
    day: dt.date


def _survey(skills: Sequence[Skill], *, offline: bool) -> _Survey:
    uv = find_uv()
    if uv is None:
        raise click.ClickException("uv is not installed → `python -m pip install uv`")
    folder, today = cache_folder() / "registry", dt.datetime.now(dt.UTC).date()
    registry = Registry(Memory("the registry", folder, today, offline), partial(newest_by_uv, uv), fetched)
    audits = Memory("the database of vulnerabilities", folder, today, offline)
    names = [one for skill in skills for one in names_to_ask(skill)]
    with working(f"asking the registry about {len(set(names))} distributions"):
        registry.look_up(names)
    pins = [
        (pin, registry.distribution(pin.distribution, python_of(skill)))
        for skill in skills
        for pin in skill.metadata.packages
    ]
    with working(f"asking for known vulnerabilities of {len({pin for pin, _ in pins})} releases"):
        known = vulnerabilities(pins, registry, audits, partial(audit_by_pip_audit, uv))
    sources = Sources(registry, newest_together, resolver(), known)
    found = []
    for number, skill in enumerate(skills, start=1):
        with working(f"{number} of {len(skills)}, {skill.name}: holding its examples against newer releases"):
            found.append(skill_drift(skill, sources))
    words = [registry.memory.word(), audits.word() if audits.days else ""]
    return _Survey(
        found=tuple(found),
        word="; ".join(dict.fromkeys(filter(None, words))),
        day=min((*registry.memory.days, *audits.days), default=today),
    )


def _record(root: Path) -> DriftRecord | None:
    """The record as it is. One that cannot be read is not written over: it holds other skills too."""
    record, problems = load_drift(root)
    if problems:
        raise click.ClickException("\n".join(map(str, problems)))
    return record


def _write(root: Path, record: DriftRecord | None, survey: _Survey, skills: Collection[str]) -> None:
    if not any(map(is_known, survey.found)):
        why = f"nothing is known of any pin ({survey.word})" if survey.word else "nothing is known of any pin"
        raise click.ClickException(
            f"{DRIFT_FILE} was not written: {why} → ask again with the registry in reach"
        )
    write_record(root, renewed(record, survey.found, survey.day, skills))


def resolver() -> Resolver:
    """How examples are held against other pins than their own. To exchange it, return another `Resolver` here."""
    return lambda skill, pins: resolved_statically(skill, pins, python_of(skill))


def _show(found: Sequence[SkillDrift], word: str) -> None:
    if word:
        say(word)
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    for drift in found:
        console.print(Text(f"\n{plain(drift.skill.name)}: {_verdict(drift)}", style="bold"))
        if drift.rows:
            console.print(_table(drift))
        for line in _lines(drift):
            console.print(Text(line), soft_wrap=True)
    _show_unknown(found, lambda line: console.print(Text(line), soft_wrap=True))


def _verdict(drift: SkillDrift) -> str:
    if drift.is_repinnable:
        return "can be pinned anew as it stands"
    if drift.count_broken:
        return f"{counted(drift.count_broken, 'use')} would break"
    if drift.count_doubtful:
        return f"{counted(drift.count_doubtful, 'use')} may break"
    if drift.moves:
        return f"has newer releases; its examples were not held against them: {plain(drift.unheld)}"
    return "as new as its pins can be together" if drift.rows else "pins nothing"


def _table(drift: SkillDrift) -> Table:
    table = Table("pin", "newest", "released", "days behind", "step", "could be", box=None, pad_edge=False)
    for one in drift.rows:
        could = plain(one.together) if one.is_outdated else ("held back" if one.is_held_back else "")
        cells = (
            one.pin,
            one.newest or "unknown",
            one.released or "",
            "" if one.behind is None else one.behind,
        )
        table.add_row(*(Text(plain(cell)) for cell in (*cells, one.step.value, could)))
    return table


def _lines(drift: SkillDrift) -> list[str]:
    breaks = [
        f"  {'breaks' if one.is_certain else 'may break'}: {plain(Problem(one.path, one.line, one.message, ', '.join(one.moves)))}"
        for one in drift.breaks
    ]
    changes = [
        f"  changed: {plain(one.sentence)} ({', '.join(f'{path.as_posix()}:{line}' for path, line in one.places)})"
        for one in drift.changes.found
    ]
    late = [f"  not compared, time was up: {', '.join(drift.changes.late)}"] if drift.changes.late else []
    concerns = [
        f"  {'look at' if one.is_doubt else 'mend'}: "
        f"{plain(Problem(one.path, one.line, f'{one.distribution}: {one.text}', one.mend))}"
        for one in drift.concerns
    ]
    return [*breaks, *changes, *late, *concerns]


def _show_unknown(found: Sequence[SkillDrift], show: Callable[[str], None]) -> None:
    """What nobody answered, each question once: a silent index leaves the same open for many skills."""
    questions: dict[str, dict[str, None]] = {}
    for one in (unknown for drift in found for unknown in drift.unknown):
        questions.setdefault(one.question, {}).update(dict.fromkeys(one.names))
    if questions:
        show("\nunknown")
    for question, names in questions.items():
        show(f"  {plain(question)} ({plain(', '.join(names), 1000)})")
