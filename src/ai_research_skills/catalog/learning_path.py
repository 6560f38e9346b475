"""The 36-week learning path: its words as they were written, and for every item where to learn it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from ai_research_skills.catalog.library_roadmap import (
    Declared,
    Fault,
    Number,
    Slug,
    Text,
    Weeks,
    doubled,
    place,
    span,
)
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.source import read_source
from ai_research_skills.catalog.yaml_document import Key, YamlDocument, parse_yaml, validate

LEARNING_PATH_FILE = Path("docs/roadmaps/frontier-ai.yml")

DAYS_PER_MONTH = 365.25 / 12

NotebookName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$")]


class IdentifierKind(StrEnum):
    """What names a resource; each has one way to its address."""

    ARXIV = "arxiv"
    DOI = "doi"
    GITHUB = "github"
    ISBN = "isbn"
    URL = "url"
    YOUTUBE = "youtube"


_PATTERNS = {
    IdentifierKind.ARXIV: r"[0-9]{2}(0[1-9]|1[0-2])\.[0-9]{4,5}",
    IdentifierKind.DOI: r"10\.[0-9]{4,9}/\S+",
    IdentifierKind.GITHUB: r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+(/(blob|tree)/\S+)?",
    IdentifierKind.ISBN: r"97[89][0-9]{10}",
    IdentifierKind.URL: r"https://[^\s/]+\.\S+",
    IdentifierKind.YOUTUBE: r"[A-Za-z0-9_-]{11}",
}

_ADDRESSES = {
    IdentifierKind.ARXIV: "https://arxiv.org/abs/{}",
    IdentifierKind.DOI: "https://doi.org/{}",
    IdentifierKind.GITHUB: "https://github.com/{}",
    IdentifierKind.ISBN: "https://openlibrary.org/isbn/{}",
    IdentifierKind.URL: "{}",
    IdentifierKind.YOUTUBE: "https://www.youtube.com/watch?v={}",
}


class Identifier(Declared):
    """What a resource is known by, `arxiv 1706.03762`."""

    kind: IdentifierKind
    value: Text

    @model_validator(mode="after")
    def _looks_like_its_kind(self) -> Identifier:
        if not re.fullmatch(_PATTERNS[self.kind], self.value):
            raise ValueError(f"{self.value!r} does not look like an identifier of the kind {self.kind}")
        if self.kind is IdentifierKind.ISBN and not _isbn_adds_up(self.value):
            raise ValueError(f"{self.value!r} has the wrong check digit")
        return self

    @property
    def url(self) -> str:
        return _ADDRESSES[self.kind].format(self.value)


def _isbn_adds_up(digits: str) -> bool:
    return sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10 == 0


class Role(StrEnum):
    """What a resource is for."""

    PRIMARY = "primary"
    SUPPORTING = "supporting"
    HANDS_ON = "hands-on"


class Resource(Declared):
    """Something to read, watch or run. The first identifier is the one to follow."""

    role: Role
    title: Text
    authors: str | None = None
    year: str | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    note: str | None = None

    @property
    def url(self) -> str:
        return self.identifiers[0].url


class Item(Declared):
    """One box to tick. The text is verbatim; what is wrong about it stands in `correction`."""

    id: Slug
    text: Text
    correction: str | None = None
    resources: tuple[Resource, ...] = ()


class NoteKind(StrEnum):
    """The bold word that begins a note."""

    CRITICAL = "critical"
    RESOURCE = "resource"
    DELIVERABLE = "deliverable"


class Note(Declared):
    """A line of a block that is no box: `- **Critical:** Start Project 1`."""

    kind: NoteKind
    text: Text
    resources: tuple[Resource, ...] = ()

    @property
    def label(self) -> str:
        return self.kind.value.capitalize()


class Block(Declared):
    """Two weeks of the path.

    Attributes:
        skills: Skills of this library that help.
        notebooks: Notebooks that help, `family/slug`.
        further: Resources for the block as a whole.
    """

    id: Slug
    phase: Slug
    weeks: Weeks
    title: Text
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    notes: tuple[Note, ...] = ()
    skills: tuple[Slug, ...] = ()
    notebooks: tuple[NotebookName, ...] = ()
    further: tuple[Resource, ...] = ()

    @property
    def span(self) -> range:
        return span(self.weeks)


class Checkpoint(Declared):
    """What must hold before the next phase."""

    title: Text
    items: Annotated[tuple[Item, ...], Field(min_length=1)]


class Phase(Declared):
    """One of the five parts of the path; its blocks name it."""

    id: Slug
    number: Number
    title: Text
    weeks: Weeks
    goal: Text
    checkpoint: Checkpoint

    @property
    def span(self) -> range:
        return span(self.weeks)


class Project(Declared):
    """One of the six portfolio projects, from the block that starts it to the block that ends it."""

    id: Slug
    number: Number
    title: Text
    what: Text
    start: Slug
    due: Slug
    items: Annotated[tuple[Slug, ...], Field(min_length=1)]


class Milestone(Declared):
    """A line of the table of milestones."""

    week: Number
    text: Text
    project: Number
    note: str | None = None


class Session(Declared):
    """One sitting of the weekly rhythm."""

    day: Text
    activity: Text
    hours: Annotated[float, Field(gt=0)]


class Rhythm(Declared):
    """The week as the document recommends it."""

    title: Text
    sessions: Annotated[tuple[Session, ...], Field(min_length=1)]
    project_phases: Text

    @property
    def hours(self) -> float:
        return sum(session.hours for session in self.sessions)


class Adjustment(Declared):
    """A question of the document with its answer, and a note where the answer does not add up."""

    id: Slug
    question: Text
    answer: Text
    note: str | None = None


class Hours(Declared):
    """A low, a middle and a high number of hours."""

    low: Annotated[float, Field(gt=0)]
    mid: Annotated[float, Field(gt=0)]
    high: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _rises(self) -> Hours:
        if not self.low <= self.mid <= self.high:
            raise ValueError("low, mid and high must not fall")
        return self

    def times(self, weeks: int) -> Hours:
        return Hours(low=self.low * weeks, mid=self.mid * weeks, high=self.high * weeks)

    def plus(self, other: Hours) -> Hours:
        return Hours(low=self.low + other.low, mid=self.mid + other.mid, high=self.high + other.high)


class Pace(Declared):
    """Hours in an ordinary week and in a week with a project."""

    ordinary: Hours
    project: Hours
    note: Text


class LearningPath(Declared):
    """The learning path: `docs/roadmaps/frontier-ai.yml`."""

    id: Slug
    title: Text
    note: Text
    intro: Text
    pace: Pace
    phases: tuple[Phase, ...]
    blocks: tuple[Block, ...]
    projects: tuple[Project, ...]
    rhythm: Rhythm
    milestones: tuple[Milestone, ...]
    adjustments: tuple[Adjustment, ...]
    closing: Text

    def blocks_of(self, phase: Phase) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.phase == phase.id)

    @property
    def items(self) -> tuple[Item, ...]:
        """Every box of the path in the document's order: a phase's blocks, then its checkpoint."""
        items: list[Item] = []
        for phase in self.phases:
            for block in self.blocks_of(phase):
                items += block.items
            items += phase.checkpoint.items
        return tuple(items)

    def item(self, id_: str) -> Item | None:
        return next((item for item in self.items if item.id == id_), None)

    def block(self, id_: str) -> Block | None:
        return next((block for block in self.blocks if block.id == id_), None)

    def project(self, number: int) -> Project | None:
        return next((project for project in self.projects if project.number == number), None)

    def projects_of(self, item_id: str) -> tuple[Project, ...]:
        """The projects that the item is part of: one line of the document ends two of them."""
        return tuple(project for project in self.projects if item_id in project.items)

    @property
    def item_count(self) -> int:
        return len(self.items)

    @property
    def weeks(self) -> int:
        return max((block.span[-1] for block in self.blocks), default=0)

    @property
    def months(self) -> float:
        """The weeks in months of average length."""
        return self.weeks * 7 / DAYS_PER_MONTH

    def weeks_of(self, project: Project) -> range:
        """From the first week of the block that starts the project to the last of the one that ends it."""
        start, due = self.block(project.start), self.block(project.due)
        return range(start.span[0], due.span[-1] + 1) if start and due else range(0)

    @property
    def project_weeks(self) -> frozenset[int]:
        """Weeks in which at least one project runs."""
        return frozenset(week for project in self.projects for week in self.weeks_of(project))

    @property
    def hours(self) -> Hours:
        """The whole path: project weeks at the pace of projects, the others at the ordinary one."""
        busy = len(self.project_weeks)
        return self.pace.ordinary.times(self.weeks - busy).plus(self.pace.project.times(busy))

    @property
    def flat_hours(self) -> float:
        """The whole path at the weekly rhythm, as if no week were a project week."""
        return self.weeks * self.rhythm.hours


def load_learning_path(
    root: Path, *, skills: Collection[str] | None = None
) -> tuple[LearningPath | None, tuple[Problem, ...]]:
    """Read the path below `root`; where `skills` is given, a block may name only those."""
    source = read_source(root, root / LEARNING_PATH_FILE)
    if not source.text:
        return None, source.problems
    document = parse_yaml(source.path, source.text)
    path, problems = validate(source.path, document, LearningPath)
    found = cross_check(path, document, skills=skills) if path else ()
    return path, (*source.problems, *problems, *found)


def cross_check(
    path: LearningPath, document: YamlDocument | None = None, *, skills: Collection[str] | None = None
) -> tuple[Problem, ...]:
    """What no single record shows: ids twice, names that do not exist, weeks that do not follow."""
    return place(LEARNING_PATH_FILE, document, _faults(path, skills))


def _faults(path: LearningPath, skills: Collection[str] | None) -> Iterator[Fault]:
    for field in ("phases", "blocks", "projects", "adjustments"):
        yield from doubled(field, "id", [record.id for record in getattr(path, field)])
    yield from _doubled_items(path)
    yield from _weeks_that_do_not_follow(path)
    yield from _faults_of_projects(path)
    for index, milestone in enumerate(path.milestones):
        key: Key = ("milestones", index)
        if milestone.week > path.weeks:
            message = f"has a milestone in week {milestone.week}, after the last week {path.weeks}"
            yield (*key, "week"), message, "correct the week"
        if not path.project(milestone.project):
            message = f"names the unknown project {milestone.project}"
            yield (*key, "project"), message, "correct the number"
    for index, block in enumerate(path.blocks):
        for position, name in enumerate(block.skills):
            if skills is not None and name not in skills:
                message = f"{block.id}: names the unknown skill {name!r}"
                yield ("blocks", index, "skills", position), message, "correct it, or plan the skill"


def _doubled_items(path: LearningPath) -> Iterator[Fault]:
    places: list[tuple[Key, Item]] = [
        (("blocks", index, "items", position, "id"), item)
        for index, block in enumerate(path.blocks)
        for position, item in enumerate(block.items)
    ]
    places += [
        (("phases", index, "checkpoint", "items", position, "id"), item)
        for index, phase in enumerate(path.phases)
        for position, item in enumerate(phase.checkpoint.items)
    ]
    seen: set[str] = set()
    for key, item in places:
        if item.id in seen:
            yield key, f"has the item {item.id!r} twice", "give each item its own id"
        seen.add(item.id)


def _weeks_that_do_not_follow(path: LearningPath) -> Iterator[Fault]:
    phases = {phase.id: phase for phase in path.phases}
    expected = 1
    for index, block in enumerate(path.blocks):
        key: Key = ("blocks", index)
        if block.span[0] != expected:
            yield (*key, "weeks"), f"{block.id}: does not begin in week {expected}", "correct `weeks`"
        expected = block.span[-1] + 1
        phase = phases.get(block.phase)
        if not phase:
            yield (*key, "phase"), f"{block.id}: names the unknown phase {block.phase!r}", "correct the id"
        elif not set(block.span) <= set(phase.span):
            message = f"{block.id}: lies outside weeks {phase.weeks} of {phase.id}"
            yield (*key, "phase"), message, "correct the phase or the weeks"
    expected = 1
    for index, phase in enumerate(path.phases):
        if phase.span[0] != expected:
            message = f"{phase.id}: does not begin in week {expected}"
            yield ("phases", index, "weeks"), message, "correct `weeks`"
        expected = phase.span[-1] + 1
    if path.phases and path.phases[-1].span[-1] != path.weeks:
        message = f"{path.phases[-1].id}: does not end with the last block in week {path.weeks}"
        yield ("phases", len(path.phases) - 1, "weeks"), message, "correct `weeks`"


def _faults_of_projects(path: LearningPath) -> Iterator[Fault]:
    for index, project in enumerate(path.projects):
        key: Key = ("projects", index)
        if project.number != index + 1:
            yield (*key, "number"), f"{project.id}: is not number {index + 1}", "number the projects in order"
        for field in ("start", "due"):
            name = getattr(project, field)
            if not path.block(name):
                yield (*key, field), f"{project.id}: names the unknown block {name!r}", "correct the id"
        start, due = path.block(project.start), path.block(project.due)
        if start and due and due.span[-1] < start.span[0]:
            yield (*key, "due"), f"{project.id}: is due before it starts", "exchange `start` and `due`"
        for position, item in enumerate(project.items):
            if not path.item(item):
                message = f"{project.id}: names the unknown item {item!r}"
                yield (*key, "items", position), message, "correct the id"
