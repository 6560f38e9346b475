"""The dashboards of evidence: by category, over time, by age, the slowest, drift, and what asks for attention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from ai_research_skills.catalog.drift_record import DriftEntry, DriftRecord, Step
from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.coverage import counts
from ai_research_skills.coverage.unproven import unproven
from hooks import addresses
from hooks.charts import Bar, bar_chart, level_columns, level_key, level_rows
from hooks.dashboard import Dashboard, Number, list_board
from hooks.proofs import example_addresses
from hooks.site_content import SiteContent
from hooks.skill_pages import PANEL, category_title
from hooks.templating import fragment, spoken_duration

SLOWEST = 10
LONGEST_LIST = 100
"""Rows of what asks for attention; the records have the rest."""


def evidence_boards(content: SiteContent) -> Iterator[Dashboard]:
    """The boards of evidence, in their order on the page."""
    yield _by_category(content)
    if content.history.days:
        yield _over_time(content)
    yield list_board(
        "evidence-age",
        "By age of the evidence",
        "Examples by the day on which their level was found, counted back from the day of the commit.",
        {
            label: (
                count,
                f"{addresses.COVERAGE}#{'attention' if label == counts.NO_EVIDENCE else 'examples'}",
            )
            for label, count in counts.by_evidence_age(content.standings.values(), content.as_of).items()
        },
    )
    slow = _slowest(content)
    if slow.rows:
        yield slow
    if content.tree.drift:
        yield _drift(content, content.tree.drift)


def attention(content: SiteContent) -> str:
    """What does not hold, is stale, falls short or is vouched for, and the waivers themselves."""
    found = unproven(content.standings.values())
    places = {
        example: address
        for standing in content.standings.values()
        for example, address in example_addresses(standing).items()
    }
    html = fragment(
        "attention.html",
        addresses.COVERAGE,
        found=found[:LONGEST_LIST],
        total=len(found),
        places=places,
        waivers=content.tree.waivers,
        as_of=content.as_of,
    )
    return str(html)


def _by_category(content: SiteContent) -> Dashboard:
    found = counts.levels_by_category(content.standings.values())
    titles = {category: category_title(content, category) for category in found}
    return Dashboard(
        "levels",
        "Levels by category",
        "The examples of each category that has a skill, divided by level.",
        level_key()
        + level_rows(
            "Levels by category", [(titles[category], levels) for category, levels in found.items()]
        ),
        ("Category", *_labels(), "Examples"),
        tuple(
            (
                Number(
                    titles[category],
                    f"{addresses.SKILLS}?{urlencode({'category': titles[category], 'status': 'written'})}",
                ),
                *_cells(levels),
            )
            for category, levels in found.items()
        ),
    )


def _over_time(content: SiteContent) -> Dashboard:
    history = content.history
    since = "" if history.is_whole else f" The history is known here since {history.days[0].date}."
    return Dashboard(
        "over-time",
        "Over time",
        f"Examples by level at the end of each day on which records changed, read from git.{since}",
        level_key() + level_columns("Over time", [(str(day.date), day.levels) for day in history.days]),
        ("Day", *_labels(), "Examples"),
        tuple((Number(str(day.date)), *_cells(day.levels)) for day in reversed(history.days)),
    )


def _slowest(content: SiteContent) -> Dashboard:
    found = counts.slowest(content.standings.values(), SLOWEST)
    return Dashboard(
        "slowest",
        "Slowest examples",
        "Those that took longest when they were run; the table leads to each.",
        bar_chart(
            "Slowest examples",
            [
                Bar(f"{rank}. {standing.skill.title}", seconds, seconds, spoken_duration(seconds))
                for rank, (standing, _, seconds) in enumerate(found, start=1)
            ],
        ),
        ("Example", "Time"),
        tuple(
            (
                Number(f"{standing.skill.title}: {example.heading}", example_addresses(standing)[example]),
                Number(spoken_duration(seconds)),
            )
            for standing, example, seconds in found
        ),
    )


def _drift(content: SiteContent, record: DriftRecord) -> Dashboard:
    skills = [skill for skill in content.tree.skills if skill.metadata.packages]
    asked = [(skill, entry) for skill in skills if (entry := record.fresh(skill))]
    return Dashboard(
        "drift",
        "Drift",
        "How many pins of each skill have a newer release. The table says how many uses in its examples would "
        "break if the pins were raised as far as they go together; nothing was run to find out.",
        bar_chart("Pins with a newer release", [_drift_bar(skill, entry) for skill, entry in asked]),
        ("Skill", "Newer", "Would break", "Can be raised as it stands", "Known concerns", "Asked"),
        tuple(_drift_row(skill, record) for skill in skills),
    )


def _drift_bar(skill: Skill, entry: DriftEntry) -> Bar:
    newer, total = entry.steps.total(), len(entry.pins)
    return Bar(skill.title, newer, total, f"{newer} of {total}")


def _drift_row(skill: Skill, record: DriftRecord) -> tuple[Number, ...]:
    panel = f"{addresses.skill(skill.name)}#{PANEL}"
    entry = record.skills.get(skill.name)
    if entry is None or not entry.is_of(skill):
        state = f"for other pins, {entry.asked}" if entry else "never"
        return (Number(skill.title, panel), *[Number("–")] * 4, Number(state))
    steps = ", ".join(f"{entry.steps[step]} {step}" for step in Step if entry.steps[step])
    return (
        Number(skill.title, panel),
        Number(steps or "0", panel if steps else ""),
        Number(_broken(entry), panel if entry.breaks else ""),
        Number(_raisable(entry)),
        Number(str(len(entry.concerns)), panel if entry.concerns else ""),
        Number(str(entry.asked)),
    )


def _broken(entry: DriftEntry) -> str:
    """How many uses would break; no figure where the examples were held against nothing."""
    if entry.repinnable is None:
        return "–"
    certain, perhaps = (entry.count_broken(for_certain=sure) for sure in (True, False))
    return f"{certain}, perhaps {perhaps} more" if perhaps else str(certain)


def _raisable(entry: DriftEntry) -> str:
    """Whether pins can be raised without touching an example, as far as anybody knows, and how many."""
    if count := sum(one.together is not None for one in entry.pins):
        answer = {True: "yes", False: "no", None: "not held"}[entry.repinnable]
        return f"{answer}, {count} pin{'s' * (count != 1)}"
    return "unknown" if any(one.newest is None for one in entry.pins) else "nothing to raise"


def _labels() -> tuple[str, ...]:
    return tuple(level.label.capitalize() for level in reversed(Level))


def _cells(levels: Mapping[Level, int]) -> tuple[Number, ...]:
    return (*(Number(str(levels[level])) for level in reversed(Level)), Number(str(sum(levels.values()))))
