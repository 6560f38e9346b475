"""Level 2 for shell blocks: what each line asks of a release, the release or its index has.

A block is resolved when each of its commands is one of these:

* an install, whose requirements the index has, with their extras (pip's own options are not looked at);
* a console script of the environment or `python -m`, which the release's own parser takes as it stands;
* `python -c`, whose program is resolved like a block marked `alone`;
* `python FILE`, where the file is the reader's;
* one of `PLAIN`, a command of the system, which is parsed and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.resolving.command_lines import CannotSplit, Command, commands
from ai_research_skills.checks.resolving.own_parser import CommandLine, ask_parsers
from ai_research_skills.checks.resolving.parser_probe import ACCEPTED, REJECTED
from ai_research_skills.checks.resolving.programs import Joins, Piece
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.requirements import (
    Found,
    asked_requirements,
    is_to_be_had,
    names_another_index,
)

_SYSTEM = """
[ apt-get awk bash break cat cd chmod cmake conda continue cp curl cut date df docker du echo env
export false find free gcc git grep gunzip head htop jq kill kubectl ln ls make mkdir mv ninja nproc
numactl nvcc nvidia-smi ps pwd read rm rsync sbatch scp sed seq set sha256sum sleep sort source srun
ssh tail tar tee test tmux touch tr trap true ulimit uname uniq unset unzip wait watch wc wget which
xargs zip
"""
PLAIN = frozenset(_SYSTEM.split())
"""Commands of the system: they belong to no release that a skill is written against, and need only to parse."""

CONFIG_SUFFIXES: Mapping[str, str] = {".ini": "", ".json": "{}", ".toml": "", ".yaml": "{}", ".yml": "{}"}
"""Files that a parser reads, with what stands in such a file where the page does not show it."""

DATA_LANGUAGES = frozenset({"ini", "json", "toml", "yaml"})
_CANARY = "no_release_has_this_name"
_PYTHON = re.compile(r"python(3(\.\d+)?)?")


@dataclass(frozen=True)
class Shell:
    """What command lines are held against.

    Attributes:
        memory: Where answers of parsers are kept, or None where the environment may change.
    """

    python: Path
    uv: str
    pins: tuple[Pin, ...]
    memory: Path | None = None


@dataclass(frozen=True)
class Put:
    """A command that goes to its own parser.

    Attributes:
        shown: The data blocks of the page that are the files that it names.
        expands: Whether the shell would put something else in the place of a part of it.
    """

    example: Example
    line: int
    command: CommandLine
    shown: Mapping[str, Example]
    expands: bool

    @property
    def baited(self) -> Mapping[Example, CommandLine]:
        """For each data block the same command, where the block has a key that no release knows.

        A reader that takes it would have taken anything, and has not read the block.
        """
        return {
            block: replace(self.command, files={**self.command.files, name: _baited(block)})
            for name, block in self.shown.items()
        }


@dataclass
class ShellFindings:
    """What was found about the shell blocks of a skill."""

    put: list[Put] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    read: set[Example] = field(default_factory=set)


def resolve_shell(example: Example, before: Sequence[Example], shell: Shell, findings: ShellFindings) -> None:
    """Look at every command of `example`, which stands after the examples `before` on its page.

    What is found goes into `findings`: remarks, the programs of `python -c`, and the data blocks that a parser read.
    """
    try:
        found = commands(example.source)
    except CannotSplit as error:
        findings.remarks.append(Remark(example, example.line, Verdict.UNVERIFIED, str(error)))
        return
    for command in found:
        resolve_command(command, example, before, shell, findings)


def resolve_command(
    command: Command, example: Example, before: Sequence[Example], shell: Shell, findings: ShellFindings
) -> None:
    """Look at one command; its line counts from the fence of `example`."""
    words, line = command.words, example.line + command.line

    def remark(verdict: Verdict, text: str) -> None:
        findings.remarks.append(Remark(example, line, verdict, text))

    installs = _install_arguments(words)
    if installs is not None:
        findings.remarks += _install_remarks(installs, example, line, shell)
    elif _PYTHON.fullmatch(words[0]):
        if words[1:2] == ("-c",) and not command.expands:
            findings.pieces.append(Piece(example, words[2], line, Joins.ALONE))
        elif words[1:2] == ("-m",):
            _put(words[1:], command, example, before, findings)
        elif not words[1:] or not (words[1].endswith(".py") or words[1] in {"--version", "-V"}):
            remark(Verdict.UNVERIFIED, f"`{' '.join(words[:2])}` is not looked at")
    elif (shell.python.parent / words[0]).is_file():
        _put(words, command, example, before, findings)
    elif words[0] not in PLAIN and words[0] not in {"pip", "pip3", "uv"}:
        remark(Verdict.UNVERIFIED, f"`{words[0]}` is no command of the pinned releases, and no plain one")


def _install_arguments(words: Sequence[str]) -> Sequence[str] | None:
    """What follows `pip install` or `pip download`, in whichever way pip is called."""
    rest = list(words)
    if len(rest) > 2 and _PYTHON.fullmatch(rest[0]) and rest[1] == "-m":
        del rest[:2]
    if rest[:1] == ["uv"]:
        del rest[:1]
    is_pip = len(rest) > 1 and rest[0] in {"pip", "pip3"} and rest[1] in {"install", "download", "wheel"}
    return rest[2:] if is_pip else None


def _install_remarks(arguments: Sequence[str], example: Example, line: int, shell: Shell) -> Iterator[Remark]:
    is_elsewhere = names_another_index(arguments)
    pinned = {str(pin) for pin in shell.pins}
    for text in asked_requirements(arguments):
        if text in pinned:
            continue
        found = Found.UNKNOWN if is_elsewhere else is_to_be_had(shell.uv, text)
        if found is Found.NO:
            says = f"`{text}`: the index has no such release, or the release no such extra"
            yield Remark(example, line, Verdict.DRIFT, says)
        elif found is Found.UNKNOWN:
            yield Remark(example, line, Verdict.UNVERIFIED, f"`{text}`: no index that is asked here answers")


def _put(
    words: Sequence[str],
    command: Command,
    example: Example,
    before: Sequence[Example],
    findings: ShellFindings,
) -> None:
    shown, files = _files(words, before)
    line = CommandLine(tuple(words), files, lenient=len(files) > len(shown))
    findings.put.append(Put(example, example.line + command.line, line, shown, command.expands))


def settle(findings: ShellFindings, shell: Shell) -> None:
    """Put every line that has a parser to it, all at once; remarks and the data that was read go into `findings`."""
    lines = [line for put in findings.put for line in (put.command, *put.baited.values())]
    answers = dict(zip(map(repr, lines), ask_parsers(shell.python, lines, shell.memory), strict=True))
    for put in findings.put:
        parsed = answers[repr(put.command)]
        says = " ".join(parsed.message.split())[:200]
        is_a_fault = parsed.outcome == REJECTED and (not put.expands or "unrecognized" in says)
        if parsed.outcome != ACCEPTED:
            verdict = Verdict.DRIFT if is_a_fault else Verdict.UNVERIFIED
            text = f"`{_short(put.command.words)}`: {says}"
            findings.remarks.append(Remark(put.example, put.line, verdict, text))
            continue
        findings.read |= {
            block for block, line in put.baited.items() if answers[repr(line)].outcome == REJECTED
        }


def _files(words: Sequence[str], before: Sequence[Example]) -> tuple[dict[str, Example], dict[str, str]]:
    """The configuration files that a command line names: those that the page shows, and the text of all.

    A data block is the file that its first line names in a comment, or the one that the next command names.
    """
    names = [word for word in words[1:] if Path(word).suffix in CONFIG_SUFFIXES and "/" not in word]
    blocks = [block for block in before if block.language in DATA_LANGUAGES]
    shown = {name: block for block in blocks for name in names if name in block.source.partition("\n")[0]}
    last = before[-1] if before else None
    if last in blocks and last not in shown.values() and len(names) == 1:
        shown.setdefault(names[0], last)
    own = {name: CONFIG_SUFFIXES[Path(name).suffix] for name in names}
    return shown, own | {name: block.source for name, block in shown.items()}


def _baited(block: Example) -> str:
    if block.language == "json":
        return block.source.replace("{", f'{{"{_CANARY}": 1, ', 1)
    return f"{_CANARY}{': 1' if block.language == 'yaml' else ' = 1'}\n{block.source}"


def _short(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if len(text) <= 60 else f"{text[:57]}..."
