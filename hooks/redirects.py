"""Old and short addresses, each one hop from the page."""

from __future__ import annotations

from hooks.site_content import SiteContent


def redirect_maps(content: SiteContent) -> dict[str, str]:
    """From the Markdown path of an address to that of the page: `/s/vllm/`, and every alias of the plan."""
    maps: dict[str, str] = {}
    for skill in content.tree.skills:
        page = f"skills/{skill.name}/index.md"
        maps[f"s/{skill.name}.md"] = page
        plan = content.tree.roadmap.plan(skill.name) if content.tree.roadmap else None
        for alias in plan.aliases if plan else ():
            maps[f"skills/{alias}.md"] = page
            maps[f"s/{alias}.md"] = page
    return maps
