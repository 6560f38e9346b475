"""Where everything lives on the site. An address never holds a number, an extension or a version."""

from __future__ import annotations

import posixpath
import re

from ai_research_skills.catalog.notebook import Notebook

HOME = ""
SKILLS = "skills/"
NOTEBOOKS = "notebooks/"
LIBRARY = "roadmaps/library/"
LEARNING_PATH = "roadmaps/frontier-ai/"
COVERAGE = "coverage/"
SEARCH = "search/"
EVIDENCE_SUMMARY = "evidence/summary.json"
EVIDENCE_SUMMARY_SCHEMA = "evidence/summary.schema.json"


def skill(name: str) -> str:
    """Address of a skill's page."""
    return f"{SKILLS}{name}/"


def skill_path(name: str) -> str:
    """Path of the Markdown file of a skill's page: its raw files lie in the same folder."""
    return f"{skill(name)}index.md"


def record(name: str) -> str:
    """Address of what was found about a skill's examples."""
    return f"evidence/skills/{name}.json"


def badge(name: str) -> str:
    """Address of the image that says how much of a skill is proven."""
    return f"badges/{name}.svg"


def reference(name: str, slug: str) -> str:
    """Address of one reference of a skill."""
    return f"{SKILLS}{name}/{slug}/"


def script(name: str, stem: str) -> str:
    """Address of the page that shows one script of a skill; the file itself lies beside it."""
    return f"{SKILLS}{name}/scripts/{stem}/"


def category(folder: str) -> str:
    """Address of a category's page; the number of the folder stays out of it."""
    return f"categories/{slug(folder)}/"


def tag(name: str) -> str:
    """Address of a tag's page."""
    return f"tags/{name}/"


def notebook(book: Notebook) -> str:
    """Address of a notebook's page."""
    return f"{NOTEBOOKS}{book.address}/"


def planned(name: str) -> str:
    """Where a skill that is not written yet is described: its row in the plan."""
    return f"{LIBRARY}#{name}"


def slug(folder: str) -> str:
    """`04-peft` → `peft`."""
    return re.sub(r"^\d+-", "", folder)


def relative(here: str, there: str) -> str:
    """Link from the page at address `here` to the address `there` (which may end in a fragment)."""
    path, mark, fragment = there.partition("#")
    if path == here:
        return mark + fragment or "./"
    link = posixpath.relpath(path or ".", here or ".")
    if not path or path.endswith("/"):
        link += "/"
    return link + mark + fragment


def page_path(address: str) -> str:
    """Path of the Markdown file that MkDocs renders at `address`."""
    return f"{address.rstrip('/')}.md" if address else "index.md"
