"""The 36-week learning path as a page: every item with its permanent id, resources, skills and notebooks."""

from __future__ import annotations

from ai_research_skills.catalog.learning_path import LearningPath
from hooks import addresses
from hooks.site_content import SiteContent
from hooks.staged import Staged, page
from hooks.templating import fragment


def learning_path_page(content: SiteContent, path: LearningPath) -> Staged:
    """Stage the path: one heading a phase, one a block, so that both can be linked."""
    here = addresses.LEARNING_PATH
    shared = {
        "path": path,
        "skills": content.tree.by_name,
        "plan": content.tree.roadmap.plan if content.tree.roadmap else lambda name: None,
        "notebooks": {notebook.address: notebook for notebook in content.tree.notebooks},
    }
    parts = [f"# {path.title}", str(fragment("path_lead.html", here, **shared))]
    for phase in path.phases:
        parts.append(f"## Phase {phase.number}: {phase.title} {{ #{phase.id} }}")
        parts.append(str(fragment("path_phase.html", here, phase=phase, **shared)))
        for block in path.blocks_of(phase):
            parts.append(f"### Week {block.weeks}: {block.title} {{ #{block.id} }}")
            parts.append(str(fragment("path_block.html", here, block=block, **shared)))
        parts.append(f"### {phase.checkpoint.title} {{ #{phase.id}-checkpoint }}")
        parts.append(str(fragment("path_items.html", here, items=phase.checkpoint.items, **shared)))
    parts += ["## Projects { #projects }", str(fragment("path_projects.html", here, **shared))]
    parts += ["## Weekly rhythm { #rhythm }", str(fragment("path_rhythm.html", here, **shared))]
    meta = {
        "title": path.title,
        "description": f"{path.item_count} items over {path.weeks} weeks, from backpropagation to a capstone, "
        "each with checked sources.",
        "hide": ["navigation"],
        "facets": {"kind": ["roadmap"]},
    }
    return page(addresses.page_path(here), meta, "\n\n".join(parts))
