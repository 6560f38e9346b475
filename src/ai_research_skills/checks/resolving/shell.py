"""Level 2 for shell blocks: what each line asks of a release, the release or its index has.

A block is resolved when each of its commands is one of these:

* an install, whose requirements the index has, with their extras, and whose options pip or uv knows;
* a console script of the environment or `python -m`, which the release's own parser takes as it stands;
* a line for uv that uv knows; the command behind `uv run` is looked at like any other;
* `python -c` or a here-document for Python, whose program is resolved like a block marked `alone`;
* `python FILE` or `bash FILE`, where the file is the reader's;
* `docker run` of an image that a release is published in, whose arguments the release's own parser takes;
* one of `PLAIN`, a command of the system, which is parsed and nothing more.

Of a launcher such as `torchrun`, its own options are judged, not those of the script that it starts. What a page
installs may differ from the pins: it may show the way from one release to another.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ai_research_skills.cache import cache_folder
from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.resolving.command_lines import (
    ELLIPSES,
    CannotSplit,
    Command,
    commands,
    has_prompts,
    written_files,
)
from ai_research_skills.checks.resolving.config_schemas import AskedConfig, ask_schemas, asked_config
from ai_research_skills.checks.resolving.containers import command_in_container
from ai_research_skills.checks.resolving.own_parser import CommandLine, Parsed, ask_parsers
from ai_research_skills.checks.resolving.parser_probe import ACCEPTED, REJECTED, UNKNOWN_OPTION, UNSEEN
from ai_research_skills.checks.resolving.programs import Joins, Piece
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.requirements import (
    Found,
    asked_requirements,
    look_up,
    names_another_index,
)
from ai_research_skills.checks.resolving.uv_lines import read_uv_line

_SYSTEM = """
. : [ alias apt apt-get awk basename bash break cat cd chmod chown clear cmake conda continue cp curl cut date df
diff dirname docker du echo env exit export false file find free gcc getconf git grep groups gunzip head hostname
htop ip jq kill kubectl less ln local ls lscpu lsof lspci make mamba mkdir modprobe module mv ninja nproc numactl
nvcc nvidia-smi openssl pgrep ping pkill podman printf ps pwd read readlink realpath return rm rsync sbatch
scancel scp sed seq set sha256sum shift shopt sinfo sleep sort source squeue srun ssh stat systemctl tail tar tee
test tmux top touch tr trap tree true type ulimit unalias uname uniq unset unzip wait watch wc wget which whoami
xargs yes zip
"""
PLAIN = frozenset(_SYSTEM.split())
"""Commands of the system: they belong to no release that a skill is written against, and need only to parse."""

CONFIG_SUFFIXES: Mapping[str, str] = {".ini": "", ".json": "{}", ".toml": "", ".yaml": "{}", ".yml": "{}"}
"""Files that a parser reads, with what stands in such a file where the page does not show it."""

DATA_LANGUAGES = frozenset({"ini", "json", "toml", "yaml"})
SHELLS = frozenset({"bash", "sh", "shell", "zsh"})
_CANARY = "no_release_has_this_name"
_NOT_INSTALLED = "the pinned releases are not installed here"
_PIP = ("-m", "pip")
_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_PYTHON_OPTIONS_WITH_VALUE = frozenset({"-W", "-X"})
_OTHER_REGISTRIES = frozenset(
    {"brew", "bun", "cargo", "conda", "gem", "go", "mamba", "npm", "npx", "pnpm", "yarn"}
)
_FETCHES = frozenset({"add", "create", "i", "install", "update", "upgrade"})


@dataclass(frozen=True)
class Shell:
    """What command lines are held against.

    Attributes:
        python: The interpreter of the environment of the pins, or None if they are not installed.
        python: The interpreter of the environment of the pins, or None where they are not installed.
        memory: Where answers of parsers are kept, or None where the environment may change.
        sources: Folders with the files of pinned releases that cannot be installed.
    """

    python: Path | None
    uv: str
    pins: tuple[Pin, ...]
    memory: Path | None = None
    sources: tuple[Path, ...] = ()

    def has_script(self, name: str) -> bool:
        """Whether an installed release brings the console script `name`."""
        return self.python is not None and bool(name) and (self.python.parent / name).is_file()


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
    def is_pip(self) -> bool:
        """Whether it goes to the parser of pip."""
        return self.command.words[:2] == _PIP

    @property
    def baited(self) -> Mapping[Example, CommandLine]:
        """For each data block the same command, where the block has a key that no release knows.

        A reader that takes it would have taken anything, and has not read the block.
        """
        return {
            block: replace(self.command, files={**self.command.files, name: _baited(block)})
            for name, block in self.shown.items()
        }


@dataclass(frozen=True)
class Wanted:
    """A requirement of an install line that the index is to be asked for."""

    example: Example
    line: int
    requirement: str


@dataclass
class ShellFindings:
    """What was found about the shell blocks of a skill, and what is yet to be asked."""

    put: list[Put] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    configs: list[AskedConfig] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    read: set[Example] = field(default_factory=set)


@dataclass(frozen=True)
class _Place:
    """Where a command stands, and what it is held against."""

    example: Example
    line: int
    before: Sequence[Example]
    shell: Shell
    findings: ShellFindings

    def unverified(self, text: str) -> None:
        self.findings.remarks.append(Remark(self.example, self.line, Verdict.UNVERIFIED, text))

    def drift(self, text: str) -> None:
        self.findings.remarks.append(Remark(self.example, self.line, Verdict.DRIFT, text))


def resolve_shell(example: Example, before: Sequence[Example], shell: Shell, findings: ShellFindings) -> None:
    """Look at every command of `example`, which stands after the examples `before` on its page.

    What is found goes into `findings`: remarks, programs of Python, and what `settle` has to ask.
    """
    place = _Place(example, example.line, before, shell, findings)
    try:
        found = commands(example.source)
    except CannotSplit as error:
        place.unverified(str(error))
        return
    if has_prompts(example.source):
        place.unverified("it begins lines with a prompt, `$ `: what a reader pastes does not run")
    for command in found:
        resolve_command(command, example, before, shell, findings)


def resolve_data(example: Example, shell: Shell, findings: ShellFindings) -> None:
    """Have a data block held against the schema of its kind of file, if a pinned release has one."""
    asked = asked_config(example, shell.pins)
    if asked:
        findings.configs.append(asked)


def resolve_command(
    command: Command, example: Example, before: Sequence[Example], shell: Shell, findings: ShellFindings
) -> None:
    """Look at one command; its line counts from the fence of `example`."""
    place = _Place(example, example.line + command.line, before, shell, findings)
    if command.gaps:
        place.unverified(f"`{command.gaps[0]}` stands for something that is not shown")
        rest = tuple(word for word in command.words if word not in ELLIPSES)
        command = replace(command, words=rest, expands=True)
    if command.words:
        _resolve(command, place)


def _resolve(command: Command, place: _Place) -> None:
    words = command.words
    name = words[0]
    in_container = command_in_container(words)
    if in_container:
        _resolve(replace(command, words=in_container), place)
    elif name in {"uv", "uvx"}:
        _resolve_uv(command, place)
    elif install_arguments(words) is not None:
        _want(install_arguments(words) or (), place)
        if name in {"pip", "pip3"} or _PYTHON.fullmatch(name):
            _put(words[words.index("pip") if "pip" in words else 0 :], command, place, is_pip=True)
    elif name in {"pip", "pip3"}:
        _put(words, command, place, is_pip=True)
    elif _PYTHON.fullmatch(name):
        _resolve_python(command, place)
    elif name in SHELLS and words[1:2] == ("-c",) and len(words) > 2:
        _resolve_inner(words[2], place)
    elif "/" not in name and place.shell.has_script(name):
        _put(words, command, place)
    elif name in _OTHER_REGISTRIES and _FETCHES & set(words[1:3]):
        place.unverified(f"what `{' '.join(words[:2])}` fetches is not looked up")
    elif name.startswith("-"):
        place.unverified(f"`{name}` stands where a command begins: does the line before end in a backslash?")
    elif "/" in name:
        place.unverified(f"`{name}` is a program of the reader's")
    elif name not in PLAIN and not (name in SHELLS and words[1:]):
        is_open = place.shell.python is None
        says = _NOT_INSTALLED if is_open else "it is no command of the pinned releases, and no plain one"
        place.unverified(f"`{name}`: {says}")


def _resolve_inner(source: str, place: _Place) -> None:
    """Look at the commands of a program for a shell that is an argument."""
    try:
        found = commands(source)
    except CannotSplit as error:
        place.unverified(str(error))
        return
    for inner in found:
        _resolve(inner, place)


def _resolve_python(command: Command, place: _Place) -> None:
    words = list(command.words[1:])
    while words and words[0].startswith("-") and words[0] not in {"-", "-c", "-m", "--version", "-V", "-h"}:
        del words[: 2 if words[0] in _PYTHON_OPTIONS_WITH_VALUE else 1]
    first = words[0] if words else ""
    program = words[1] if first == "-c" and len(words) > 1 else command.body if first in {"", "-"} else None
    if program is not None and command.expands:
        place.unverified("the shell changes the program before Python reads it")
    elif program is not None:
        start = place.line + (1 if first != "-c" else 0)
        place.findings.pieces.append(Piece(place.example, program, start, Joins.ALONE))
    elif first == "-m" and len(words) > 1:
        _put(words, command, place)
    elif first in {"", "-"}:
        place.unverified("`python` reads a program that is not shown")
    elif first.startswith("-") and first not in {"--version", "-V", "-h"}:
        place.unverified(f"`python {first}` is not looked at")


def _resolve_uv(command: Command, place: _Place) -> None:
    line = read_uv_line(place.shell.uv, command.words)
    if line.fault and command.expands and "unexpected argument" not in line.fault:
        place.unverified(f"`{_short(command.words)}`: {line.fault}")
    elif line.fault:
        place.drift(f"`{_short(command.words)}`: uv says: {line.fault}")
    installs = install_arguments(command.words)
    if installs is not None:
        _want(installs, place)
    with_words = [after for word, after in zip(line.own, line.own[1:], strict=False) if word == "--with"]
    _want([one for word in with_words for one in word.split(",")], place)
    if not line.inner:
        return
    if line.own[:2] != ("tool", "run"):
        _resolve(replace(command, words=line.inner), place)
        return
    tool, _, version = line.inner[0].partition("@")
    source = [after for word, after in zip(line.own, line.own[1:], strict=False) if word == "--from"]
    _want(source or [f"{tool}=={version}" if version and version != "latest" else tool], place)
    if place.shell.has_script(tool):
        _resolve(replace(command, words=(tool, *line.inner[1:])), place)
    else:
        place.unverified(f"`{tool}` comes from a release that is not pinned")


def install_arguments(words: Sequence[str]) -> Sequence[str] | None:
    """What follows `pip install` or a like command, whoever installs; None if nothing is installed."""
    rest = list(words)
    if len(rest) > 2 and _PYTHON.fullmatch(rest[0]) and rest[1] == "-m":
        del rest[:2]
    if rest[:1] in (["uv"], ["pipx"], ["poetry"], ["pdm"]):
        tool = rest.pop(0)
        if rest[:1] == ["tool"] or tool == "pipx":
            rest = rest[1:] if tool == "uv" else rest
            return rest[1:] if rest[:1] == ["install"] else None
        if rest[:1] == ["add"]:
            return rest[1:]
    is_pip = len(rest) > 1 and rest[0] in {"pip", "pip3"} and rest[1] in {"install", "download", "wheel"}
    return rest[2:] if is_pip else None


def _want(arguments: Sequence[str], place: _Place) -> None:
    pinned = {str(pin) for pin in place.shell.pins}
    for text in asked_requirements(arguments):
        if "$" in text or text.startswith("<"):
            place.unverified(f"`{text}`: the shell says what is installed")
        elif names_another_index(arguments) and text not in pinned:
            place.unverified(f"`{text}`: it comes from another index, which is not asked")
        elif text not in pinned:
            place.findings.wanted.append(Wanted(place.example, place.line, text))


def _put(words: Sequence[str], command: Command, place: _Place, *, is_pip: bool = False) -> None:
    shown, files = _files(words, place.before, place.example)
    asked = (*_PIP, *words[1:]) if is_pip else tuple(words)
    line = CommandLine(asked, files, lenient=len(files) > len(shown))
    place.findings.put.append(Put(place.example, place.line, line, shown, command.expands))


def settle(findings: ShellFindings, shell: Shell) -> None:
    """Ask what is yet to be asked, all at once; remarks and the data that was read go into `findings`."""
    findings.remarks += _index_remarks(findings.wanted, shell)
    answers = _parsed(findings.put, shell)
    for put in findings.put:
        parsed = answers[repr(put.command)]
        says = " ".join(parsed.message.split())[:200]
        is_unknown = bool(UNKNOWN_OPTION.search(says))
        is_a_fault = parsed.outcome == REJECTED and (not put.expands or is_unknown) and not put.is_pip
        if parsed.outcome != ACCEPTED:
            verdict = Verdict.DRIFT if is_a_fault else Verdict.UNVERIFIED
            text = f"`{_short(put.command.words)}`: {says}"
            findings.remarks.append(Remark(put.example, put.line, verdict, text))
            continue
        findings.read |= {
            block for block, line in put.baited.items() if answers[repr(line)].outcome == REJECTED
        }
    asked = [config for config in findings.configs if config.example not in findings.read]
    for config, answer in zip(
        asked, ask_schemas(shell.python, asked, shell.memory, shell.sources), strict=True
    ):
        findings.remarks += answer.remarks
        if answer.is_read:
            findings.read.add(config.example)


def _parsed(puts: Sequence[Put], shell: Shell) -> Mapping[str, Parsed]:
    """What becomes of each line, by its `repr`. pip is the one that this interpreter carries; it is of no release."""
    found: dict[str, Parsed] = {}
    for is_pip, python, memory in (
        (True, Path(sys.executable), cache_folder() / "pip" / platform.python_version()),
        (False, shell.python, shell.memory),
    ):
        chosen = [put for put in puts if put.is_pip is is_pip]
        lines = [line for put in chosen for line in (put.command, *put.baited.values())]
        unseen = [Parsed(UNSEEN, _NOT_INSTALLED)] * len(lines)
        answers = ask_parsers(python, lines, memory) if python else unseen
        found |= zip(map(repr, lines), answers, strict=True)
    return found


def _index_remarks(wanted: Sequence[Wanted], shell: Shell) -> Iterator[Remark]:
    found = look_up(shell.uv, [one.requirement for one in wanted])
    for one in wanted:
        answer = found[one.requirement]
        if answer is Found.NO:
            says = f"`{one.requirement}`: the index has no such release, or the release no such extra"
            yield Remark(one.example, one.line, Verdict.DRIFT, says)
        elif answer is Found.UNKNOWN:
            says = f"`{one.requirement}`: the index is not reachable, or does not say"
            yield Remark(one.example, one.line, Verdict.UNVERIFIED, says)


def _files(
    words: Sequence[str], before: Sequence[Example], example: Example
) -> tuple[dict[str, Example], dict[str, str]]:
    """The configuration files that a command line names: those that the page shows, and the text of all.

    A data block is the file that its first line names in a comment, or the one that the next command names. A file
    that a command of the page writes has the text of that command.
    """
    values = [word.rpartition("=")[2] for word in words[1:]]
    names = [name for name in values if Path(name).suffix in CONFIG_SUFFIXES and _is_below(name)]
    blocks = [block for block in before if block.language in DATA_LANGUAGES]
    shown = {name: block for block in blocks for name in names if name in block.source.partition("\n")[0]}
    last = before[-1] if before else None
    if last in blocks and last not in shown.values() and len(names) == 1:
        shown.setdefault(names[0], last)
    own = {name: CONFIG_SUFFIXES[Path(name).suffix] for name in names}
    written = _written((*before, example)) if names else {}
    own |= {name: text for name, text in written.items() if name in own}
    return shown, own | {name: block.source for name, block in shown.items()}


def _is_below(name: str) -> bool:
    """Whether a path stays in the folder in which the command runs."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "~" not in name and ":" not in name


def _written(blocks: Sequence[Example]) -> dict[str, str]:
    found: dict[str, str] = {}
    for block in blocks:
        if block.language in SHELLS:
            try:
                found |= written_files(commands(block.source))
            except CannotSplit:
                continue
    return found


def _baited(block: Example) -> str:
    if block.language == "json":
        return block.source.replace("{", f'{{"{_CANARY}": 1, ', 1)
    return f"{_CANARY}{': 1' if block.language == 'yaml' else ' = 1'}\n{block.source}"


def _short(words: Sequence[str]) -> str:
    text = " ".join(("python", *words) if words[0] == "-m" else words)
    return text if len(text) <= 60 else f"{text[:57]}..."
