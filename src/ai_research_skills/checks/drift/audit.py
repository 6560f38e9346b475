"""Known vulnerabilities of pins: from the index, and for what it leaves open from the database that pip-audit asks."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.drift.memory import Memory, NoAnswer, Silent
from ai_research_skills.checks.drift.registry import Distribution, Registry, Vulnerability

PIP_AUDIT = "pip-audit==2.10.1"
TIMEOUT = 60
"""Seconds, its own installation included."""


Audit = Callable[[Sequence[Pin]], Any]
"""The report of pip-audit on exact releases, as JSON. Raises `Silent`."""
Vulnerabilities = Mapping[Pin, tuple[Vulnerability, ...]]
"""By pin; one of which nobody knows is left out."""


def vulnerabilities(
    pins: Iterable[tuple[Pin, Distribution]], registry: Registry, memory: Memory, audit: Audit
) -> Vulnerabilities:
    """What is known of `pins`. `memory` keeps what `audit` says, which is asked once for all that is left."""
    asked = {pin: registry.vulnerabilities(pin, known) for pin, known in pins}
    found = {pin: told for pin, told in asked.items() if told is not None}
    rest = sorted((pin for pin in asked if pin not in found), key=str)
    if rest:
        question = f"vulnerabilities of {', '.join(map(str, rest))}"
        with contextlib.suppress(NoAnswer):
            found |= read_audit(rest, memory.answer(question, lambda: audit(rest)))
    return found


def audit_by_pip_audit(uv: str, pins: Sequence[Pin]) -> Any:
    """`Audit` by the tool itself; nothing is installed but the tool."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pins.txt")
        path.write_text("\n".join(map(str, pins)), encoding="utf-8")
        command = [uv, "tool", "run", "--from", PIP_AUDIT, "pip-audit", "--requirement", str(path)]
        command += ["--no-deps", "--disable-pip", "--vulnerability-service", "osv"]
        command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise Silent(f"not within {TIMEOUT} s") from error
    try:
        return json.loads(result.stdout)
    except ValueError as error:
        lines = result.stderr.strip().splitlines()
        raise Silent(lines[-1][:200] if lines else "no report") from error


def read_audit(pins: Sequence[Pin], answer: Any) -> dict[Pin, tuple[Vulnerability, ...]]:
    """The tool's report by pin; what is no report says nothing."""
    by_name = {pin.distribution: pin for pin in pins}
    found: dict[Pin, tuple[Vulnerability, ...]] = {}
    with contextlib.suppress(KeyError, TypeError, AttributeError, ValidationError):
        for entry in answer["dependencies"]:
            pin = by_name.get(entry["name"])
            if pin and "vulns" in entry:
                found[pin] = tuple(map(_vulnerability, entry["vulns"]))
    return found


def _vulnerability(entry: Mapping[str, Any]) -> Vulnerability:
    return Vulnerability(
        id=entry["id"],
        aliases=tuple(entry.get("aliases", ())),
        fixed_in=tuple(entry.get("fix_versions", ())),
        summary=entry.get("description"),
    )
