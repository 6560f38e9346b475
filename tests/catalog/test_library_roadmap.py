"""The library's plan, held against the three documents that it was drawn from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ai_research_skills.catalog.library_roadmap import (
    LIBRARY_FILE,
    DeclaredStatus,
    Figure,
    LibraryRoadmap,
    Measure,
    Tier2025,
    cross_check,
    load_library_roadmap,
)
from ai_research_skills.catalog.skill import Lifecycle

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
TEXT = (ROOT / LIBRARY_FILE).read_text(encoding="utf-8")

ANALYSIS = (DATA / "analysis.md").read_text(encoding="utf-8")
BUILD_PLAN = (DATA / "build-plan.md").read_text(encoding="utf-8")
ROADMAP = (DATA / "roadmap.md").read_text(encoding="utf-8")

OPEN = "Data quality tools"
OTHER_WORDS = {"DPO Trainer from TRL": "dpo-trainer", "TRL Fine-Tuning": "trl-fine-tuning"}


@pytest.fixture(scope="module")
def plan() -> LibraryRoadmap:
    roadmap, problems = load_library_roadmap(ROOT)
    assert problems == ()
    assert roadmap is not None
    return roadmap


def skill_named(plan: LibraryRoadmap, words: str) -> str:
    skill = plan.find(OTHER_WORDS.get(words, words))
    assert skill, f"{words!r} is not in the plan"
    return skill.name


def names_of(plan: LibraryRoadmap, words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(skill_named(plan, name) for name in words))


def between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0]


def parts(text: str, heading: str) -> list[tuple[re.Match[str], str]]:
    """Every match of `heading` with the text up to the next one."""
    found = list(re.finditer(heading, text, flags=re.MULTILINE))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return [(match, text[match.end() : end]) for match, end in zip(found, ends, strict=True)]


# --- document 000


def built_list() -> list[tuple[str, str]]:
    progress = between(ANALYSIS, "### ✅ What We've Built", "## Coverage Analysis")
    lines = re.findall(r"^- (✅|❌) (.+)$", progress, flags=re.MULTILINE)
    return [(mark, re.split(r" - | \(", words)[0]) for mark, words in lines]


def analysis_phases() -> list[tuple[re.Match[str], list[str]]]:
    strategy = between(ANALYSIS, "## 🚀 Strategic Development Roadmap", "## Project Structure")
    heading = r"^### Phase (\d): (.+) \(Weeks (\d+-\d+)\) - (\d+) Skills\s+\*\*Priority\*\*: (.+?) +\n\*\*Goal\*\*: (.+)$"
    return [
        (match, re.findall(r"^ +- ([^\n]+?)(?: - .+)?$", body, flags=re.MULTILINE))
        for match, body in parts(strategy, heading)
    ]


def test_all_names_of_the_analysis_are_planned(plan: LibraryRoadmap) -> None:
    named = [name for _, name in built_list() if name != OPEN]
    named += [name.removesuffix(" (may already have)") for _, names in analysis_phases() for name in names]
    expected = {skill.name for skill in plan.skills if skill.status_000}
    assert set(names_of(plan, named)) == expected
    assert len(expected) == 63
    assert [slot.title for slot in plan.open_slots] == [OPEN]


def test_what_the_analysis_had_built(plan: LibraryRoadmap) -> None:
    built = {skill_named(plan, name) for mark, name in built_list() if mark == "✅"}
    assert built == {skill.name for skill in plan.skills if skill.status_000 is DeclaredStatus.BUILT}
    assert len(built) == 16


def test_phases_of_the_analysis(plan: LibraryRoadmap) -> None:
    phases = plan.phases_of("000")
    assert len(phases) == len(analysis_phases()) == 6
    for phase, (match, names) in zip(phases, analysis_phases(), strict=True):
        number, title, weeks, declared, priority, goal = match.groups()
        assert (phase.number, phase.title, phase.weeks) == (int(number), title, weeks)
        assert (phase.declared_skills, phase.priority, phase.goal) == (int(declared), priority, goal)
        assert phase.skills == names_of(plan, [name.removesuffix(" (may already have)") for name in names])


def test_categories_and_targets_of_the_analysis(plan: LibraryRoadmap) -> None:
    tree = between(ANALYSIS, "### Proposed Enhanced Structure", "**Total Target**")
    targets = re.findall(r"(\d\d-[a-z-]+)/ .*?(\d+) skills?", tree)
    assert [(category.id, str(category.target_000)) for category in plan.categories] == targets
    assert len(targets) == 19


def test_sections_of_the_analysis(plan: LibraryRoadmap) -> None:
    coverage = between(ANALYSIS, "## Coverage Analysis", "## Quality Assessment")
    sections = re.findall(r"\*\*Section (\d+)\*\*: (.+?)(?: - .*| \(.*)? *$", coverage, flags=re.MULTILINE)
    assert [(section.id, section.title) for section in plan.sections] == [
        (f"S{number}", title) for number, title in sections
    ]
    assert len(sections) == 19


def test_success_metrics_of_the_analysis_word_for_word(plan: LibraryRoadmap) -> None:
    metrics = between(ANALYSIS, "## 📈 Success Metrics", "## Immediate Next Steps")
    expected = [
        (int(match[1]), text)
        for match, body in parts(metrics, r"^### .+ \((\d+) months\)$")
        for text in re.findall(r"^- \[ \] (.+)$", body, flags=re.MULTILINE)
    ]
    assert [(metric.months, metric.text) for metric in plan.success_metrics] == expected
    assert len(expected) == 17
    for metric in plan.success_metrics:
        figure = re.match(r"[\d,]+", metric.text)
        assert metric.value == (int(figure[0].replace(",", "")) if figure else None)
        assert (metric.measure is Measure.EXTERNAL) == (
            "skills" not in metric.text and "coverage" not in metric.text
        )


# --- document 001


def test_all_names_of_the_build_plan_are_planned(plan: LibraryRoadmap) -> None:
    tree = between(BUILD_PLAN, "## Directory Structure", "## Build Sequence")
    folders = re.findall(r"^[│ ]   [├└]── ([a-z-]+)/", tree, flags=re.MULTILINE)
    tiers = re.findall(r"^- \*\*(.+?)\*\* - ", BUILD_PLAN, flags=re.MULTILINE)
    assert len(folders) == 29
    expected = {skill.name for skill in plan.skills if skill.status_001}
    assert set(names_of(plan, folders + tiers)) == expected
    assert len(expected) == 28
    listed = {skill.name for skill in plan.skills if skill.status_001 is DeclaredStatus.LISTED}
    assert listed == expected - set(names_of(plan, tiers))


def test_tiers_of_the_build_plan(plan: LibraryRoadmap) -> None:
    for tier, text in (
        (Tier2025.T1, between(BUILD_PLAN, "### Tier 1", "### Tier 2")),
        (Tier2025.T2, between(BUILD_PLAN, "### Tier 2", "## Directory Structure")),
    ):
        names = re.findall(r"^- \*\*(.+?)\*\* - (\S+)", text, flags=re.MULTILINE)
        assert {skill_named(plan, name) for name, _ in names} == {
            skill.name for skill in plan.skills if skill.tier_001 is tier
        }


def test_build_sequence_and_order(plan: LibraryRoadmap) -> None:
    sequence = between(BUILD_PLAN, "## Build Sequence", "## Skill Seeker")
    phases = plan.phases_of("001")
    order: list[str] = []
    for phase, (match, body) in zip(
        phases, parts(sequence, r"^### Phase (\d): ([^(\n]+?)(?: \((.+)\))?$"), strict=True
    ):
        assert (phase.number, phase.title, phase.priority) == (int(match[1]), match[2], match[3])
        listed = re.findall(r"^\d+\. (.+)$", body, flags=re.MULTILINE)
        assert phase.skills == names_of(plan, listed)
        order += phase.skills
    ordered = sorted((skill.build_order, skill.name) for skill in plan.skills if skill.build_order)
    assert ordered == list(enumerate([*order, "nanogpt"], start=1))
    assert len(ordered) == 23


# --- document 002


def roadmap_phases() -> list[tuple[re.Match[str], str]]:
    development = between(ROADMAP, "## Development Phases", "## Contributing to the Roadmap")
    return parts(development, r"^### (✅|🚧) Phase (\d+): (.+?) \((.+?)\)(?: - (\d+) skills)?$")


def test_phases_of_the_roadmap_in_its_order(plan: LibraryRoadmap) -> None:
    phases = plan.phases_of("002")
    assert len(phases) == len(roadmap_phases()) == 18
    for phase, (match, body) in zip(phases, roadmap_phases(), strict=True):
        mark, number, title, words, count = match.groups()
        bullets = re.findall(r"^- (✅|\[ \]) \*\*(.+?)\*\*", body, flags=re.MULTILINE)
        assert (phase.number, phase.title, phase.complete) == (int(number), title, mark == "✅")
        assert phase.skills == names_of(plan, [name for _, name in bullets])
        declared = count or re.findall(r"\d+", words)[0]
        assert phase.declared_skills == int(declared) == len(bullets)
        assert phase.priority == (None if phase.complete else words.removesuffix(" PRIORITY"))
        assert f"**Status**: {phase.status}\n" in body
        for box, name in bullets:
            skill = plan.find(name)
            assert skill
            assert skill.status_002 == (DeclaredStatus.BUILT if box == "✅" else DeclaredStatus.PLANNED)
            assert skill.phase_002 == phase.number


def test_the_roadmap_names_no_skill_outside_its_phases(plan: LibraryRoadmap) -> None:
    assert all(bool(skill.phase_002) == bool(skill.status_002) for skill in plan.skills)


def test_targets_of_the_roadmap_word_for_word(plan: LibraryRoadmap) -> None:
    documents = {"analysis-2025-11-06": ANALYSIS, "build-plan-2025-11": BUILD_PLAN, "roadmap": ROADMAP}
    for target in plan.targets:
        text = documents[target.document].replace("**", "")
        assert target.text in text
        assert target.then is None or target.then in text


# --- the plan as a whole


def test_every_skill_is_there_once(plan: LibraryRoadmap) -> None:
    assert len(plan.skills) == len({skill.name for skill in plan.skills}) == 82
    assert all(plan.plan(skill.name) is skill for skill in plan.skills)
    assert plan.plan("trl") is None
    trl = plan.find("TRL")
    assert trl is not None and trl.name == "trl-fine-tuning"
    assert plan.find("no such tool") is None
    assert sum(len(plan.skills_in(category.id)) for category in plan.categories) == 82
    assert all(any(skill.statuses.values()) for skill in plan.skills)


def test_titles_do_not_answer_for_each_other(plan: LibraryRoadmap) -> None:
    for skill in plan.skills:
        assert plan.find(skill.title) is skill
        assert all(plan.find(alias) is skill for alias in skill.aliases)


def test_figures_that_settle_the_contradictions(plan: LibraryRoadmap) -> None:
    assert plan.figures == {
        Figure.SKILLS_NAMED: 82,
        Figure.SKILLS_NAMED_000: 63,
        Figure.SKILLS_NAMED_001: 28,
        Figure.SKILLS_NAMED_002: 69,
        Figure.BUILT_000: 16,
        Figure.BUILT_002: 41,
        Figure.TARGETS_000: 71,
        Figure.PHASES_000: 43,
        Figure.PHASES_001: 22,
        Figure.PHASES_002: 69,
        Figure.TIER_1: 16,
        Figure.TIER_2: 7,
        Figure.BUILD_ORDER: 23,
        Figure.SECTIONS_WITHOUT_SKILLS: 3,
    }
    assert len(plan.contradictions) == 22


def test_skills_per_section(plan: LibraryRoadmap) -> None:
    counts = [len(plan.skills_for(section.id)) for section in plan.sections]
    assert counts == [9, 5, 5, 7, 3, 12, 3, 4, 8, 6, 0, 0, 6, 4, 1, 3, 3, 4, 0]
    assert all(skill.sections for skill in plan.skills)


def test_lifecycles(plan: LibraryRoadmap) -> None:
    past = {skill.name: (skill.lifecycle, skill.by) for skill in plan.skills if skill.lifecycle != "active"}
    assert past == {
        "composer": (Lifecycle.RETIRED, None),
        "nanogpt": (Lifecycle.SUPERSEDED, None),
        "autoawq": (Lifecycle.SUPERSEDED, "awq"),
        "semantic-kernel": (Lifecycle.SUPERSEDED, None),
        "perspective-api": (Lifecycle.RETIRED, "llamaguard"),
    }


def test_the_file_is_block_style_without_aliases_or_tabs() -> None:
    assert "\t" not in TEXT
    assert TEXT.startswith("# yaml-language-server: $schema=./library.schema.json\n")
    events = list(yaml.parse(TEXT))
    assert not any(isinstance(event, yaml.AliasEvent) for event in events)
    assert not any(getattr(event, "flow_style", False) for event in events)
    assert not re.search(r"^[^#\n].*\s#", TEXT, flags=re.MULTILINE), "comments stand at the head only"


# --- what does not fit together


def load(root: Path, text: str) -> list[str]:
    file = root / LIBRARY_FILE
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return [str(problem) for problem in load_library_roadmap(root)[1]]


def skill_with(old: str, new: str, name: str) -> tuple[str, int]:
    """The file with `old` of the record of `name` replaced, and the line on which it stood."""
    start = TEXT.index(f"  - name: {name}\n")
    position = TEXT.index(old, start)
    assert position < TEXT.find("\n\n", start)
    return TEXT[:position] + new + TEXT[position + len(old) :], TEXT[:position].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "old", "new", "offset", "message"),
    [
        ("litgpt", "category: 01-model-architecture", "category: 20-none", 0, "unknown category '20-none'"),
        ("litgpt", "- S1\n", "- S20\n", 0, "names the unknown section 'S20'"),
        ("litgpt", "- S1\n", "- S5\n", -1, "litgpt: counts for S5, which does not have the category"),
        ("litgpt", "phase_002: 1", "phase_002: 19", 0, "litgpt: names the unknown phase 19 of document 002"),
        ("litgpt", "phase_002: 1", "phase_002: 2", 0, "litgpt: is not listed by phase 2 of document 002"),
        ("litgpt", "build_order: 14", "build_order: 9", 0, "has the build_order 9 twice"),
        ("litgpt", "name: litgpt", "name: megatron-core", 0, "has the name 'megatron-core' twice"),
        (
            "gptq",
            "also_in:\n      - 12-inference-serving",
            "also_in:\n      - 10-optimization",
            0,
            "also in its own",
        ),
        ("gptq", "- 12-inference-serving", "- 12-nowhere", 0, "names the unknown category '12-nowhere'"),
        ("autoawq", "    by: awq\n", "", -1, "autoawq: is superseded by nothing"),
        ("autoawq", "by: awq", "by: awq2", 0, "names the unknown skill 'awq2'"),
        ("autoawq", "by: awq", "by: autoawq", 0, "autoawq: succeeds itself"),
        (
            "autoawq",
            "lifecycle: superseded",
            "lifecycle: active",
            0,
            "autoawq: is active and has a successor",
        ),
        (
            "trl-fine-tuning",
            "- dpo-trainer",
            "- trl",
            0,
            "the alias 'trl' already belongs to trl-fine-tuning",
        ),
        ("trl-fine-tuning", "- dpo-trainer", "- simpo", 0, "the alias 'simpo' already belongs to simpo"),
        ("mamba", "status_002: built", "status_000: built", -1, "mamba: is in a phase of document 002"),
        ("mamba", "source: https://", "source: http://", 0, "skills.4.source"),
        ("mamba", "source: https://", "colour: https://", 0, "has the unknown field skills.4.colour"),
        ("mamba", "title: Mamba", "title: 7", 0, "skills.4.title is not text"),
    ],
)
def test_faults_of_a_skill_name_their_line(
    tmp_path: Path, name: str, old: str, new: str, offset: int, message: str
) -> None:
    text, line = skill_with(old, new, name)
    problems = [problem for problem in load(tmp_path, text) if message in problem]
    assert [problem.split(":")[1] for problem in problems] == [str(line + offset)]
    assert all(" → " in problem for problem in problems)


@pytest.mark.parametrize(
    ("old", "new", "offset", "message"),
    [
        ("      - openrlhf\n", "      - openrlhf2\n", 0, "names the unknown skill 'openrlhf2'"),
        ("      - openrlhf\n", "      - whisper\n", 0, "lists whisper, whose `phase_000` is not 1"),
        (
            "  - document: roadmap\n    number: 2\n",
            "  - document: roadmap\n    number: 1\n",
            1,
            "'roadmap 1' twice",
        ),
        ("  - document: roadmap\n", "  - document: map\n", 0, "names the unknown document 'map'"),
        ("    slug: tokenization\n", "    slug: tokens\n", 0, "has the slug 'tokens' for 02-tokenization"),
        ("  - id: S2\n", "  - id: S1\n", 0, "has the id 'S1' twice in sections"),
        ("      - 07-safety-alignment\n", "      - 07-safety\n", 0, "names the unknown category '07-safety'"),
        ("  - id: skills-001\n", "  - id: skills-000\n", 0, "has the id 'skills-000' twice in targets"),
        ('    weeks: "3-4"\n', '    weeks: "4-3"\n', 0, "the weeks 4-3 end before they begin"),
        (
            "    measure: external\n",
            "    measure: section_coverage\n",
            -3,
            "sections are named exactly where",
        ),
        ("    value: 30\n", "    declared: 30\n", 0, "has the unknown field success_metrics.0.declared"),
        ("      - skills_total\n", "      - skills_guessed\n", 0, "contradictions.2.figures.3"),
    ],
)
def test_faults_elsewhere_name_their_line(
    tmp_path: Path, old: str, new: str, offset: int, message: str
) -> None:
    assert old in TEXT
    line = TEXT[: TEXT.index(old)].count("\n") + 1 + offset
    problems = [problem for problem in load(tmp_path, TEXT.replace(old, new, 1)) if message in problem]
    assert str(line) in [problem.split(":")[1] for problem in problems], problems


def test_the_plan_checks_itself_without_its_file(plan: LibraryRoadmap) -> None:
    assert cross_check(plan) == ()
    twice = plan.model_copy(update={"skills": (*plan.skills, plan.skills[0])})
    assert "has the name 'megatron-core' twice" in "\n".join(map(str, cross_check(twice)))


def test_a_tree_without_a_plan(tmp_path: Path) -> None:
    roadmap, problems = load_library_roadmap(tmp_path)
    assert roadmap is None
    assert str(problems[0]).startswith("docs/roadmaps/library.yml: cannot be read")
