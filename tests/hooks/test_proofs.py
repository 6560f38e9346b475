"""The line above an example says what was proven of it, and hostile text in a record stays text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ai_research_skills.catalog.evidence import Fault, Level, SkillEvidence
from ai_research_skills.catalog.skill import Skill
from hooks.proofs import _first, example_addresses, fence_labels, page_proofs, proofs, with_proofs
from hooks.site_content import SiteContent
from tests.coverage.made_up_evidence import TODAY, made_skill, made_tree, recorded, standing_of
from tests.hooks.test_skill_markdown import Tags, rendered_with


def content_of(skill: Skill, record: SkillEvidence | None) -> SiteContent:
    return SiteContent(
        made_tree(skill, record), TODAY, "https://example.org/repo", "https://example.org/site/"
    )


def lines(text: str, *said: dict[str, Any], **record: Any) -> list[tuple[str, str]]:
    """The glance and the unfolded text of each example of a page with one record."""
    skill = made_skill(text)
    evidence = recorded(skill, *said, **record)
    unfolded = page_proofs(content_of(skill, evidence), "skills/toolbox/index.md")
    found = proofs(standing_of(skill, evidence), skill.body)
    return [(proof.glance, re.sub(r"<[^>]+>", "", unfolded[proof.anchor])) for proof in found]


def one(text: str, **said: Any) -> tuple[str, str]:
    (line,) = lines(text, said)
    return line


PYTHON = "```python\nimport toolbox\n```\n"


def test_an_executed_block_names_its_level_release_day_and_run() -> None:
    glance, unfolded = one(PYTHON, by=("run",), seconds=0.714)
    assert glance == "executed · toolbox 1.2.0 · 2026-11-21"
    assert "Ran in 0.71 s on a CPU, with Python 3.11.7, toolbox 1.2.0, numpy 2.4.6." in unfolded


def test_a_block_names_the_pin_that_it_imports() -> None:
    assert "numpy 2.4.6" in one("```python\nimport numpy as np\n```\n")[0]
    assert "toolbox 1.2.0" in one("```python\nx = 1\n```\n")[0]


def test_a_pin_that_was_not_installed_is_no_witness_of_a_run() -> None:
    (line,) = lines(PYTHON, {}, absent=("toolbox==1.2.0",))
    assert line[0] == "executed · numpy 2.4.6 · 2026-11-21"
    assert "toolbox 1.2.0 (read, not installed)" in line[1]


def test_a_resolved_block_says_by_whom_and_what_keeps_it_there() -> None:
    glance, unfolded = one(
        "```python gpu\nimport toolbox\n```\n", level=Level.RESOLVED, by=("ty", "packages"), why="gpu"
    )
    assert glance == "resolved, needs a GPU · toolbox 1.2.0 · 2026-11-21"
    assert "by the type checker ty 0.0.104 and the installed packages. It was not run." in unfolded
    assert "Not higher: needs a GPU." in unfolded


def test_what_merely_parses_names_no_release() -> None:
    glance, unfolded = one("```diff\n- a\n+ b\n```\n", level=Level.PARSED)
    assert glance == "parsed · 2026-11-21"
    assert "held against no release" in unfolded


def test_a_block_that_ran_on_a_gpu_names_it() -> None:
    glance, unfolded = one(
        "```python gpu\nimport toolbox\n```\n", level=Level.EXECUTED_ON_GPU, device="NVIDIA H100"
    )
    assert glance.startswith("executed on GPU · ")
    assert "on NVIDIA H100" in unfolded
    assert "Not higher" not in unfolded


@pytest.mark.parametrize(
    ("level", "words"),
    [(Level.EXECUTED, "executed, fails as it must"), (Level.RESOLVED, "resolved, must fail")],
)
def test_a_block_that_must_fail_says_so(level: Level, words: str) -> None:
    assert one("```python fails\nx\n```\n", level=level)[0].startswith(f"{words} · ")


@pytest.mark.parametrize(
    ("mark", "words"), [("fresh", "starts anew here"), ("alone", "runs by itself, without the blocks above")]
)
def test_how_a_block_takes_part_is_told_where_it_unfolds(mark: str, words: str) -> None:
    glance, unfolded = one(f"```python {mark}\nx = 1\n```\n")
    assert mark not in glance
    assert words in unfolded


def test_a_fault_is_no_level() -> None:
    glance, unfolded = one(PYTHON, level=Level.PARSED, faults=(Fault(at=1, text="toolbox has no go"),))
    assert glance == "does not hold · 2026-11-21"
    assert "At fault: toolbox has no go" in unfolded


def test_stale_evidence_says_what_changed_and_counts_as_nothing() -> None:
    skill = made_skill(PYTHON + "\n```python\ny = 2\n```\n")
    other = made_skill(PYTHON.replace("toolbox", "numpy") + "\n```python\ny = 2\n```\n")
    found = proofs(standing_of(skill, recorded(other, {}, {})), skill.body)
    assert [proof.level for proof in found] == [Level.STATED, Level.STATED]
    assert [proof.glance for proof in found] == [
        "changed since it was checked",
        "something above it changed since it was checked",
    ]
    assert all(proof.needs_attention for proof in found)


def test_a_compared_output_says_so_only_where_the_run_was_compared() -> None:
    text = "```python\nprint(1)\n```\n\n```text prints\n1\n```\n\n```text\nother\n```\n"
    skill = made_skill(text)
    ran = fence_labels(standing_of(skill, recorded(skill, {})), skill.body)
    assert ran[1].title == "printed by the block above, compared"
    assert 2 not in ran
    parsed = fence_labels(standing_of(skill, recorded(skill, {"level": Level.PARSED})), skill.body)
    assert 1 not in parsed


def test_blocks_that_are_alike_have_ids_of_their_own() -> None:
    skill = made_skill(f"{PYTHON}\n{PYTHON}")
    found = list(example_addresses(standing_of(skill, None)).values())
    assert len(set(found)) == 2
    assert all(re.fullmatch(r"skills/toolbox/#example-[0-9a-f]{8}(-2)?", address) for address in found)


HOSTILE = '<img src=x onerror=alert(1)> "quoted" & <script>alert(1)</script>'


@pytest.mark.parametrize("field", ["why", "faults", "waived", "device", "by"])
def test_hostile_text_in_a_record_is_shown_and_not_obeyed(field: str) -> None:
    skill = made_skill(PYTHON)
    values = {"faults": (Fault(at=1, text=HOSTILE),), "waived": (HOSTILE,), "by": (HOSTILE,)}
    level = Level.RESOLVED if field == "by" else Level.EXECUTED
    record = recorded(skill, {"level": level, field: values.get(field, HOSTILE)})
    html = rendered_with(PYTHON, fence_labels(standing_of(skill, record), skill.body))
    page = with_proofs(html, page_proofs(content_of(skill, record), "skills/toolbox/index.md"))
    assert "alert(1)" in page
    for tag, attributes in Tags(page).found:
        assert tag not in {"script", "img"}
        assert not [name for name in attributes if name.startswith("on")]


def test_the_line_unfolds_where_the_title_was_even_in_a_list() -> None:
    text = f"- step\n\n  {PYTHON.replace(chr(10), chr(10) + '  ').rstrip()}\n\n{PYTHON}"
    skill = made_skill(text)
    record = recorded(skill, {}, {})
    html = rendered_with(text, fence_labels(standing_of(skill, record), skill.body))
    page = with_proofs(html, page_proofs(content_of(skill, record), "skills/toolbox/index.md"))
    assert page.count('<details class="proof"><summary>executed') == 2
    assert 'class="filename"' not in page


def test_a_page_that_is_no_skill_s_is_left_alone() -> None:
    skill = made_skill(PYTHON)
    unfolded = page_proofs(content_of(skill, None), "index.md")
    assert with_proofs("<p>text</p>", unfolded) == "<p>text</p>"


def test_code_that_looks_like_a_title_is_not_replaced() -> None:
    skill = made_skill(PYTHON)
    unfolded = page_proofs(content_of(skill, None), "skills/toolbox/index.md")
    (anchor,) = unfolded
    code = f'<code>&lt;div id="{anchor}" class="highlight"&gt;</code>'
    assert with_proofs(code, unfolded) == code


def test_a_line_names_a_few_and_counts_the_rest() -> None:
    assert _first(["a", "b", "c", "d"], 3) == ["a", "b", "c", "d"]
    assert _first(["a", "b", "c", "d", "e"], 3) == ["a", "b", "c", "and 2 more"]
