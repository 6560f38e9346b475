"""The library's plan: which document named which skill, in which phase, and what was declared of it then.

Everything here was said by somebody. What is true of the tree is computed elsewhere and shown beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Lifecycle
from ai_research_skills.catalog.source import read_source
from ai_research_skills.catalog.yaml_document import Key, YamlDocument, parse_yaml, validate

LIBRARY_FILE = Path("docs/roadmaps/library.yml")


def span(weeks: str) -> range:
    """`3-4` → weeks 3 and 4."""
    first, _, last = weeks.partition("-")
    return range(int(first), int(last) + 1)


def _rises(weeks: str) -> str:
    if not span(weeks):
        raise ValueError(f"the weeks {weeks} end before they begin")
    return weeks


Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Text = Annotated[str, Field(min_length=1)]
HttpsUrl = Annotated[str, Field(pattern=r"^https://[^\s/]+\.[^\s]+$")]
Weeks = Annotated[str, Field(pattern=r"^[1-9][0-9]*-[1-9][0-9]*$"), AfterValidator(_rises)]
CategoryId = Annotated[str, Field(pattern=r"^[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*$")]
SectionId = Annotated[str, Field(pattern=r"^S[1-9][0-9]?$")]
Number = Annotated[int, Field(ge=1)]
DocumentNumber = Literal["000", "001", "002"]

Fault = tuple[Key, str, str]
"""Where in the document, what is wrong, what to do about it."""


class Declared(BaseModel):
    """A record of a roadmap file: frozen, and no field that the model does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeclaredStatus(StrEnum):
    """What a document said of a skill when it was written."""

    BUILT = "built"
    PLANNED = "planned"
    LISTED = "listed"
    """A folder in a tree, with no word on whether or when."""


class Tier2025(StrEnum):
    """The priority that the build plan of 2025 gave; no measure of what a page is worth."""

    T1 = "T1"
    T2 = "T2"


class Measure(StrEnum):
    """How a declared figure can be held against the tree."""

    SKILLS_TOTAL = "skills_total"
    SECTION_COVERAGE = "section_coverage"
    GOLD_SKILLS = "gold_skills"
    AVERAGE_LINES = "average_lines"
    DOCUMENTATION_LINES = "documentation_lines"
    EXTERNAL = "external"
    """Cannot be computed from the tree: stars, contributors, partnerships."""


class Figure(StrEnum):
    """A computed number that can stand beside a declared one.

    Those of the plan come from `LibraryRoadmap.figures`; the last three belong to whoever counts the tree.
    """

    SKILLS_NAMED = "skills_named"
    SKILLS_NAMED_000 = "skills_named_000"
    SKILLS_NAMED_001 = "skills_named_001"
    SKILLS_NAMED_002 = "skills_named_002"
    BUILT_000 = "built_000"
    BUILT_002 = "built_002"
    TARGETS_000 = "targets_000"
    PHASES_000 = "phases_000"
    PHASES_001 = "phases_001"
    PHASES_002 = "phases_002"
    TIER_1 = "tier_1"
    TIER_2 = "tier_2"
    BUILD_ORDER = "build_order"
    SECTIONS_WITHOUT_SKILLS = "sections_without_skills"
    SKILLS_TOTAL = "skills_total"
    SECTION_COVERAGE = "section_coverage"
    GOLD_SKILLS = "gold_skills"


class Document(Declared):
    """One of the founding documents. `number` is the suffix of the fields that quote it."""

    id: Slug
    number: Annotated[str, Field(pattern=r"^00[0-9]$")]
    title: Text
    written: str | None = None


class Category(Declared):
    """One of the nineteen numbered folders. `target_000` is what document 000 wanted in it."""

    id: CategoryId
    slug: Slug
    title: Text
    description: Text
    target_000: Number

    @property
    def number(self) -> int:
        return int(self.id[:2])


class Section(Declared):
    """One of the nineteen sections of the research questionnaire, with the categories that fill it."""

    id: SectionId
    title: Text
    scope: Text
    categories: tuple[CategoryId, ...] = ()


class PlanPhase(Declared):
    """A phase as a document wrote it down: its words, its own count, and the skills in its order."""

    document: Slug
    number: Number
    title: Text
    priority: str | None = None
    goal: str | None = None
    status: str | None = None
    complete: bool = False
    weeks: Weeks | None = None
    declared_skills: Number | None = None
    skills: Annotated[tuple[Slug, ...], Field(min_length=1)]


class Successor(Declared):
    """A tool outside the library that took over from one inside."""

    title: Text
    source: HttpsUrl


