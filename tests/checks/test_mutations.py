"""Every planted fault is found at the level that should find it, and no page without one is flagged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.example import Example, page_examples
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page
from ai_research_skills.checks.releases.environment import Environment
from tests.checks.checking import check_one
from tests.checks.made_up_release import make_environment
from tests.checks.planted_mutations import MUTATIONS, PAGES, Mutation
from tests.conftest import SKILL

Pages = Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """What checking has shown of one page."""

    levels: Mapping[Example, Level]
    problems: tuple[Problem, ...]


def check(root: Path, pages: Pages, environment: Environment) -> dict[str, Found]:
    """Check `pages` as the references of one skill, all at once: starting the engines is what takes time."""
    folder = root / "skills" / "04-peft" / "example"
    (folder / "references").mkdir(parents=True)
    head = SKILL.format(name="example", title="Example").replace("numpy==2.4.6", "toolbox==1.0")
    (folder / "SKILL.md").write_text(head, encoding="utf-8")
    for name, text in pages.items():
        (folder / "references" / f"{name}.md").write_text(text, encoding="utf-8")
    checked = check_one(root, environment)
    skill = checked.skill
    levels = {(found.page, found.line): found.level for found in checked.evidence.findings}

    def found(page: Page) -> Found:
        key = page.path.relative_to(skill.folder).as_posix()
        examples = [example for example in page_examples(page) if not example.is_output]
        return Found(
            {example: levels[key, example.line] for example in examples},
            tuple(problem for problem in checked.problems if problem.path == page.path),
        )

    return {page.slug: found(page) for page in skill.references}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(make_environment(tmp_path_factory.mktemp("environment")), ())


@pytest.fixture(scope="module")
def unmutated(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> dict[str, Found]:
    return check(tmp_path_factory.mktemp("unmutated"), PAGES, environment)


@pytest.fixture(scope="module")
def mutated(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> list[Found]:
    pages = {f"page-{number:03}": mutation.text for number, mutation in enumerate(MUTATIONS)}
    found = check(tmp_path_factory.mktemp("mutated"), pages, environment)
    return [found[name] for name in pages]


def changed(mutation: Mutation, found: Found) -> Iterator[Example]:
    """The examples that the fault is in, or that stand in another place because of it."""
    page = Page(Path("page.md"), "", "", PAGES[mutation.page], 1)
    before = {(example.index, example.sha256) for example in page_examples(page)}
    return (example for example in found.levels if (example.index, example.sha256) not in before)


def test_enough_faults_are_planted_at_every_level() -> None:
    assert len(MUTATIONS) >= 60
    assert len(set(MUTATIONS)) == len(MUTATIONS)
    assert {mutation.level for mutation in MUTATIONS} == {Level.PARSED, Level.RESOLVED, Level.EXECUTED}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_without_a_fault_is_not_flagged(unmutated: dict[str, Found], name: str) -> None:
    assert unmutated[name].problems == ()
    assert min(unmutated[name].levels.values()) >= min(
        mutation.level for mutation in MUTATIONS if mutation.page == name
    )


@pytest.mark.parametrize("number", range(len(MUTATIONS)), ids=[f"{m.page}: {m.new[:40]}" for m in MUTATIONS])
def test_a_planted_fault_is_found_at_its_level(mutated: list[Found], number: int) -> None:
    mutation, found = MUTATIONS[number], mutated[number]
    said = [f"{problem.line}: {problem.message}" for problem in found.problems]
    assert [text for text in said if mutation.words in text], said
    reached = {found.levels[example] for example in changed(mutation, found)}
    below = {Level.PARSED: {Level.STATED}, Level.RESOLVED: {Level.PARSED}}
    lowest = min(reached or found.levels.values())
    assert lowest in below.get(mutation.level, {Level.PARSED, Level.RESOLVED})
