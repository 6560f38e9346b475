"""The line at each example that says what was proven of it; it unfolds to how, by whom and against what.

The Markdown carries the line alone, as the title of the fence, so that every engine shows it. On the site it unfolds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ai_research_skills.catalog.evidence import Finding, Level, SkillEvidence
from ai_research_skills.catalog.example import Example, Mark, page_examples
from ai_research_skills.catalog.skill import Page
from ai_research_skills.coverage.standing import Standing
from ai_research_skills.coverage.unproven import stale_reason
from hooks import addresses
from hooks.site_content import SiteContent
from hooks.skill_markdown import FenceLabel
from hooks.templating import fragment

FINDERS = {
    "ast": "its parser",
    "packages": "the installed packages",
    "parsers": "the releases' own parsers",
    "registry": "the package registry",
    "run": "a run of the page",
    "schema": "the schema of the package that reads it",
    "ty": "the type checker ty",
}
"""What the names in `Finding.by` mean to a reader; a name that is not here is shown as it is."""

MOST_PINS, MOST_REASONS = 8, 3
"""How many a line names: it stands at every block, and the panel and the record have them all."""


@dataclass(frozen=True)
class Proof:
    """What one example's line says.

    Attributes:
        anchor: Id of the block on its page; it follows the example's text and is not promised to last.
        glance: The line itself, without quotation marks or markup.
        needs_attention: Whether something is wrong or out of date.
    """

    example: Example
    anchor: str
    level: Level
    glance: str
    needs_attention: bool


def proofs(standing: Standing, page: Page) -> tuple[Proof, ...]:
    """The proof of every example of one page of a skill, in order."""
    levels = dict(standing.levels)
    anchors = example_anchors(page)
    return tuple(
        _proof(standing, example, anchors[example.index], levels[example])
        for example in page_examples(page)
        if not example.is_output
    )


def example_anchors(page: Page) -> Mapping[int, str]:
    """The id of every example of `page` by its index; the second of two that are alike is numbered."""
    anchors: dict[int, str] = {}
    seen: Counter[str] = Counter()
    for example in page_examples(page):
        if not example.is_output:
            name = f"example-{example.sha256[:8]}"
            seen[name] += 1
            anchors[example.index] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return anchors


def example_addresses(standing: Standing) -> Mapping[Example, str]:
    """Where each example of a skill stands on the site."""
    skill = standing.skill
    found: dict[Example, str] = {}
    for page in skill.pages:
        address = (
            addresses.skill(skill.name) if page is skill.body else addresses.reference(skill.name, page.slug)
        )
        anchors = example_anchors(page)
        found |= {
            example: f"{address}#{anchors[example.index]}"
            for example in page_examples(page)
            if not example.is_output
        }
    return found


def fence_labels(standing: Standing, page: Page) -> dict[int, FenceLabel]:
    """What stands above each fenced block of `page`, by its index; most outputs have nothing."""
    labels = {
        proof.example.index: FenceLabel(
            proof.glance,
            (f"level-{proof.level:d}", *(["attention"] if proof.needs_attention else [])),
            proof.anchor,
        )
        for proof in proofs(standing, page)
    }
    levels = dict(standing.levels)
    for above, block in _pairs(page_examples(page)):
        if block.mark == Mark.PRINTS and above.expected is not None and levels[above] >= Level.EXECUTED:
            labels[block.index] = FenceLabel("printed by the block above, compared", ("prints",))
    return labels


def _pairs(examples: Iterable[Example]) -> Iterator[tuple[Example, Example]]:
    """Each output with the example right above it."""
    above: Example | None = None
    for block in examples:
        if block.is_output and above is not None:
            yield above, block
        above = None if block.is_output else block


def page_proofs(content: SiteContent, path: str) -> Mapping[str, Markup]:
    """The unfolding line of every example of the staged page `path`, by the id of its block."""
    found = content.pages_by_path.get(path)
    if found is None:
        return {}
    skill, page = found
    standing = content.standings[skill.name]
    return {proof.anchor: _unfolding(standing, proof) for proof in proofs(standing, page)}


def with_proofs(html: str, unfolding: Mapping[str, Markup]) -> str:
    """The rendered page with the title of each example's block replaced by the line that unfolds."""

    def unfolded(block: re.Match[str]) -> str:
        line = unfolding.get(block["anchor"])
        return block[0] if line is None else f"{block['opening']}{line}"

    return _BLOCK.sub(unfolded, html) if unfolding else html


