"""Level 1 of the evidence ladder: an example parses in its language. Nothing is run or imported."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from subprocess import SubprocessError

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.parsing.fault import Fault
from ai_research_skills.checks.parsing.readers import READERS, check_text
from ai_research_skills.checks.parsing.tools import (
    Faults,
    NoTool,
    bash_faults,
    dockerfile_faults,
    shellcheck_faults,
    tool_version,
)

TOOLS: Mapping[str, Mapping[str, Callable[[Sequence[str]], Faults]]] = {
    "bash": {"bash": bash_faults, "shellcheck": partial(shellcheck_faults, dialect="bash")},
    "dockerfile": {"hadolint": dockerfile_faults},
    "sh": {"bash": bash_faults, "shellcheck": partial(shellcheck_faults, dialect="sh")},
}
"""For each language that other programs read, those programs; an example must pass all of them."""

LANGUAGES = frozenset({*READERS, *TOOLS})
"""The languages that level 1 knows."""


class DoesNotParse(ValueError):
    """The example is not valid in its language, or what reads it is not installed."""


@dataclass(frozen=True)
class Parsed:
    """What the parsers say of one example.

    Attributes:
        by: The engines that read it, by the names of `engines()`; none if no parser knows its language.
        fault: What is wrong; None if nothing is.
        line: Line of the fault on the page, or 0 if there is none.
        mend: What to do about the fault.
    """

    by: tuple[str, ...] = ()
    fault: str | None = None
    line: int = 0
    mend: str = ""

    @property
    def is_parsed(self) -> bool:
        """Whether it is at level 1: something read it, and found no fault."""
        return bool(self.by) and self.fault is None


def parse_all(examples: Iterable[Example]) -> dict[Example, Parsed]:
    """Level 1 of every example; an output, and one in a language that no parser knows, is not parsed by anything.

    Each outside program is started once for all examples of a language, while Python reads the rest.
    """
    parsed = dict.fromkeys(examples, Parsed())
    outside: dict[str, list[Example]] = {}
    for example in parsed:
        if example.language in TOOLS:
            outside.setdefault(example.language, []).append(example)
    with ThreadPoolExecutor() as pool:
        readable = {language: _readable(found, parsed) for language, found in outside.items()}
        reports = [
            (language, tool, pool.submit(read, [example.source for example in readable[language]]))
            for language in readable
            for tool, read in TOOLS[language].items()
        ]
        for example in parsed:
            if example.language in READERS:
                parsed[example] = _read(example)
        for language, tool, report in reports:
            _take(tool, report, readable[language], parsed)
    return parsed


def parses(example: Example) -> bool:
    """True if a parser accepts `example`, False if no parser knows its language.

    Raises:
        DoesNotParse: The parser rejected it; the message says why.
    """
    (parsed,) = parse_all([example]).values()
    if parsed.fault is not None:
        raise DoesNotParse(f"{parsed.fault} (line {parsed.line})" if parsed.line else parsed.fault)
    return parsed.is_parsed


def engines() -> dict[str, str]:
    """The version of every engine that `Parsed.by` may name; those that are not installed are left out."""
    ours, python = version("ai-research-skills"), platform.python_version()
    found = {
        "ast": python,
        "bash": tool_version("bash"),
        "configparser": python,
        "diff": ours,
        "hadolint": tool_version("hadolint"),
        "json": python,
        "shellcheck": tool_version("shellcheck"),
        "tomllib": python,
        "yaml": version("pyyaml"),
    }
    return {name: number for name, number in found.items() if number}


def _read(example: Example) -> Parsed:
    engine, read = READERS[example.language]
    try:
        check_text(example.source)
        read(example.source)
    except Fault as fault:
        return _faulty(example, fault, (engine,))
    return Parsed((engine,))


def _readable(examples: Sequence[Example], parsed: dict[Example, Parsed]) -> list[Example]:
    """The examples whose text can be given to a program; `parsed` takes what is wrong with the others."""
    readable = []
    for example in examples:
        try:
            check_text(example.source)
        except Fault as fault:
            parsed[example] = _faulty(example, fault, ())
        else:
            readable.append(example)
    return readable


def _take(
    tool: str, report: Future[Faults], examples: Sequence[Example], parsed: dict[Example, Parsed]
) -> None:
    """Add to `parsed` what `tool` reports of `examples`; of two faults of one example the first stays."""
    try:
        faults = report.result()
    except (NoTool, OSError, SubprocessError) as error:
        mend = error.mend if isinstance(error, NoTool) else f"run `{tool} --version`, and install it anew"
        for example in examples:
            fault = f"cannot be checked: {error}"
            parsed[example] = Parsed(parsed[example].by, fault, example.line, mend)
        return
    for position, example in enumerate(examples):
        before, fault_found = parsed[example], faults.get(position)
        if before.fault is None:
            by = (*before.by, tool)
            parsed[example] = _faulty(example, fault_found, by) if fault_found else Parsed(by)


def _faulty(example: Example, fault: Fault, by: tuple[str, ...]) -> Parsed:
    """`fault` with its line on the page; a parser that misses an end may name the line after the last."""
    last = max(1, len(example.source.splitlines()))
    line = example.line + min(fault.line, last)
    return Parsed(by, f"is not valid {example.language}: {fault.reason}", line, fault.mend)
