"""The library's plan as a page: by phase of each document, by section, by category, with the state of the tree."""

from __future__ import annotations

from typing import get_args

from ai_research_skills.catalog.library_roadmap import DocumentNumber, LibraryRoadmap, PlanPhase
from ai_research_skills.catalog.skill import Lifecycle
from ai_research_skills.coverage import counts
from hooks import addresses
from hooks.catalogue_pages import claim_link
from hooks.site_content import SiteContent
from hooks.skill_pages import section_title
from hooks.staged import Staged, page
from hooks.templating import fragment


def library_page(content: SiteContent, roadmap: LibraryRoadmap) -> Staged:
    """Stage the plan."""
    here = addresses.LIBRARY
    skills = content.tree.skills
    shared = {
        "written": set(content.tree.by_name),
        "standings": content.standings,
        "roadmap": roadmap,
        "claim": lambda plan: claim_link(content, plan.name, plan.title),
        "section_title": lambda section: section_title(content, section),
        "phase_id": phase_id,
    }
    phases = [
        (roadmap.document(number), counts.by_phase(roadmap, number, skills))
        for number in get_args(DocumentNumber)
    ]
    parts = [
        "# Library plan",
        str(fragment("library_lead.html", here, content=content, **shared)),
        "## By phase { #phases }",
        str(fragment("library_phases.html", here, phases=phases, **shared)),
        "## By section { #sections }",
        str(fragment("library_sections.html", here, sections=roadmap.sections, **shared)),
        "## By category { #categories }",
        str(fragment("library_categories.html", here, **shared)),
        "## By lifecycle { #lifecycle }",
        str(fragment("library_lifecycle.html", here, states=tuple(Lifecycle), **shared)),
    ]
    meta = {
        "title": "Library plan",
        "description": "Which skills the library plans, in which phase and section, and which are written.",
        "hide": ["navigation"],
        "facets": {"kind": ["roadmap"]},
    }
    return page(addresses.page_path(here), meta, "\n\n".join(parts))


def phase_id(phase: PlanPhase) -> str:
    """Fragment of a phase on the plan's page: `roadmap-phase-14`."""
    return f"{phase.document}-phase-{phase.number}"
