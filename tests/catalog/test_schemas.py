"""The committed JSON Schemas are those of the models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ai_research_skills.catalog import schemas
from ai_research_skills.catalog.learning_path import LEARNING_PATH_FILE
from ai_research_skills.catalog.library_roadmap import LIBRARY_FILE, LibraryRoadmap

ROOT = Path(__file__).parents[2]


def test_the_committed_schemas_are_fresh() -> None:
    assert schemas.stale(ROOT) == (), "run ai_research_skills.catalog.schemas.write"


def test_write_makes_them_fresh_and_then_changes_nothing(tmp_path: Path) -> None:
    every = tuple(schemas.SCHEMAS)
    assert schemas.stale(tmp_path) == every
    assert schemas.write(tmp_path) == every
    assert schemas.stale(tmp_path) == ()
    assert schemas.write(tmp_path) == ()


def test_a_changed_or_broken_schema_is_stale(tmp_path: Path) -> None:
    schemas.write(tmp_path)
    first, second = schemas.SCHEMAS
    (tmp_path / first).write_text("{}\n", encoding="utf-8")
    (tmp_path / second).write_bytes(b"\xff")
    assert schemas.stale(tmp_path) == (first, second)
    schemas.write(tmp_path)
    assert schemas.stale(tmp_path) == ()


@pytest.mark.parametrize("data", [LIBRARY_FILE, LEARNING_PATH_FILE])
def test_each_roadmap_begins_with_its_schema(data: Path) -> None:
    schema = schemas.schema_file(data)
    assert schema in schemas.SCHEMAS
    first_line = (ROOT / data).read_text(encoding="utf-8").partition("\n")[0]
    assert first_line == f"# yaml-language-server: $schema=./{schema.name}"


def test_a_schema_forbids_what_the_model_forbids() -> None:
    schema = json.loads(schemas.text(LibraryRoadmap))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False
    skill = schema["$defs"]["SkillPlan"]
    assert skill["additionalProperties"] is False
    assert skill["required"] == ["name", "title", "category", "sections", "source"]
