"""A badge tells the truth at a glance, to eyes and ears, and is an image whatever the skill is called."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ai_research_skills.catalog.evidence import Level
from hooks.badges import BARELY, LABEL_COLOUR, MOSTLY, PROVEN, UNKNOWN, Badge, badge_of, badge_svg
from tests.coverage.made_up_evidence import made_skill, recorded, standing_of

SVG = "{http://www.w3.org/2000/svg}"


def badge(count: int, *levels: Level, title: str = "Toolbox") -> Badge:
    skill = made_skill("# T\n\n" + "".join(f"```python\nx = {n}\n```\n\n" for n in range(count)), title=title)
    return badge_of(standing_of(skill, recorded(skill, *({"level": level} for level in levels))))


@pytest.mark.parametrize(
    ("levels", "text", "colour"),
    [
        ([Level.EXECUTED] * 10, "10 of 10 executed", PROVEN),
        ([Level.EXECUTED] * 9 + [Level.RESOLVED], "9 of 10 executed", PROVEN),
        ([Level.RESOLVED] * 10, "10 of 10 resolved", PROVEN),
        ([Level.EXECUTED] * 9 + [Level.PARSED], "9 of 10 executed", MOSTLY),
        ([Level.EXECUTED] * 5, "5 of 10 executed", BARELY),
        ([Level.PARSED] * 10, "10 of 10 parsed", BARELY),
        ([], "not checked", UNKNOWN),
    ],
)
def test_it_counts_the_highest_level_and_is_coloured_by_what_is_proven(
    levels: list[Level], text: str, colour: str
) -> None:
    found = badge(10, *levels)
    assert (found.text, found.colour) == (text, colour)


def test_a_skill_without_examples_has_a_badge_too() -> None:
    assert badge(0).text == "none"


def test_the_image_is_named_and_its_text_fits_its_own_width() -> None:
    root = ElementTree.fromstring(
        badge_svg(badge(2, Level.EXECUTED, Level.EXECUTED, title='<b onload="x">&'))
    )
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text is not None
    assert title.text.startswith('<b onload="x">&: 2 of 2 executed')
    texts = root.findall(f".//{SVG}text")
    rects = root.findall(f"{SVG}g/{SVG}rect")
    assert [text.text for text in texts] == ["examples", "2 of 2 executed"]
    assert sum(int(rect.attrib["width"]) for rect in rects) == int(root.attrib["width"])
    for text, rect in zip(texts, rects, strict=True):
        assert float(text.attrib["textLength"]) < int(rect.attrib["width"])


@pytest.mark.parametrize("colour", [PROVEN, MOSTLY, BARELY, UNKNOWN, LABEL_COLOUR])
def test_white_text_can_be_read_on_every_colour(colour: str) -> None:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5
