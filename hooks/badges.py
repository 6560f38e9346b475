"""A badge for each skill: an image that says elsewhere how much of it is proven."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.coverage.standing import Standing

HEIGHT = 20
PADDING = 6
WIDE, NARROW = frozenset("mwMW%—"), frozenset("fijlrt.,:;|!'() ")
LABEL = "examples"
LABEL_COLOUR = "#3b4650"
PROVEN, MOSTLY, BARELY, UNKNOWN = "#1b7a4b", "#7a5200", "#a3312a", "#5a6670"
"""White text has a contrast of at least 4.5 on each."""

MOSTLY_PROVEN = 0.9
"""Share of examples from which a badge is no longer a warning."""


@dataclass(frozen=True)
class Badge:
    """What the right half of a badge says.

    Attributes:
        title: The whole truth, for those who hear the image or rest the pointer on it.
    """

    text: str
    colour: str
    title: str


def badge_of(standing: Standing) -> Badge:
    """The badge of one skill: the strongest level that some examples reached, and how many did."""
    total, title = len(standing.levels), standing.skill.title
    if not total:
        return Badge("none", UNKNOWN, f"{title}: no code examples")
    if not standing.findings:
        return Badge("not checked", UNKNOWN, f"{title}: none of {total} examples has fresh evidence")
    text = _strongest(standing)
    pins = ", ".join(str(pin).replace("==", " ") for pin in standing.skill.metadata.packages[:1])
    facts = [
        f"{title}: {text}",
        f"{standing.proven} of {total} at least resolved",
        *([f"against {pins}"] if pins else []),
        f"checked {standing.checked}",
    ]
    return Badge(text, _colour(standing.proven / total), "; ".join(facts))


def _strongest(standing: Standing) -> str:
    for level, word in ((Level.EXECUTED, "executed"), (Level.RESOLVED, "resolved"), (Level.PARSED, "parsed")):
        count = sum(found >= level for _, found in standing.levels)
        if count:
            return f"{count} of {len(standing.levels)} {word}"
    return f"0 of {len(standing.levels)} proven"


def _colour(share: float) -> str:
    if share == 1:
        return PROVEN
    return MOSTLY if share >= MOSTLY_PROVEN else BARELY


def badge_svg(badge: Badge) -> str:
    """The image. Its text is stretched to the width that was reckoned, so it fits whatever font there is."""
    left, right = _half(LABEL), _half(badge.text)
    width = left + right
    halves = Markup("").join(
        [_rect(0, left, LABEL_COLOUR), _rect(left, right, badge.colour)],
    )
    words = Markup("").join([_text(LABEL, 0, left), _text(badge.text, left, right)])
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img">'
            "<title>{title}</title>"
            '<clipPath id="round"><rect width="{w}" height="{h}" rx="3"/></clipPath>'
            '<g clip-path="url(#round)">{halves}</g>'
            '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" '
            'font-size="11">{words}</g></svg>\n'
        ).format(w=width, h=HEIGHT, title=badge.title, halves=halves, words=words)
    )


def _half(text: str) -> int:
    return _length(text) + 2 * PADDING


def _length(text: str) -> int:
    """About as many pixels as `text` takes in 11-pixel Verdana."""
    return round(sum(10 if c in WIDE else 4.5 if c in NARROW else 7 for c in text))


def _rect(left: int, width: int, colour: str) -> Markup:
    return Markup('<rect x="{}" width="{}" height="{}" fill="{}"/>').format(left, width, HEIGHT, colour)


def _text(text: str, left: int, width: int) -> Markup:
    return Markup('<text x="{}" y="14" textLength="{}">{}</text>').format(
        left + width / 2, width - 2 * PADDING, escape(text)
    )
