"""A second type checker's opinion on page programs, for a look now and then at what the first one may miss.

pyrefly infers the types that functions return, so it sees more than ty. It also raises more false alarms, and it wants
whole sources in place of stubs. So it decides nothing: a person reads where the two disagree.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.releases.environment import find_uv
from ai_research_skills.checks.resolving.programs import Program
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.type_engine import Diagnostic, NoEngine, Span

PYREFLY = "pyrefly==1.4.1"
TIMEOUT = 600
"""Seconds for all programs, the download of pyrefly included."""
RULES = ("missing-attribute", "missing-import", "missing-module-attribute", "unexpected-keyword")
"""What pyrefly calls an import, an attribute or a keyword that is not there."""


@dataclass(frozen=True)
class Disagreement:
    """A line on which only one of the two sees drift.

    Attributes:
        by: The checker that sees it, `ty` or `pyrefly`.
        text: Its words.
    """

    example: Example
    line: int
    by: str
    text: str


def disagreements(
    programs: Sequence[Program], remarks: Sequence[Remark], packages: Path
) -> tuple[Disagreement, ...]:
    """Where pyrefly, with the whole sources in the folder `packages`, and the `remarks` do not say the same.

    Raises:
        NoEngine: pyrefly cannot be run, or answers in an unknown shape.
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, program in enumerate(programs):
            Path(folder, f"program_{number}.py").write_text(program.source, encoding="utf-8")
        found = pyrefly_findings(Path(folder), packages)
    denied = {
        (piece.example, one.span.line): one.message
        for number, program in enumerate(programs)
        for one in found
        if one.file == f"program_{number}.py" and (piece := program.piece_at(one.span.line))
    }
    drifted = {(one.example, one.line): one.text for one in remarks if one.verdict is Verdict.DRIFT}
    only_pyrefly = [
        Disagreement(*place, "pyrefly", text) for place, text in denied.items() if place not in drifted
    ]
    only_ty = [Disagreement(*place, "ty", text) for place, text in drifted.items() if place not in denied]
    return tuple(
        sorted(only_pyrefly + only_ty, key=lambda one: (str(one.example.path), one.line, one.by, one.text))
    )


def pyrefly_findings(folder: Path, packages: Path) -> tuple[Diagnostic, ...]:
    """The imports, attributes and keywords that pyrefly misses in the Python files of `folder`.

    Raises:
        NoEngine: pyrefly cannot be run, or answers in an unknown shape.
    """
    uv = find_uv()
    if uv is None:
        raise NoEngine("uv is not installed → `python -m pip install uv`")
    (folder / "pyrefly.toml").touch()
    command = [uv, "tool", "run", "--from", PYREFLY, "pyrefly", "check", "--output-format", "json"]
    command += ["--skip-interpreter-query", "--site-package-path", str(packages)]
    command += [word for rule in RULES for word in ("--only", rule)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    return read_findings(result.stdout, result.stderr)


def read_findings(said: str, complaint: str = "") -> tuple[Diagnostic, ...]:
    """The findings in pyrefly's JSON.

    Raises:
        NoEngine: It has another shape than that of the known release.
    """
    try:
        entries = json.loads(said)["errors"]
        return tuple(
            Diagnostic(
                Path(entry["path"]).name,
                Span(entry["line"], entry["column"], entry["stop_line"], entry["stop_column"]),
                entry["name"],
                entry["concise_description"],
            )
            for entry in entries
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoEngine(f"{PYREFLY} gave an unknown answer ({error!r})\n{complaint.strip()}") from None
