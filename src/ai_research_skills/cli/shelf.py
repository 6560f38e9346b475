"""`validate`, `list` and `show`: looking at the skills of a tree."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ai_research_skills.catalog.tree import load_tree
from ai_research_skills.checks.structure import structure_problems
from ai_research_skills.cli.output import finish, json_option, root_option, say, say_json
from ai_research_skills.coverage.standing import Standing, standings


@click.command()
@root_option
@json_option
def validate(root: Path, as_json: bool) -> None:
    """Check structure, specification and plan of every skill."""
    tree = load_tree(root)
    fine = f"{len(tree.skills)} skills, {len(tree.notebooks)} notebooks: nothing to mend"
    finish(structure_problems(tree), as_json=as_json, fine=fine)


@click.command("list")
@root_option
@json_option
def list_(root: Path, as_json: bool) -> None:
    """List every skill with its tier and evidence."""
    found = standings(load_tree(root), _today())
    if as_json:
        say_json([_row(standing) for standing in found.values()])
        return
    table = Table("skill", "category", "tier", "evidence", "main pin", box=None, pad_edge=False)
    for standing in found.values():
        row = _row(standing)
        pin = row["packages"][0] if row["packages"] else ""
        table.add_row(row["name"], row["category"], row["tier"], row["evidence"], pin)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@click.command()
@click.argument("name")
@root_option
@json_option
def show(name: str, root: Path, as_json: bool) -> None:
    """Show one skill: its facts, and what it lacks for the next tier."""
    found = standings(load_tree(root), _today())
    if name not in found:
        near = [known for known in found if name in known]
        hint = f"did you mean {', '.join(near)}?" if near else "`ai-skills list` names them all"
        raise click.UsageError(f"no skill is named {name!r} → {hint}")
    row = _row(found[name])
    if as_json:
        say_json(row)
        return
    for key, value in row.items():
        say(f"{key:12} {', '.join(map(str, value)) if isinstance(value, list) else value}")


def _row(standing: Standing) -> dict[str, Any]:
    skill = standing.skill
    return {
        "name": skill.name,
        "title": skill.title,
        "category": skill.category,
        "description": skill.description,
        "tier": standing.tier.value,
        "missing": list(standing.missing),
        "evidence": standing.highest_level.label,
        "examples": {level.label: count for level, count in standing.level_counts.items()},
        "packages": [str(pin) for pin in skill.metadata.packages],
        "tags": list(skill.metadata.tags),
        "lifecycle": skill.metadata.lifecycle.value if skill.metadata.lifecycle else "",
        "reviewed": str(skill.metadata.reviewed or ""),
        "references": [reference.slug for reference in skill.references],
        "path": skill.path.as_posix(),
    }


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