class SkillPlan(Declared):
    """Where one skill stands in the plan.

    Attributes:
        name: Folder name; never changes.
        sections: The section it counts for first, then those it also serves.
        phase_000: Phase of that document which names it; none where the document names no phase for it.
        status_000: What that document declared of it; none where the document does not name it.
        build_order: Place in the build sequence of document 001.
        by: The skill of this library that took over from it.
        successor: The tool outside this library that took over from it.
        aliases: Other names under which it is asked for; each becomes a redirect.
    """

    name: Slug
    title: Text
    category: CategoryId
    also_in: tuple[CategoryId, ...] = ()
    sections: Annotated[tuple[SectionId, ...], Field(min_length=1)]
    phase_000: Number | None = None
    phase_001: Number | None = None
    phase_002: Number | None = None
    status_000: DeclaredStatus | None = None
    status_001: DeclaredStatus | None = None
    status_002: DeclaredStatus | None = None
    tier_001: Tier2025 | None = None
    build_order: Number | None = None
    lifecycle: Lifecycle = Lifecycle.ACTIVE
    by: Slug | None = None
    successor: Successor | None = None
    aliases: tuple[Slug, ...] = ()
    source: HttpsUrl
    note: str | None = None

    @property
    def phases(self) -> Mapping[str, int | None]:
        """Phase by document number."""
        return {"000": self.phase_000, "001": self.phase_001, "002": self.phase_002}

    @property
    def statuses(self) -> Mapping[str, DeclaredStatus | None]:
        """Declared status by document number."""
        return {"000": self.status_000, "001": self.status_001, "002": self.status_002}


class OpenSlot(Declared):
    """A place that a document keeps free without naming a tool: open for anybody to claim."""

    id: Slug
    title: Text
    category: CategoryId
    sections: Annotated[tuple[SectionId, ...], Field(min_length=1)]
    document: Slug
    note: Text


class Goal(Declared):
    """A declared figure. For `section_coverage` the value is a percentage of `sections`."""

    id: Slug
    document: Slug
    text: Text
    measure: Measure
    sections: tuple[SectionId, ...] = ()
    value: Number | None = None

    @model_validator(mode="after")
    def _sections_belong_to_coverage(self) -> Goal:
        if bool(self.sections) != (self.measure is Measure.SECTION_COVERAGE):
            raise ValueError("sections are named exactly where the measure is section_coverage")
        if self.measure is not Measure.EXTERNAL and self.value is None:
            raise ValueError(f"the measure {self.measure} needs a value")
        return self


class Target(Goal):
    """What a document wants of the whole library; `then` is the figure it gave for its own day."""

    upper: Number | None = None
    then: str | None = None
    note: str | None = None


class SuccessMetric(Goal):
    """A box that document 000 wanted ticked after so many months."""

    months: Literal[3, 6, 12]


class Statement(Declared):
    """What one document says, in our words."""

    document: Slug
    says: Text


class Contradiction(Declared):
    """A point on which the documents disagree with each other or with arithmetic, and how it is settled."""

    id: Slug
    topic: Text
    statements: Annotated[tuple[Statement, ...], Field(min_length=1)]
    resolution: Text
    figures: tuple[Figure, ...] = ()


