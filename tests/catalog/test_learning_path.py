"""The learning path, rebuilt from its file and held against the document byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ai_research_skills.catalog.learning_path import (
    LEARNING_PATH_FILE,
    Block,
    Checkpoint,
    Identifier,
    IdentifierKind,
    LearningPath,
    NoteKind,
    Resource,
    Role,
    load_learning_path,
)
from ai_research_skills.catalog.library_roadmap import load_library_roadmap

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / LEARNING_PATH_FILE).read_text(encoding="utf-8")
DOCUMENT = (Path(__file__).parent / "data" / "learning-roadmap.md").read_bytes()


def library_names() -> set[str]:
    roadmap, _ = load_library_roadmap(ROOT)
    assert roadmap
    return {skill.name for skill in roadmap.skills}


@pytest.fixture(scope="module")
def path() -> LearningPath:
    found, problems = load_learning_path(ROOT, skills=library_names())
    assert problems == ()
    assert found is not None
    return found


def resources(path: LearningPath) -> Iterator[Resource]:
    for item in path.items:
        yield from item.resources
    for block in path.blocks:
        yield from block.further
        for note in block.notes:
            yield from note.resources


# --- the document's own words


def document_of(path: LearningPath) -> str:
    rule = "---"
    parts = [f"# {path.title}", path.intro, rule]
    for phase in path.phases:
        parts += [f"## Phase {phase.number}: {phase.title} (Weeks {phase.weeks})", f"**Goal:** {phase.goal}"]
        parts += [block_of(block) for block in path.blocks_of(phase)]
        parts += [f"**{phase.checkpoint.title}:**\n{boxes_of(phase.checkpoint)}", rule]
    parts += ["## Weekly Rhythm", f"**{path.rhythm.title}:**"]
    parts += ["\n".join(["| Day | Activity | Time |", "|-----|----------|------|", *sessions_of(path)])]
    parts += [f"**During Project Phases:** {path.rhythm.project_phases}", rule, "## Milestones"]
    parts += ["\n".join(["| Week | Milestone |", "|------|-----------|", *milestones_of(path)]), rule]
    parts += ["## Adjustments", "\n".join(f"- **{a.question}** {a.answer}" for a in path.adjustments), rule]
    return "\n\n".join([*parts, f"*{path.closing}*"]) + "\n"


def block_of(block: Block) -> str:
    notes = [f"- **{note.label}:** {note.text}" for note in block.notes]
    return "\n".join([f"### Week {block.weeks}: {block.title}", boxes_of(block), *notes])


def boxes_of(part: Block | Checkpoint) -> str:
    return "\n".join(f"- [ ] {item.text}" for item in part.items)


def sessions_of(path: LearningPath) -> list[str]:
    return [f"| {one.day} | {one.activity} | {one.hours:g} hr |" for one in path.rhythm.sessions]


def milestones_of(path: LearningPath) -> list[str]:
    return [f"| {milestone.week} | {milestone.text} |" for milestone in path.milestones]


def test_the_document_can_be_rebuilt_byte_for_byte(path: LearningPath) -> None:
    assert document_of(path).encode() == DOCUMENT


def test_the_ninety_boxes_in_order(path: LearningPath) -> None:
    boxes = re.findall(rb"^- \[ \] (.+)$", DOCUMENT, flags=re.MULTILINE)
    assert [item.text.encode() for item in path.items] == boxes
    assert path.item_count == len(boxes) == 90


def test_notes_keep_their_bold_word(path: LearningPath) -> None:
    notes = re.findall(
        r"^- \*\*(Critical|Resource|Deliverable):\*\* (.+)$", DOCUMENT.decode(), flags=re.MULTILINE
    )
    assert [(note.label, note.text) for block in path.blocks for note in block.notes] == notes
    assert [label for label, _ in notes].count("Critical") == 5
    assert {note.kind for block in path.blocks for note in block.notes} == set(NoteKind)


# --- ids


def test_ids_follow_from_the_texts_and_so_never_change(path: LearningPath) -> None:
    def words(text: str) -> str:
        return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")

    in_checkpoints = {item.id for phase in path.phases for item in phase.checkpoint.items}
    for item in path.items:
        prefix = "cp-" if item.id in in_checkpoints else ""
        assert item.id == prefix + words(item.text)
    assert len({item.id for item in path.items}) == 90
    assert [block.id for block in path.blocks] == [f"weeks-{block.weeks}" for block in path.blocks]
    assert len(path.blocks) == 18
    assert path.item("alphacodeium-flow-engineering") in path.items
    assert path.item("no-such-item") is None


# --- arithmetic


def test_hours_and_weeks(path: LearningPath) -> None:
    assert path.weeks == 36
    assert (path.hours.low, path.hours.mid, path.hours.high) == (180, 216, 252)
    assert path.flat_hours == 144
    assert path.rhythm.hours == 4
    weeks = {*range(3, 9), *range(11, 17), *range(19, 25), *range(29, 33), 35, 36}
    assert path.project_weeks == weeks


def test_the_notes_state_what_the_arithmetic_gives(path: LearningPath) -> None:
    notes = {adjustment.id: adjustment.note or "" for adjustment in path.adjustments}
    weeks_in_four_months = path.weeks * 4 / path.months
    assert f"about {path.flat_hours / weeks_in_four_months:.1f} hours a week" in notes["faster"]
    assert f"about {path.hours.mid / weeks_in_four_months:.1f} once" in notes["faster"]
    assert f"the path is {path.flat_hours:g} hours" in notes["faster"]
    assert f"in {-(-path.flat_hours // 7):g} to {path.flat_hours / 6:g} weeks" in notes["faster"]
    middle = [week for phase in path.phases[1:3] for week in phase.span]
    busy = len(path.project_weeks & set(middle))
    hours = busy * path.pace.project.mid + (len(middle) - busy) * path.pace.ordinary.mid
    assert f"{len(middle)} of the 36 weeks" in notes["limited-time"]
    assert f"about {hours:g} hours" in notes["limited-time"]
    assert f"{path.months:.1f} months" in path.note


def test_milestones_that_come_before_their_project_is_due_say_so(path: LearningPath) -> None:
    for milestone in path.milestones:
        project = path.project(milestone.project)
        assert project
        assert bool(milestone.note) == (milestone.week < path.weeks_of(project)[-1])


def test_projects(path: LearningPath) -> None:
    assert [project.number for project in path.projects] == [1, 2, 3, 4, 5, 6]
    starts = {
        match[1]: match[2]
        for block in path.blocks
        for note in block.notes
        if (match := re.fullmatch(r"Start Project (\d) \((.+)\)", note.text))
    }
    for project in path.projects[:5]:
        start = path.block(project.start)
        assert start and any(f"Start Project {project.number} " in note.text for note in start.notes)
        assert project.title == starts[str(project.number)]
    ends = path.item("complete-projects-3-4")
    assert ends and [project.number for project in path.projects_of(ends.id)] == [3, 4]
    for item in path.items:
        named = re.search(r"Projects? (\d)(?: & (\d))?", item.text)
        if named:
            numbers = [int(number) for number in named.groups() if number]
            assert [project.number for project in path.projects_of(item.id)] == numbers


# --- resources


def test_resources_are_named_and_lead_somewhere(path: LearningPath) -> None:
    found = list(resources(path))
    assert len(found) == 171
    for resource in found:
        assert resource.title == resource.title.strip()
        assert re.fullmatch(r"https://[^\s/]+\.[^\s/]+(/\S*)?", resource.url)
        assert resource.year is None or re.fullmatch(r"(19|20)\d\d([-/](\d\d)?)?(\d\d)?", resource.year)
        kinds = [identifier.kind for identifier in resource.identifiers]
        assert len(set(kinds)) == len(kinds)


def test_arxiv_numbers_are_not_younger_than_their_year(path: LearningPath) -> None:
    for resource in resources(path):
        for identifier in resource.identifiers:
            if identifier.kind is IdentifierKind.ARXIV and not resource.note:
                assert 2000 + int(identifier.value[:2]) == int((resource.year or "")[:4]), resource.title


def test_no_identifier_stands_for_two_titles(path: LearningPath) -> None:
    titles: dict[str, set[str]] = {}
    for resource in resources(path):
        for identifier in resource.identifiers:
            titles.setdefault(identifier.url, set()).add(resource.title)
    shared = {url for url, names in titles.items() if len(names) > 1}
    assert shared == {"https://www.deeplearningbook.org/contents/mlp.html"}


def test_items_without_resources_are_work_to_do(path: LearningPath) -> None:
    in_checkpoints = {item.id for phase in path.phases for item in phase.checkpoint.items}
    bare = [item.text for item in path.items if not item.resources and item.id not in in_checkpoints]
    assert bare == [
        "Complete Project 1 blog post",
        "Complete Project 2",
        "Complete Projects 3 & 4",
        "Complete Project 5",
        "Technical blog with 3+ posts",
    ]


def test_every_item_to_study_has_something_primary_or_hands_on(path: LearningPath) -> None:
    for item in path.items:
        assert not item.resources or {resource.role for resource in item.resources} & {
            Role.PRIMARY,
            Role.HANDS_ON,
        }


def test_corrections(path: LearningPath) -> None:
    corrected = {item.id: item.correction for item in path.items if item.correction}
    assert set(corrected) == {
        "openai-preference-finetuning-docs",
        "alphacodeium-flow-engineering",
        "read-chip-huyen-s-book",
        "cp-technical-blog-with-3-posts",
    }
    alpha = path.item("alphacodeium-flow-engineering")
    assert alpha and alpha.resources[0].url == "https://arxiv.org/abs/2401.08500"
    assert "AlphaCodium" in (alpha.correction or "")


@pytest.mark.parametrize(
    ("kind", "value", "url"),
    [
        ("arxiv", "1706.03762", "https://arxiv.org/abs/1706.03762"),
        ("doi", "10.1038/323533a0", "https://doi.org/10.1038/323533a0"),
        ("github", "karpathy/nanoGPT", "https://github.com/karpathy/nanoGPT"),
        ("github", "a/b/blob/main/c.md", "https://github.com/a/b/blob/main/c.md"),
        ("isbn", "9781098107963", "https://openlibrary.org/isbn/9781098107963"),
        ("url", "https://d2l.ai/", "https://d2l.ai/"),
        ("youtube", "VMj-3S1tku0", "https://www.youtube.com/watch?v=VMj-3S1tku0"),
    ],
)
def test_identifiers_give_their_address(kind: str, value: str, url: str) -> None:
    assert Identifier(kind=IdentifierKind(kind), value=value).url == url


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("arxiv", "1713.03762"),
        ("arxiv", "arXiv:1706.03762"),
        ("arxiv", "1706.03762v2"),
        ("doi", "https://doi.org/10.1038/323533a0"),
        ("github", "https://github.com/karpathy/nanoGPT"),
        ("github", "karpathy"),
        ("isbn", "9781098107964"),
        ("isbn", "109810796X"),
        ("url", "http://d2l.ai/"),
        ("url", "d2l.ai"),
        ("youtube", "https://youtu.be/VMj-3S1tku0"),
    ],
)
def test_identifiers_of_the_wrong_form_are_refused(kind: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"does not look like|wrong check digit"):
        Identifier(kind=IdentifierKind(kind), value=value)


# --- what does not fit together


def load(root: Path, text: str) -> list[str]:
    file = root / LEARNING_PATH_FILE
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return [str(problem) for problem in load_learning_path(root, skills=library_names())[1]]


@pytest.mark.parametrize(
    ("old", "new", "offset", "message"),
    [
        ("      - nanogpt\n", "      - nanogpt2\n", 0, "weeks-1-2: names the unknown skill 'nanogpt2'"),
        (
            "      - id: read-kaplan-et-al",
            "      - id: read-chinchilla-paper #",
            0,
            "'read-chinchilla-paper' twice",
        ),
        ("  - id: weeks-3-4\n", "  - id: weeks-1-2\n", 0, "has the id 'weeks-1-2' twice in blocks"),
        ('    weeks: "3-4"\n', '    weeks: "4-5"\n', 0, "weeks-3-4: does not begin in week 3"),
        ('    weeks: "3-4"\n', '    weeks: "4-3"\n', 0, "the weeks 4-3 end before they begin"),
        ('    weeks: "9-16"\n', '    weeks: "10-16"\n', 0, "phase-2: does not begin in week 9"),
        (
            '    weeks: "33-36"\n',
            '    weeks: "33-38"\n',
            0,
            "phase-5: does not end with the last block in week 36",
        ),
        (
            'phase: phase-1\n    weeks: "3-4"',
            'phase: phase-2\n    weeks: "3-4"',
            0,
            "outside weeks 9-16 of phase-2",
        ),
        (
            'phase: phase-1\n    weeks: "3-4"',
            'phase: phase-9\n    weeks: "3-4"',
            0,
            "the unknown phase 'phase-9'",
        ),
        ("    start: weeks-3-4\n", "    start: weeks-3\n", 0, "project-1: names the unknown block 'weeks-3'"),
        ("    due: weeks-7-8\n", "    due: weeks-1-2\n", 0, "project-1: is due before it starts"),
        (
            "      - train-on-small-dataset\n",
            "      - train\n",
            0,
            "project-1: names the unknown item 'train'",
        ),
        ("    number: 6\n", "    number: 7\n", 0, "project-6: is not number 6"),
        ("  - week: 36\n", "  - week: 40\n", 0, "has a milestone in week 40, after the last week 36"),
        ("    project: 6\n", "    project: 9\n", 0, "names the unknown project 9"),
        (
            'value: "1412.6980"',
            'value: "1499.6980"',
            -1,
            "does not look like an identifier of the kind arxiv",
        ),
        (
            "      - cuda-kernels/reductions-and-online-softmax\n",
            "      - softmax\n",
            0,
            "blocks.2.notebooks.0",
        ),
        ("      hours: 1.5\n", "      hours: 0\n", 0, "rhythm.sessions.1.hours"),
        ("    low: 3\n", "    low: 30\n", -1, "low, mid and high must not fall"),
        ("closing: ", "ending: ", 0, "has the unknown field ending"),
    ],
)
def test_faults_name_their_line(tmp_path: Path, old: str, new: str, offset: int, message: str) -> None:
    assert old in TEXT
    line = TEXT[: TEXT.index(old)].count("\n") + 1 + offset
    problems = [problem for problem in load(tmp_path, TEXT.replace(old, new, 1)) if message in problem]
    assert str(line) in [problem.split(":")[1] for problem in problems], problems


def test_skills_are_not_looked_up_where_none_are_given(tmp_path: Path) -> None:
    file = tmp_path / LEARNING_PATH_FILE
    file.parent.mkdir(parents=True)
    file.write_text(TEXT.replace("      - nanogpt\n", "      - nanogpt2\n"), encoding="utf-8")
    assert load_learning_path(tmp_path)[1] == ()


def test_a_tree_without_a_path(tmp_path: Path) -> None:
    path, problems = load_learning_path(tmp_path)
    assert path is None
    assert str(problems[0]).startswith("docs/roadmaps/frontier-ai.yml: cannot be read")


def test_the_file_is_block_style_without_aliases_or_tabs() -> None:
    assert "\t" not in TEXT
    assert TEXT.startswith("# yaml-language-server: $schema=./frontier-ai.schema.json\n")
    events = list(yaml.parse(TEXT))
    assert not any(isinstance(event, yaml.AliasEvent) for event in events)
    assert not any(getattr(event, "flow_style", False) for event in events)
