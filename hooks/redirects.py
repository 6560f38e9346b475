"""Old and short addresses, each one hop from the page."""

from __future__ import annotations

import re

from hooks import addresses
from hooks.site_content import SiteContent


class UnusedAlias(ValueError):
    """A redirect leads to a heading that the page does not have."""


def redirect_maps(content: SiteContent, pages: dict[str, str]) -> dict[str, str]:
    """From the Markdown path of an old address to that of its page.

    `pages` has the path of every page by its address. Short addresses `/s/vllm/` and the plan's aliases are
    made here; the rest stands in `docs/redirects.yml`.
    """
    maps: dict[str, str] = {}
    for skill in content.tree.skills:
        page = pages[addresses.skill(skill.name)]
        plan = content.tree.roadmap.plan(skill.name) if content.tree.roadmap else None
        for name in (skill.name, *(plan.aliases if plan else ())):
            maps[f"s/{name}.md"] = page
            if name != skill.name:
                maps[f"skills/{name}.md"] = page
    for old, new in content.tree.redirects.items():
        if "#" not in old:
            maps[addresses.page_path(old.strip("/") + "/")] = pages[new.lstrip("/")]
    return maps


def with_aliases(html: str, address: str, redirects: dict[str, str]) -> str:
    """The page at `address` with an empty anchor before every heading that had another id once.

    Raises:
        UnusedAlias: The new heading does not exist.
    """
    for old, new in redirects.items():
        page, mark, alias = old.partition("#")
        if not mark or page != f"/{address}":
            continue
        heading = new.partition("#")[2]
        html, count = re.subn(
            rf'(<[a-z0-9]+ [^>]*id="{re.escape(heading)}")', rf'<a id="{alias}"></a>\1', html, count=1
        )
        if not count:
            raise UnusedAlias(f"docs/redirects.yml: {old} leads to {new} → no heading there has that id")
    return html