class LibraryRoadmap(Declared):
    """The library's plan: `docs/roadmaps/library.yml`."""

    documents: tuple[Document, ...]
    categories: tuple[Category, ...]
    sections: tuple[Section, ...]
    phases: tuple[PlanPhase, ...]
    skills: tuple[SkillPlan, ...]
    open_slots: tuple[OpenSlot, ...] = ()
    targets: tuple[Target, ...] = ()
    success_metrics: tuple[SuccessMetric, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    def plan(self, name: str) -> SkillPlan | None:
        """The plan of the skill with exactly this name."""
        return next((skill for skill in self.skills if skill.name == name), None)

    def find(self, words: str) -> SkillPlan | None:
        """The plan of the skill that goes by `words`: its name, its title or an alias, in any spelling."""
        asked = slug(words)
        return self.plan(asked) or next((skill for skill in self.skills if asked in _names(skill)), None)

    def document(self, number: str) -> Document:
        return next(document for document in self.documents if document.number == number)

    def phases_of(self, number: DocumentNumber) -> tuple[PlanPhase, ...]:
        """The phases of the document with this number, in its order."""
        document = self.document(number).id
        return tuple(phase for phase in self.phases if phase.document == document)

    def phase(self, number: DocumentNumber, phase: int) -> PlanPhase | None:
        return next((found for found in self.phases_of(number) if found.number == phase), None)

    def skills_in(self, category: str) -> tuple[SkillPlan, ...]:
        """The skills whose folder lies in `category`; those that are only also in it are not among them."""
        return tuple(skill for skill in self.skills if skill.category == category)

    def skills_for(self, section: str) -> tuple[SkillPlan, ...]:
        """Every skill that serves `section`, first or also."""
        return tuple(skill for skill in self.skills if section in skill.sections)

    @property
    def figures(self) -> dict[Figure, int]:
        """The figures that the plan itself gives."""

        def in_phases(number: DocumentNumber) -> int:
            return sum(len(phase.skills) for phase in self.phases_of(number))

        def said(number: str, *statuses: DeclaredStatus) -> int:
            return sum(skill.statuses[number] in statuses for skill in self.skills)

        return {
            Figure.SKILLS_NAMED: len(self.skills),
            Figure.SKILLS_NAMED_000: said("000", *DeclaredStatus),
            Figure.SKILLS_NAMED_001: said("001", *DeclaredStatus),
            Figure.SKILLS_NAMED_002: said("002", *DeclaredStatus),
            Figure.BUILT_000: said("000", DeclaredStatus.BUILT),
            Figure.BUILT_002: said("002", DeclaredStatus.BUILT),
            Figure.TARGETS_000: sum(category.target_000 for category in self.categories),
            Figure.PHASES_000: in_phases("000"),
            Figure.PHASES_001: in_phases("001"),
            Figure.PHASES_002: in_phases("002"),
            Figure.TIER_1: sum(skill.tier_001 is Tier2025.T1 for skill in self.skills),
            Figure.TIER_2: sum(skill.tier_001 is Tier2025.T2 for skill in self.skills),
            Figure.BUILD_ORDER: sum(skill.build_order is not None for skill in self.skills),
            Figure.SECTIONS_WITHOUT_SKILLS: sum(not self.skills_for(section.id) for section in self.sections),
        }


def slug(words: str) -> str:
    """`Weights & Biases` → `weights-and-biases`."""
    return re.sub(r"[^a-z0-9]+", "-", words.lower().replace("&", "and")).strip("-")


def _names(skill: SkillPlan) -> tuple[str, ...]:
    return (slug(skill.title), *skill.aliases)


def load_library_roadmap(root: Path) -> tuple[LibraryRoadmap | None, tuple[Problem, ...]]:
    """Read the plan below `root`; without a readable one there are problems and no plan."""
    source = read_source(root, root / LIBRARY_FILE)
    if not source.text:
        return None, source.problems
    document = parse_yaml(source.path, source.text)
    roadmap, problems = validate(source.path, document, LibraryRoadmap)
    found = cross_check(roadmap, document) if roadmap else ()
    return roadmap, (*source.problems, *problems, *found)


def cross_check(roadmap: LibraryRoadmap, document: YamlDocument | None = None) -> tuple[Problem, ...]:
    """What no single record shows: names used that do not exist, names twice, phases that do not agree."""
    return place(LIBRARY_FILE, document, _faults(roadmap))


def place(path: Path, document: YamlDocument | None, faults: Iterable[Fault]) -> tuple[Problem, ...]:
    """The faults as problems of `path`, on the lines where `document` has them."""
    lines = document or YamlDocument(None)
    return tuple(sorted(Problem(path, lines.line_of(key), *words) for key, *words in faults))


def _faults(roadmap: LibraryRoadmap) -> Iterator[Fault]:
    yield from _doubled(roadmap)
    yield from _unknown_names(roadmap)
    yield from _phases_that_disagree(roadmap)
    for index, category in enumerate(roadmap.categories):
        if category.id[3:] != category.slug:
            message = f"has the slug {category.slug!r} for {category.id}"
            yield ("categories", index, "slug"), message, "make it the id without its number"
    for index, skill in enumerate(roadmap.skills):
        for field, message, mend in _faults_of_skill(roadmap, skill):
            yield ("skills", index, field), f"{skill.name}: {message}", mend


def _faults_of_skill(roadmap: LibraryRoadmap, skill: SkillPlan) -> Iterator[tuple[str, str, str]]:
    if skill.category in skill.also_in:
        yield "also_in", f"is also in its own category {skill.category}", "remove it from `also_in`"
    succeeded = bool(skill.by or skill.successor)
    if skill.lifecycle is Lifecycle.SUPERSEDED and not succeeded:
        yield "lifecycle", "is superseded by nothing", "name a skill under `by` or a tool under `successor`"
    if skill.lifecycle is Lifecycle.ACTIVE and succeeded:
        yield "lifecycle", "is active and has a successor", "make it superseded, or drop the successor"
    if skill.by == skill.name:
        yield "by", "succeeds itself", "name another skill"
    for number, phase in skill.phases.items():
        if phase and not skill.statuses[number]:
            message = f"is in a phase of document {number}, which does not name it"
            yield f"phase_{number}", message, f"add `status_{number}`"
    for section in roadmap.sections:
        if section.id in skill.sections and skill.category not in section.categories:
            message = f"counts for {section.id}, which does not have the category {skill.category}"
            yield "sections", message, f"add the category to {section.id} or drop the section here"


def _doubled(roadmap: LibraryRoadmap) -> Iterator[Fault]:
    for field in (
        "documents",
        "categories",
        "sections",
        "open_slots",
        "targets",
        "success_metrics",
        "contradictions",
    ):
        yield from doubled(field, "id", [record.id for record in getattr(roadmap, field)])
    yield from doubled("phases", "number", [f"{phase.document} {phase.number}" for phase in roadmap.phases])
    yield from doubled("skills", "name", [skill.name for skill in roadmap.skills])
    yield from doubled("skills", "build_order", [skill.build_order for skill in roadmap.skills])
    owners = {skill.name: skill.name for skill in roadmap.skills}
    for index, skill in enumerate(roadmap.skills):
        for position, alias in enumerate(skill.aliases):
            if alias in owners:
                message = f"{skill.name}: the alias {alias!r} already belongs to {owners[alias]}"
                yield ("skills", index, "aliases", position), message, "keep one of the two"
            owners.setdefault(alias, skill.name)


def doubled(records: str, field: str, values: Iterable[str | int | None]) -> Iterator[Fault]:
    """A fault for every one of the `records` whose `field` has the value of one above."""
    seen: set[str | int] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield (
                (records, index, field),
                f"has the {field} {value!r} twice in {records}",
                "keep one of the two",
            )
        elif value is not None:
            seen.add(value)


_NAMES_USED = {
    ("sections", "categories"): "category",
    ("phases", "document"): "document",
    ("phases", "skills"): "skill",
    ("skills", "category"): "category",
    ("skills", "also_in"): "category",
    ("skills", "sections"): "section",
    ("skills", "by"): "skill",
    ("open_slots", "category"): "category",
    ("open_slots", "sections"): "section",
    ("open_slots", "document"): "document",
    ("targets", "sections"): "section",
    ("targets", "document"): "document",
    ("success_metrics", "sections"): "section",
    ("success_metrics", "document"): "document",
    ("contradictions", "statements", "document"): "document",
}


def _unknown_names(roadmap: LibraryRoadmap) -> Iterator[Fault]:
    known = {
        "category": {category.id for category in roadmap.categories},
        "section": {section.id for section in roadmap.sections},
        "document": {document.id for document in roadmap.documents},
        "skill": {skill.name for skill in roadmap.skills},
    }
    for key, value in _leaves(roadmap.model_dump(), ()):
        kind = _NAMES_USED.get(tuple(part for part in key if isinstance(part, str)))
        if kind and value is not None and value not in known[kind]:
            yield key, f"names the unknown {kind} {value!r}", f"correct it, or add the {kind} to the file"


def _leaves(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    match value:
        case dict():
            for name, child in value.items():
                yield from _leaves(child, (*key, name))
        case tuple() | list():
            for index, child in enumerate(value):
                yield from _leaves(child, (*key, index))
        case _:
            yield key, value


def _phases_that_disagree(roadmap: LibraryRoadmap) -> Iterator[Fault]:
    numbers = {document.id: document.number for document in roadmap.documents}
    existing = {(numbers.get(phase.document), phase.number): phase for phase in roadmap.phases}
    for index, skill in enumerate(roadmap.skills):
        for number, place_in in skill.phases.items():
            phase = existing.get((number, place_in or 0))
            message = ""
            if place_in and not phase:
                message = f"{skill.name}: names the unknown phase {place_in} of document {number}"
            elif phase and skill.name not in phase.skills:
                message = f"{skill.name}: is not listed by phase {place_in} of document {number}"
            if message:
                mend = "correct the number, or list the skill in the phase"
                yield ("skills", index, f"phase_{number}"), message, mend
    for index, phase in enumerate(roadmap.phases):
        number = numbers.get(phase.document, "")
        for position, name in enumerate(phase.skills):
            plan = roadmap.plan(name)
            if plan and plan.phases.get(number) != phase.number:
                message = f"lists {name}, whose `phase_{number}` is not {phase.number}"
                yield ("phases", index, "skills", position), message, "make the two agree"
