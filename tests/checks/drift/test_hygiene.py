"""A distribution is what the skill takes it for, or the skill's author hears what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_research_skills.catalog.shelf import load_skills
from ai_research_skills.catalog.skill import Skill
from ai_research_skills.checks.drift.audit import read_audit, vulnerabilities
from ai_research_skills.checks.drift.hygiene import (
    Concern,
    install_requirements,
    pin_concerns,
    requirement_concerns,
)
from ai_research_skills.checks.drift.memory import Memory, Silent
from tests.checks.drift.made_up_index import TODAY, MadeUpIndex, page
from tests.conftest import SKILL

Read = Callable[..., Skill]


@pytest.fixture
def read(tmp_path: Path, write_skill: Callable[..., Path]) -> Read:
    def skill(body: str = "", pins: str = "toolbox==1.0", lifecycle: str = "active") -> Skill:
        head = SKILL.format(name="toolbox", title="Toolbox").partition("```python")[0]
        head = head.replace("numpy==2.4.6", pins).replace("lifecycle: active", f"lifecycle: {lifecycle}")
        write_skill("toolbox", text=head + body)
        return load_skills(tmp_path).skills[0]

    return skill


def concerns(tmp_path: Path, skill: Skill, python: str = "3.11", **said: Any) -> list[Concern]:
    """What is said of the first pin, where the index says `said` of it."""
    index = MadeUpIndex()
    index.add("toolbox", "1.0", "1.1", **{"page": page("1.0"), **said})
    pin = skill.metadata.packages[0]
    registry = index.registry(tmp_path / "answers")
    known = registry.distribution(pin.distribution, python)
    return list(pin_concerns(skill, pin, known, python, (), registry.vulnerabilities(pin, known)))


def test_a_healthy_pin_gives_no_concern(tmp_path: Path, read: Read) -> None:
    assert concerns(tmp_path, read()) == []


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"yanked": {"1.0": "eats data"}}, "1.0 was yanked: eats data"),
        ({"yanked": {"1.0": True}}, "1.0 was yanked"),
        (
            {"status": {"status": "archived", "reason": "see toolbox2"}},
            "is archived, says the index: see toolbox2",
        ),
        ({"status": {"status": "quarantined"}}, "is quarantined, says the index"),
        ({"page": page("1.0", classifiers=("Development Status :: 7 - Inactive",))}, "calls itself inactive"),
        ({"requires_python": ">=3.12"}, "1.0 needs Python >=3.12, the skill is held against 3.11"),
        ({"page": page("1.0", repository="https://example.net/other")}, "is it another project?"),
    ],
)
def test_what_is_wrong_with_a_pin_is_named_with_the_line_of_the_pins(
    tmp_path: Path, read: Read, said: dict[str, Any], text: str
) -> None:
    (found,) = concerns(tmp_path, read(), **said)
    assert text in found.text
    assert found.line == 10
    assert not found.is_doubt


def test_a_release_and_a_name_that_are_not_there(tmp_path: Path, read: Read) -> None:
    (gone,) = concerns(tmp_path, read(pins="toolbox==0.9"))
    assert gone.text == "the index has no release 0.9"


def test_a_name_that_is_not_there(tmp_path: Path, read: Read) -> None:
    (unknown,) = concerns(tmp_path, read(pins="toolbox-of-nobody==1.0"))
    assert unknown.text == "the index has no such name"


@pytest.mark.parametrize(
    "line",
    [
        "# toolbox (DEPRECATED)",
        "This package is no longer maintained.",
        "`toolbox` has been renamed to `box`",
    ],
)
def test_what_its_own_page_says_is_a_doubt(tmp_path: Path, read: Read, line: str) -> None:
    farewell = page("1.0", description=f"# A tool\n\n{line}\n")
    (found,) = concerns(tmp_path, read(), page=farewell)
    assert found.text == f"its own page says: {line.strip('# ')}"
    assert found.is_doubt


@pytest.mark.parametrize(
    "description",
    [
        "\n".join([*("line" for _ in range(20)), "# toolbox is deprecated"]),
        "Python 2 is no longer supported.",
        "- fix deprecated usage of other libraries",
    ],
)
def test_a_deprecation_of_something_else_is_none(tmp_path: Path, read: Read, description: str) -> None:
    assert concerns(tmp_path, read(), page=page("1.0", description=description)) == []


def test_a_retired_skill_may_teach_an_archived_project(tmp_path: Path, read: Read) -> None:
    assert concerns(tmp_path, read(lifecycle="retired"), status={"status": "archived"}) == []


def test_a_project_whose_page_leads_to_the_repository_is_the_skills(tmp_path: Path, read: Read) -> None:
    told = page("1.0", repository="https://example.net/x", description="See https://example.org/source.")
    assert concerns(tmp_path, read(), page=told) == []


def test_a_copy_of_a_project_under_another_owner_is_not_the_skills(tmp_path: Path, read: Read) -> None:
    copied = page(
        "1.0", repository="https://github.com/somebody/source", description="See https://example.org/source."
    )
    (found,) = concerns(tmp_path, read(), page=copied)
    assert found.text.startswith("is it another project?")


def test_what_a_tool_without_a_distribution_is_taught_with_is_another_project(
    tmp_path: Path, read: Read
) -> None:
    needed = read(pins="engine==1.0")
    index = MadeUpIndex()
    index.add("engine", "1.0", page=page("1.0", repository="https://example.net/engine"))
    registry = index.registry(tmp_path / "answers")
    known = registry.distribution("engine", "3.11")
    assert not list(pin_concerns(needed, needed.metadata.packages[0], known, "3.11", {"engine"}, ()))


def test_a_vulnerability_that_two_databases_name_is_told_once(tmp_path: Path, read: Read) -> None:
    weak = ({"id": "PYSEC-1", "aliases": ["CVE-1"]}, {"id": "GHSA-1", "aliases": ["CVE-1"]}, {"id": "GHSA-2"})
    found = concerns(tmp_path, read(), page=page("1.0", vulnerabilities=weak))
    assert [one.text.split(", ")[1].split(";")[0] for one in found] == ["PYSEC-1", "GHSA-2"]


def test_a_vulnerability_is_named_with_its_fix(tmp_path: Path, read: Read) -> None:
    weak = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["1.1"], "severity": "high"}
    (found,) = concerns(tmp_path, read(), page=page("1.0", vulnerabilities=(weak,)))
    assert found.text == "1.0 has a known vulnerability, PYSEC-1, CVE-1, high; fixed in 1.1"


def test_only_what_an_example_uses_has_to_be_tied_to_the_skill(tmp_path: Path, read: Read) -> None:
    body = "```bash\npip install toolbox clip==0.2 ninja[x]>=1 -r more.txt git+https://example.org/x\n```\n"
    skill = read(body)
    asked = install_requirements(skill)
    assert [(one.distribution, one.line) for one in asked] == [
        ("toolbox", 22),
        ("clip", 22),
        ("ninja", 22),
    ]
    index = MadeUpIndex()
    index.add("clip", "0.2", page=page("0.2", repository="https://example.net/clipboard"))
    known = index.registry(tmp_path / "answers").distribution("clip", "3.11")
    (found,) = requirement_concerns(skill, asked[1], known, (), {"clip"})
    assert found.text.startswith("is it another project?")
    assert found.is_doubt
    assert not list(requirement_concerns(skill, asked[1], known, (), ()))
    assert not list(requirement_concerns(skill, asked[1], known, {"clip"}, {"clip"}))


def test_what_the_index_does_not_know_is_asked_of_the_audit_once(tmp_path: Path, read: Read) -> None:
    pins = read(pins="toolbox==1.0, hammer==2.0").metadata.packages
    index = MadeUpIndex()
    index.add("toolbox", "1.0", page=page("1.0"))
    index.add("hammer", "2.0")
    registry = index.registry(tmp_path / "answers")
    known = [(pin, registry.distribution(pin.distribution, "3.11")) for pin in pins]
    report = {"dependencies": [{"name": "hammer", "vulns": [{"id": "X-1", "fix_versions": ["2.1"]}]}]}
    memory = Memory("the database", tmp_path / "audits", TODAY)
    found = vulnerabilities(known, registry, memory, lambda asked: report)
    assert {str(pin): [one.id for one in told] for pin, told in found.items()} == {
        "toolbox==1.0": [],
        "hammer==2.0": ["X-1"],
    }

    def silent(asked: object) -> None:
        raise Silent("no route")

    assert set(vulnerabilities(known, registry, memory, silent)) == set(pins)
    other = Memory("the database", tmp_path / "others", TODAY)
    assert set(vulnerabilities(known, registry, other, silent)) == {pins[0]}


@pytest.mark.parametrize(
    "answer", [None, [], {"dependencies": [{}]}, {"dependencies": [{"name": [], "vulns": 1}]}]
)
def test_a_report_may_be_none(read: Read, answer: object) -> None:
    assert read_audit(read().metadata.packages, answer) == {}
