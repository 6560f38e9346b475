"""Uses that no checker can verify and that a person vouches for until a day, `docs/evidence/waivers.yml`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, RootModel

from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.source import read_source
from ai_research_skills.catalog.yaml_document import YamlDocument, parse_yaml, validate

WAIVERS_FILE = Path("docs/evidence/waivers.yml")


class Waiver(BaseModel):
    """One use that passes although nobody verified it.

    Attributes:
        page: Page of the skill, such as `references/api.md`; empty for all of them.
        use: The use as a checker names it, such as `model.generate(...)`.
        reason: Why it is right all the same, with a link where there is one.
        expires: The last day on which it holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    skill: str
    page: str = ""
    use: str = Field(min_length=1)
    reason: str = Field(min_length=20)
    expires: dt.date

    @property
    def note(self) -> str:
        """What a finding says of the use that it passes."""
        return f"`{self.use}`: {self.reason.rstrip('.')} (until {self.expires})"

    def covers(self, page: str, use: str, today: dt.date) -> bool:
        """Whether it passes `use` on `page` of its skill on the day `today`."""
        return self.use == use and self.page in {"", page} and today <= self.expires


class Waivers(RootModel[tuple[Waiver, ...]]):
    """Every waiver of a tree."""


def load_waivers(root: Path, skills: Sequence[str]) -> tuple[tuple[Waiver, ...], tuple[Problem, ...]]:
    """Read the waivers of the tree at `root`, which has these `skills`; most trees have none."""
    path = root / WAIVERS_FILE
    if not path.is_file():
        return (), ()
    source = read_source(root, path)
    document = parse_yaml(source.path, source.text)
    if document.value == {} and not document.problems:
        return (), source.problems
    table, problems = validate(source.path, document, Waivers)
    found = table.root if table else ()
    return found, (*source.problems, *problems, *_strangers(found, document, skills))


def expired(waivers: Sequence[Waiver], today: dt.date) -> Iterator[Problem]:
    """A problem for every waiver whose last day is over."""
    for waiver in waivers:
        if waiver.expires < today:
            message = f"the waiver of `{waiver.use}` in {waiver.skill} ended on {waiver.expires}"
            yield Problem(WAIVERS_FILE, 0, message, "verify the use and remove the waiver, or renew its day")


def _strangers(waivers: Sequence[Waiver], document: YamlDocument, skills: Sequence[str]) -> Iterator[Problem]:
    for index, waiver in enumerate(waivers):
        if waiver.skill not in skills:
            line = document.line_of((index, "skill"))
            yield Problem(WAIVERS_FILE, line, f"names the unknown skill {waiver.skill!r}", "correct it")
