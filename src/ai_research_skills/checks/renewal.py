"""Which pages of a skill are due to be checked, and how what was found joins the record: nothing fresh is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ai_research_skills.catalog.evidence import (
    Finding,
    Level,
    SkillEvidence,
    checked_examples,
    fresh_findings,
)
from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.waivers import Waiver


def due_pages(
    skill: Skill, record: SkillEvidence | None, level: Level, waivers: Sequence[Waiver] = ()
) -> tuple[Page, ...]:
    """The pages with an example that is stale, of which nobody tried to reach `level`, or that `waivers` concern anew.

    A page is a program, so one stale example makes all of it due.
    """
    fresh = fresh_findings(skill, record)
    own = [waiver for waiver in waivers if waiver.skill == skill.name]
    return tuple(
        page
        for page in skill.pages
        if any(
            example not in fresh or fresh[example].tried < level or _is_waived_anew(fresh[example], own)
            for example in page_examples(page)
            if not example.is_output
        )
    )


def _is_waived_anew(finding: Finding, waivers: Sequence[Waiver]) -> bool:
    """Whether a waiver passes what the finding left open, or none passes any more what one passed."""
    here = [waiver for waiver in waivers if waiver.page in {"", finding.page}]
    is_new = any(f"`{waiver.use}`:" in finding.why for waiver in here)
    return is_new or not {waiver.note for waiver in here}.issuperset(finding.waived)


def merged(
    skill: Skill, record: SkillEvidence | None, found: Mapping[Example, Finding]
) -> tuple[Finding, ...]:
    """The findings of `skill` in the order of its examples: what was `found` now, else what is still fresh.

    Evidence that says the same as a fresh finding leaves it as it is, with its day, so that a record changes only
    where knowledge did. So does evidence that did not try as much.
    """
    fresh = fresh_findings(skill, record)
    return tuple(
        finding
        for example, _ in checked_examples(skill)
        if (finding := _newer(example, fresh.get(example), found.get(example))) is not None
    )


def _newer(example: Example, old: Finding | None, new: Finding | None) -> Finding | None:
    if old is None or new is None:
        return new or (old and old.model_copy(update={"line": example.line}))
    is_the_same = _claim(old) == _claim(new) and old.tried == new.tried
    if is_the_same or (new.tried < old.tried and not new.faults):
        return old.model_copy(update={"line": example.line})
    return new


def differences(
    skill: Skill, record: SkillEvidence | None, found: Mapping[Example, Finding]
) -> Iterator[Problem]:
    """What the record of `skill` claims about examples that were checked again, and what was `found` instead."""
    fresh = fresh_findings(skill, record)
    mend = f"run `ai-skills check {skill.name} --all`; if it differs again, the example is not deterministic"
    for example, new in found.items():
        old = fresh.get(example)
        if old is None:
            yield Problem(
                example.path, example.line, "has no fresh evidence", f"run `ai-skills check {skill.name}`"
            )
        elif (old.level, old.fault) != (new.level, new.fault) and new.tried >= old.tried:
            claims = f"the record says {old.level.label}{_because(old)}, a new check {new.level.label}{_because(new)}"
            yield Problem(example.path, example.line, claims, mend)


def recorded_faults(skill: Skill, record: SkillEvidence | None) -> Iterator[Problem]:
    """The faults that the fresh part of the record holds."""
    for example, finding in fresh_findings(skill, record).items():
        for fault in finding.faults:
            mend = f"{fault.mend or 'correct it'}, then `ai-skills check {skill.name}`"
            yield Problem(example.path, example.line + fault.at, fault.text, mend)


def _claim(finding: Finding) -> tuple[object, ...]:
    return finding.level, finding.by, finding.device, finding.why, finding.faults, finding.waived


def _because(finding: Finding) -> str:
    said = finding.fault or finding.why
    return f" ({said})" if said else ""
