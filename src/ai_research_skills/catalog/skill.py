"""A skill: one folder in the Agent Skills format, with this library's metadata."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SKILL_FILE = "SKILL.md"


class Lifecycle(StrEnum):
    """Whether the tool that a skill teaches is still the one to use."""

    ACTIVE = "active"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


class Hardware(StrEnum):
    """What the examples of a skill need."""

    CPU = "cpu"
    CUDA = "cuda"
    ROCM = "rocm"
    TPU = "tpu"
    MPS = "mps"
    CLUSTER = "cluster"


class Pin(BaseModel):
    """An exact release that a skill is written against."""

    model_config = ConfigDict(frozen=True)

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution}=={self.version}"


def _words(value: object) -> object:
    return (
        tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value
    )


def _pins(value: object) -> object:
    if not isinstance(value, str):
        return value
    words = _words(value)
    assert isinstance(words, tuple)
    return tuple(_pin(word) for word in words)


def _pin(word: str) -> Pin:
    try:
        requirement = Requirement(word)
    except InvalidRequirement as error:
        raise ValueError(f"{word!r} is not a requirement") from error
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != "==" or "*" in specifiers[0].version:
        raise ValueError(f"{word!r} is not an exact pin such as peft==0.21.2")
    return Pin(distribution=canonicalize_name(requirement.name), version=specifiers[0].version)


class SkillMetadata(BaseModel):
    """The `metadata` block: strings in YAML, typed here. Keys that other libraries add are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, strict=False)

    title: str = ""
    version: str = ""
    authors: str = ""
    tags: Annotated[tuple[str, ...], BeforeValidator(_words)] = ()
    packages: Annotated[tuple[Pin, ...], BeforeValidator(_pins)] = ()
    python: str = Field(default="", pattern=r"^(3\.\d+)?$")
    homepage: str = ""
    repository: str = ""
    upstream_license: str = Field(default="", alias="upstream-license")
    hardware: Annotated[tuple[Hardware, ...], BeforeValidator(_words)] = ()
    lifecycle: Lifecycle | None = None
    by: str = ""
    reviewed: dt.date | None = None
    not_executed: str = Field(default="", alias="not-executed")


class SkillFields(BaseModel):
    """The top level of the frontmatter: the specification's fields and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    description: str
    license: str = ""
    compatibility: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    allowed_tools: str | list[str] = Field(default="", alias="allowed-tools")


@dataclass(frozen=True)
class Page:
    """One Markdown page of a skill: SKILL.md without its frontmatter, or a reference."""

    path: Path
    slug: str
    title: str
    text: str
    first_line: int


@dataclass(frozen=True)
class Skill:
    """One skill, as it stands on disk.

    Attributes:
        name: Folder name; the id under which the skill is known for good.
        folder: Folder relative to the root.
        category: Name of the folder above.
        raw: SKILL.md as written, LF line ends.
        body: SKILL.md after the frontmatter.
        references: Pages of `references/`, by name.
        files: Every other file of the folder, relative to it, by name.
    """

    name: str
    folder: Path
    category: str
    description: str
    license: str
    compatibility: str
    metadata: SkillMetadata
    raw: str
    body: Page
    references: tuple[Page, ...]
    files: tuple[Path, ...]
    declared_name: str = ""
    fields: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def title(self) -> str:
        return self.metadata.title or self.body.title or self.name

    @property
    def path(self) -> Path:
        return self.folder / SKILL_FILE

    @property
    def scripts(self) -> tuple[Path, ...]:
        """The Python files of the folder `scripts`, relative to the skill's folder."""
        return tuple(file for file in self.files if file.parent == Path("scripts") and file.suffix == ".py")

    @property
    def pages(self) -> tuple[Page, ...]:
        return (self.body, *self.references)
