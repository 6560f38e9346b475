"""The evidence for machines and for other sites: the summary, its schema, and a badge for each skill."""

from __future__ import annotations

from collections.abc import Iterator

from ai_research_skills.catalog import schemas
from ai_research_skills.coverage.summary import EvidenceSummary, evidence_summary
from hooks import addresses
from hooks.badges import badge_of, badge_svg
from hooks.site_content import SiteContent
from hooks.staged import Staged


def evidence_files(content: SiteContent) -> Iterator[Staged]:
    """Stage what is published beside the records, which lie in the docs folder already."""
    summary = evidence_summary(content.standings.values(), content.as_of)
    yield Staged(addresses.EVIDENCE_SUMMARY, f"{summary.model_dump_json(indent=1)}\n".encode())
    yield Staged(addresses.EVIDENCE_SUMMARY_SCHEMA, schemas.text(EvidenceSummary).encode())
    for name, standing in content.standings.items():
        yield Staged(addresses.badge(name), badge_svg(badge_of(standing)).encode())
