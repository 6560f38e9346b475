"""The index of skills with its facets, and a page for every category and tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.coverage.tier import Tier
from hooks import addresses
from hooks.site_content import SiteContent
from hooks.skill_pages import category_title, facets, section_title
from hooks.staged import Staged, page
from hooks.templating import fragment

FACETS = {
    "status": "Status",
    "category": "Category",
    "section": "Section",
    "tier": "Tier",
    "evidence": "Highest evidence",
    "proven": "Every example is",
    "hardware": "Hardware",
    "licence": "Licence of the tool",
    "lifecycle": "Lifecycle",
    "tag": "Tag",
}
LONG_FACETS = frozenset({"category", "section", "licence", "lifecycle", "tag"})


@dataclass(frozen=True)
class Card:
    """A skill in a list, written or only planned."""

    status: Literal["written", "planned"]
    title: str
    address: str
    category: str
    description: str
    facets: dict[str, list[str]]
    tier: Tier | None = None
    level: Level | None = None
    claim: str = ""


@dataclass(frozen=True)
class FacetValue:
    """One tick box: a value and how many cards have it."""

    value: str
    count: int


def cards(content: SiteContent) -> tuple[Card, ...]:
    """Every skill, written ones first, then those that the plan names and nobody has written."""
    return (*_written(content), *_planned(content))


def catalogue_pages(content: SiteContent) -> Iterator[Staged]:
    """Stage the index, the categories and the tags."""
    every = cards(content)
    yield _index(content, every)
    for folder in _categories(content):
        yield _category_page(content, folder, [card for card in every if card.category == folder])
    for tag, sentence in sorted(content.tree.tags.items()):
        tagged = [card for card in every if tag in card.facets.get("tag", [])]
        if tagged:
            yield _tag_page(tag, sentence, tagged)


def _written(content: SiteContent) -> Iterator[Card]:
    for skill in content.tree.skills:
        standing = content.standings[skill.name]
        yield Card(
            status="written",
            title=skill.title,
            address=addresses.skill(skill.name),
            category=skill.category,
            description=skill.description,
            facets={"status": ["written"], **facets(content, skill)},
            tier=standing.tier,
            level=standing.highest_level,
        )


def _planned(content: SiteContent) -> Iterator[Card]:
    roadmap = content.tree.roadmap
    for plan in roadmap.skills if roadmap else ():
        if plan.name in content.tree.by_name:
            continue
        yield Card(
            status="planned",
            title=plan.title,
            address=addresses.planned(plan.name),
            category=plan.category,
            description="",
            facets={
                "status": ["planned"],
                "category": [category_title(content, plan.category)],
                "section": [section_title(content, section) for section in plan.sections],
                "lifecycle": [plan.lifecycle.value],
            },
            claim=claim_link(content, plan.name, plan.title),
        )


def claim_link(content: SiteContent, name: str, title: str) -> str:
    """A form on the repository, filled in for the skill that somebody wants to write."""
    text = quote(f"Write the skill {name} ({title})")
    return f"{content.repository}/issues/new?template=skill-request.yml&title={text}&name={quote(name)}"


def _index(content: SiteContent, every: Sequence[Card]) -> Staged:
    html = fragment(
        "skills_index.html",
        addresses.SKILLS,
        cards=every,
        groups=_groups(every),
        long=LONG_FACETS,
        written=len(content.tree.skills),
    )
    meta = {
        "title": "Skills",
        "description": "Every skill of the library, with facets for category, tier, evidence and hardware.",
        "hide": ["navigation", "toc"],
        "scripts": ["javascripts/facets.js"],
        "facets": {"kind": ["index"]},
    }
    return page(f"{addresses.SKILLS}index.md", meta, f"# Skills\n\n{html}")


def _groups(every: Sequence[Card]) -> list[tuple[str, str, list[FacetValue]]]:
    groups = []
    for facet, title in FACETS.items():
        counts = Counter(value for card in every for value in card.facets.get(facet, ()))
        values = [FacetValue(value, counts[value]) for value in sorted(counts, key=_facet_order)]
        groups.append((facet, title, values))
    return groups


def _facet_order(value: str) -> tuple[int, str]:
    """Sections in their number's order, everything else by name."""
    number = value.removeprefix("S").partition(" ")[0]
    return (int(number) if number.isdigit() else 0, value)


def _categories(content: SiteContent) -> list[str]:
    planned = {category.id for category in content.tree.roadmap.categories} if content.tree.roadmap else set()
    return sorted(planned | {skill.category for skill in content.tree.skills})


def _category_page(content: SiteContent, folder: str, chosen: Sequence[Card]) -> Staged:
    title = category_title(content, folder)
    here = addresses.category(folder)
    known = {c.id: c for c in content.tree.roadmap.categories} if content.tree.roadmap else {}
    description = known[folder].description if folder in known else f"Skills on {title}."
    html = fragment("card_list.html", here, cards=chosen, intro=description)
    meta = {
        "title": title,
        "description": description,
        "hide": ["navigation", "toc"],
        "facets": {"kind": ["category"]},
    }
    return page(addresses.page_path(here), meta, f"# {title}\n\n{html}")


def _tag_page(tag: str, sentence: str, chosen: Sequence[Card]) -> Staged:
    here = addresses.tag(tag)
    html = fragment("card_list.html", here, cards=chosen, intro=f"{sentence}.")
    meta = {
        "title": f"Tag: {tag}",
        "description": f"Skills tagged {tag}. {sentence}.",
        "hide": ["navigation", "toc"],
        "facets": {"kind": ["tag"]},
    }
    return page(addresses.page_path(here), meta, f"# Tag: {tag}\n\n{html}")
