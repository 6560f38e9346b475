"""The dashboards: what is written, proven and fresh, counted from the tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from ai_research_skills.catalog.library_roadmap import LibraryRoadmap
from ai_research_skills.coverage import counts
from ai_research_skills.coverage.counts import Coverage
from hooks import addresses
from hooks.charts import Bar, bar_chart
from hooks.dashboard import Dashboard, Number, list_board
from hooks.evidence_boards import attention, evidence_boards
from hooks.library_page import phase_id
from hooks.site_content import SiteContent
from hooks.skill_pages import category_title, section_title
from hooks.staged import Staged, page
from hooks.templating import fragment


def coverage_page(content: SiteContent) -> Staged:
    """Stage the page of dashboards."""
    roadmap = content.tree.roadmap
    boards = [*(_plan_boards(content, roadmap) if roadmap else ()), *_proof_boards(content)]
    declared = _declared(content, roadmap) if roadmap else None
    parts = ["# Coverage", str(fragment("coverage_lead.html", addresses.COVERAGE, content=content))]
    for board in boards:
        parts.append(f"## {board.title} {{ #{board.id} }}")
        parts.append(str(fragment("dashboard.html", addresses.COVERAGE, board=board)))
    if declared:
        parts += ["## Declared and computed { #targets }", declared]
    parts += ["## What asks for attention { #attention }", attention(content)]
    parts += ["## Examples by skill { #examples }", _examples(content)]
    meta = {
        "title": "Coverage",
        "description": "What the library covers and what is proven, counted from the repository.",
        "hide": ["navigation"],
        "facets": {"kind": ["coverage"]},
    }
    return page(addresses.page_path(addresses.COVERAGE), meta, "\n\n".join(parts))


def listed(**facets: str) -> str:
    """Address of the index of skills, filtered."""
    return f"{addresses.SKILLS}?{urlencode(facets)}"


def _plan_boards(content: SiteContent, roadmap: LibraryRoadmap) -> Iterable[Dashboard]:
    skills = content.tree.skills
    yield _coverage_board(
        "categories",
        "By category",
        "Skills written of those that the plan names for each folder of the library.",
        counts.by_category(roadmap, skills),
        {c.id: {"category": category_title(content, c.id)} for c in roadmap.categories},
    )
    yield _coverage_board(
        "sections",
        "By section",
        "The sections of the research questionnaire. A skill counts in every section that it serves.",
        counts.by_section(roadmap, skills),
        {s.id: {"section": section_title(content, s.id)} for s in roadmap.sections},
    )
    phases = counts.by_phase(roadmap, "002", skills)
    yield Dashboard(
        "phases",
        "By phase",
        "The phases of the roadmap document. The other documents' phases are on the plan's page.",
        bar_chart("Skills written by phase", [_bar(coverage) for _, coverage in phases]),
        ("Phase", "Written", "Planned"),
        tuple(
            (
                Number(f"{phase.number}. {phase.title}", f"{addresses.LIBRARY}#{phase_id(phase)}"),
                Number(str(len(coverage.written)), f"{addresses.LIBRARY}#{phase_id(phase)}"),
                Number(str(coverage.total), f"{addresses.LIBRARY}#{phase_id(phase)}"),
            )
            for phase, coverage in phases
        ),
    )
    lifecycle = counts.by_lifecycle(roadmap)
    yield list_board(
        "lifecycle",
        "By lifecycle",
        "Whether the tool that a planned skill teaches is still the one to use.",
        {
            state.value: (len(names), f"{addresses.LIBRARY}#{state.value}")
            for state, names in lifecycle.items()
        },
    )


def _proof_boards(content: SiteContent) -> Iterable[Dashboard]:
    standings = content.standings.values()
    yield list_board(
        "tiers",
        "By tier",
        "Computed from the rules of the quality guide, never typed.",
        {
            tier.value: (len(names), listed(tier=tier.value))
            for tier, names in counts.by_tier(standings).items()
        },
    )
    yield list_board(
        "evidence",
        "By evidence",
        "Code examples by the highest level that was found true of them. The levels are on the quality page.",
        {
            f"{level.value} {level.label}": (sum(found.values()), f"{addresses.COVERAGE}#examples")
            for level, found in counts.by_level(standings).items()
        },
    )
    yield from evidence_boards(content)
    yield list_board(
        "freshness",
        "By freshness",
        "Written skills by their last review, counted back from the day of the commit.",
        {
            label: (len(names), f"{addresses.COVERAGE}#examples")
            for label, names in counts.by_freshness(content.tree.skills, content.as_of).items()
        },
    )


def _coverage_board(
    id_: str,
    title: str,
    intro: str,
    rows: Sequence[Coverage],
    facets: Mapping[str, Mapping[str, str]],
) -> Dashboard:
    return Dashboard(
        id_,
        title,
        intro,
        bar_chart(f"Skills written, {title.lower()}", [_bar(row) for row in rows]),
        (title.removeprefix("By ").capitalize(), "Written", "Planned", "Share"),
        tuple(
            (
                Number(row.title, listed(**facets[row.id]) if row.total else ""),
                Number(
                    str(len(row.written)), listed(**facets[row.id], status="written") if row.written else ""
                ),
                Number(str(row.total), listed(**facets[row.id]) if row.total else ""),
                Number(f"{row.share:.0%}"),
            )
            for row in rows
        ),
    )


def _bar(row: Coverage) -> Bar:
    return Bar(row.title, len(row.written), row.total, f"{len(row.written)} of {row.total}")


def _declared(content: SiteContent, roadmap: LibraryRoadmap) -> str:
    standings = list(content.standings.values())
    goals = [*roadmap.targets, *roadmap.success_metrics]
    rows = [(goal, counts.measured(goal, roadmap, standings)) for goal in goals]
    titles = {document.id: document.title for document in roadmap.documents}
    html = fragment(
        "declared.html",
        addresses.COVERAGE,
        targets=[(goal, value) for goal, value in rows if goal in roadmap.targets],
        metrics=[(goal, value) for goal, value in rows if goal not in roadmap.targets],
        titles=titles,
        contradictions=roadmap.contradictions,
        figures=counts.figures(roadmap, standings),
    )
    return str(html)


def _examples(content: SiteContent) -> str:
    return str(
        fragment(
            "examples.html",
            addresses.COVERAGE,
            standings=content.standings.values(),
            recorded=content.tree.evidence,
        )
    )
