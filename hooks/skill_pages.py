"""A page for every skill and for each of its references, with the raw files beside them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from ai_research_skills.catalog.skill import SKILL_FILE, Page, Skill
from hooks import addresses
from hooks.badges import badge_of
from hooks.charts import level_bar
from hooks.proofs import fence_labels
from hooks.script_pages import script_pages
from hooks.site_content import SiteContent
from hooks.skill_markdown import site_markdown, without_title
from hooks.staged import Staged, page
from hooks.templating import fragment

PANEL = "about-this-skill"
"""Id of the panel on a skill's page, set by the page's template."""


def skill_pages(content: SiteContent) -> Iterator[Staged]:
    """Stage every skill of the tree, with its references and scripts."""
    for skill in content.tree.skills:
        yield _main_page(content, skill)
        for reference in skill.references:
            yield _reference_page(content, skill, reference)
        yield from script_pages(content, skill)


def raw_files(content: SiteContent) -> Iterator[Staged]:
    """Every file of every skill as it is in the repository, and each skill as an archive.

    They are Markdown too, so they must reach the site behind MkDocs' back.
    """
    for skill in content.tree.skills:
        files = {path: (content.tree.root / skill.folder / path).read_bytes() for path in _paths(skill)}
        for path, data in files.items():
            yield Staged(f"{addresses.skill(skill.name)}{path}", data)
        yield Staged(f"{addresses.skill(skill.name)}{skill.name}.zip", _archive(skill.name, files))


def _paths(skill: Skill) -> list[PurePosixPath]:
    pages = [page.path.relative_to(skill.folder) for page in skill.pages]
    return sorted(PurePosixPath(path.as_posix()) for path in (*pages, *skill.files))


def _archive(name: str, files: Mapping[PurePosixPath, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name}/{path}"), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _main_page(content: SiteContent, skill: Skill) -> Staged:
    here = addresses.skill(skill.name)
    header = fragment("skill_header.html", here, **_facts(content, skill))
    panel = fragment("skill_panel.html", here, **_facts(content, skill))
    meta = {
        "title": skill.title,
        "description": skill.description,
        "hide": ["navigation"],
        "raw": SKILL_FILE,
        "panel": str(panel),
        "facets": {"kind": ["skill"], **facets(content, skill)},
    }
    text = _body(content, skill, skill.body)
    return page(addresses.skill_path(skill.name), meta, f"# {skill.title}\n\n{header}\n\n{text}", skill.path)


def _reference_page(content: SiteContent, skill: Skill, reference: Page) -> Staged:
    here = addresses.reference(skill.name, reference.slug)
    crumb = fragment("reference_header.html", here, skill=skill, reference=reference)
    meta = {
        "title": f"{reference.title} · {skill.title}",
        "description": f"{reference.title}: a reference of the skill {skill.title}.",
        "hide": ["navigation"],
        "raw": f"../references/{reference.slug}.md",
        "facets": {"kind": ["reference"], **facets(content, skill)},
    }
    text = _body(content, skill, reference)
    return page(addresses.page_path(here), meta, f"{crumb}\n\n# {reference.title}\n\n{text}", reference.path)


def _body(content: SiteContent, skill: Skill, source: Page) -> str:
    def relink(target: str) -> str:
        return _site_target(content, skill, source, target)

    labels = fence_labels(content.standings[skill.name], source)
    return without_title(site_markdown(source.text, labels, relink))


def _site_target(content: SiteContent, skill: Skill, source: Page, target: str) -> str:
    """Where a relative link in a skill's text leads on the site, as a link between Markdown files."""
    path, mark, anchor = target.partition("#")
    folder = source.path.parent.relative_to(skill.folder)
    file = _normal(folder.as_posix(), path)
    if file == SKILL_FILE:
        return f"index.md{mark}{anchor}"
    pages = {page.path.relative_to(skill.folder).as_posix(): page for page in skill.references}
    if file in pages:
        return f"{pages[file].slug}.md{mark}{anchor}"
    if Path(file) in skill.scripts:
        return str(PurePosixPath(file).with_suffix(".md"))
    return f"{content.blob(skill.folder.as_posix())}/{file}{mark}{anchor}"


def _normal(folder: str, path: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(folder) / path).parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in {".", ".."}:
            parts.append(part)
    return "/".join(parts)


def facets(content: SiteContent, skill: Skill) -> dict[str, list[str]]:
    """The values under which a skill is found, by facet; empty ones are left out."""
    standing = content.standings[skill.name]
    plan = content.tree.roadmap.plan(skill.name) if content.tree.roadmap else None
    found = {
        "category": [category_title(content, skill.category)],
        "section": [section_title(content, section) for section in plan.sections] if plan else [],
        "tier": [standing.tier.value],
        "evidence": [standing.highest_level.label],
        "proven": list(standing.claims),
        "hardware": [hardware.value for hardware in skill.metadata.hardware],
        "licence": [skill.metadata.upstream_license],
        "lifecycle": [skill.metadata.lifecycle.value] if skill.metadata.lifecycle else [],
        "tag": list(skill.metadata.tags),
    }
    return {facet: kept for facet, values in found.items() if (kept := [v for v in values if v])}


def category_title(content: SiteContent, category: str) -> str:
    """The category's title in the plan, or its folder made readable."""
    for known in content.tree.roadmap.categories if content.tree.roadmap else ():
        if known.id == category:
            return known.title
    return addresses.slug(category).replace("-", " ").title()


def section_title(content: SiteContent, section: str) -> str:
    """`S6` → `S6 Serving & Inference`."""
    for known in content.tree.roadmap.sections if content.tree.roadmap else ():
        if known.id == section:
            return f"{known.id} {known.title}"
    return section


def _facts(content: SiteContent, skill: Skill) -> dict[str, object]:
    roadmap = content.tree.roadmap
    standing = content.standings[skill.name]
    drift = content.tree.drift.fresh(skill) if content.tree.drift else None
    return {
        "skill": skill,
        "standing": standing,
        "badge": badge_of(standing),
        "levels": sorted(standing.level_counts.items(), reverse=True),
        "level_bar": level_bar(standing.level_counts),
        "site": content.site,
        "category": category_title(content, skill.category),
        "plan": roadmap.plan(skill.name) if roadmap else None,
        "section_title": lambda section: section_title(content, section),
        "blocks": content.blocks_by_skill.get(skill.name, []),
        "notebooks": content.notebooks_by_skill.get(skill.name, []),
        "related": content.related(skill),
        "evidence": content.tree.evidence.get(skill.name),
        "drift": drift,
        "newer": {one.pin: one.together for one in drift.pins if one.together} if drift else {},
        "edit": f"{content.repository}/edit/{content.branch}/{skill.path.as_posix()}",
    }
