"""JSON Schemas of the roadmap files, so that an editor completes and checks them as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from ai_research_skills.catalog.learning_path import LEARNING_PATH_FILE, LearningPath
from ai_research_skills.catalog.library_roadmap import LIBRARY_FILE, LibraryRoadmap

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_file(data: Path) -> Path:
    """`library.yml` → `library.schema.json`, in the same folder."""
    return data.with_suffix(".schema.json")


SCHEMAS: dict[Path, type[BaseModel]] = {
    schema_file(LIBRARY_FILE): LibraryRoadmap,
    schema_file(LEARNING_PATH_FILE): LearningPath,
}


def text(model: type[BaseModel]) -> str:
    """The schema of `model` as the file that is committed."""
    schema = {"$schema": DIALECT, **model.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def stale(root: Path) -> tuple[Path, ...]:
    """The schema files below `root` that are absent or differ from their model, relative to it."""
    return tuple(path for path, model in SCHEMAS.items() if _read(root / path) != text(model))


def write(root: Path) -> tuple[Path, ...]:
    """Bring every schema file below `root` up to date; returns those that changed."""
    changed = stale(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text(SCHEMAS[path]), encoding="utf-8", newline="\n")
    return changed


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