_BLOCK = re.compile(
    r'(?P<opening><div id="(?P<anchor>example-[0-9a-f]{8}(?:-\d+)?)" class="[^"]*highlight">)'
    r'<span class="filename">[^<]*</span>'
)


def _unfolding(standing: Standing, proof: Proof) -> Markup:
    finding = standing.findings.get(proof.example)
    values = {
        "proof": proof,
        "example": proof.example,
        "skill": standing.skill,
        "finding": finding,
        "record": standing.record,
        "stale": "" if finding else stale_reason(standing.skill, standing.record, proof.example),
        "held_against": _held_against(standing.record, proof.level),
        "found_by": _found_by(standing.record, finding) if finding else "",
        "why": _why(proof.example, finding) if finding else "",
    }
    return Markup(fragment("proof.html", "", **values).replace("\n", " "))


def _proof(standing: Standing, example: Example, anchor: str, level: Level) -> Proof:
    finding = standing.findings.get(example)
    if finding is None or standing.record is None:
        reason = stale_reason(standing.skill, standing.record, example)
        return Proof(example, anchor, level, reason, needs_attention=standing.record is not None)
    words = (_verdict(example, finding), _release(example, finding, standing.record), f"{finding.checked}")
    return Proof(example, anchor, level, " · ".join(filter(None, words)), bool(finding.fault))


def _verdict(example: Example, finding: Finding) -> str:
    if finding.fault:
        return "does not hold"
    verdict = "not checked" if finding.level is Level.STATED else finding.level.label
    if example.mark == Mark.FAILS:
        return f"{verdict}, {'fails as it must' if finding.level >= Level.EXECUTED else 'must fail'}"
    if example.mark == Mark.GPU and finding.level < Level.EXECUTED_ON_GPU:
        return f"{verdict}, needs a GPU"
    return verdict


_IMPORTED = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)


def _release(example: Example, finding: Finding, record: SkillEvidence) -> str:
    """The release to name at a glance: the first pin that the block imports by name, else the first pin.

    What merely parses was held against none, and a pin that was not installed ran nothing.
    """
    if finding.level < Level.RESOLVED:
        return ""
    absent = record.absent if finding.level >= Level.EXECUTED else ()
    pins = [pin for pin in record.pins if pin not in absent]
    imported = set(_IMPORTED.findall(example.source))
    named = [pin for pin in pins if any(_is_of(pin, module) for module in imported)]
    return next(iter([*named, *pins]), "").replace("==", " ")


def _is_of(pin: str, module: str) -> bool:
    """Whether a distribution is named after `module`, as `faiss-cpu` is after `faiss`."""
    return f"{pin.partition('==')[0].replace('-', '_')}_".startswith(f"{module}_")


def _held_against(record: SkillEvidence | None, level: Level) -> str:
    if record is None or level < Level.RESOLVED:
        return ""
    absent = " (read, not installed)" if level >= Level.EXECUTED else ""
    pins = [f"{pin.replace('==', ' ')}{absent if pin in record.absent else ''}" for pin in record.pins]
    return ", ".join([f"Python {record.python}", *_first(pins, MOST_PINS)])


def _found_by(record: SkillEvidence | None, finding: Finding) -> str:
    engines = record.engines if record else {}
    names = (f"{FINDERS.get(name, name)} {engines.get(name, '')}".strip() for name in finding.by)
    return " and ".join(names)


def _why(example: Example, finding: Finding) -> str:
    if finding.why == Mark.GPU or (not finding.why and example.mark == Mark.GPU and not finding.device):
        return "needs a GPU"
    return "; ".join(_first(list(dict.fromkeys(finding.why.split("; "))), MOST_REASONS))


def _first(words: Sequence[str], most: int) -> list[str]:
    """The first of `words`, and how many more there are; one more is named, since saying so is no shorter."""
    return list(words) if len(words) <= most + 1 else [*words[:most], f"and {len(words) - most} more"]
