"""A made-up index: what uv would say of the newest releases, and the pages that lie beneath its address."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ai_research_skills.checks.drift.memory import Memory, Silent
from ai_research_skills.checks.drift.registry import Registry

INDEX = "https://index.example/simple"
TODAY = dt.date(2026, 11, 26)


@dataclass
class MadeUpIndex:
    """Answers as long as it is not `silent`, and counts the questions."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)
    silent: bool = False
    asked: int = 0

    def add(
        self,
        name: str,
        *versions: str,
        yanked: dict[str, str | bool] | None = None,
        requires_python: str = ">=3.9",
        status: dict[str, str] | None = None,
        page: dict[str, Any] | None = None,
    ) -> None:
        """A distribution; each release came out 30 days after the one before it."""
        entries = [
            {
                "filename": f"{name.replace('-', '_')}-{version}-py3-none-any.whl",
                "upload-time": f"{dt.date(2026, 1, 1) + dt.timedelta(days=30 * number)}T00:00:00Z",
                "requires-python": requires_python,
                "yanked": (yanked or {}).get(version, False),
            }
            for number, version in enumerate(versions)
        ]
        self.files[name] = {"files": entries, **({"project-status": status} if status else {})}
        if page is not None:
            self.pages[f"https://index.example/pypi/{name}/json"] = page

    def newest_of(self, name: str, python: str) -> dict[str, Any] | None:
        self._answer()
        if name not in self.files:
            return None
        last = self.files[name]["files"][-1]
        version = last["filename"].split("-")[1]
        return {
            "version": version,
            "released": last["upload-time"][:10],
            "index": INDEX,
            "has_wheel": True,
        }

    def fetch(self, address: str, media_type: str) -> Any:
        self._answer()
        if address.startswith(INDEX):
            return self.files.get(address.removeprefix(f"{INDEX}/").strip("/"))
        return self.pages.get(address)

    def registry(self, folder: Path, *, offline: bool = False) -> Registry:
        return Registry(Memory("the registry", folder, TODAY, offline), self.newest_of, self.fetch)

    def _answer(self) -> None:
        self.asked += 1
        if self.silent:
            raise Silent("connection refused")


def page(
    version: str,
    *,
    repository: str = "https://example.org/source",
    description: str = "# A tool",
    classifiers: tuple[str, ...] = (),
    vulnerabilities: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    """What an index answers about a project."""
    return {
        "info": {
            "version": version,
            "project_urls": {"Repository": repository},
            "classifiers": list(classifiers),
            "description": description,
        },
        "vulnerabilities": list(vulnerabilities),
    }
