"""The commands of a shell block: split as a shell would, without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_REDIRECTION = re.compile(r"\d*(?:>>|>&|<&|&>|>|<)")
_NOT_COMMANDS = frozenset({"for", "case", "select", "function"})
_BEFORE_COMMANDS = frozenset(
    {
        "!",
        "{",
        "}",
        "do",
        "done",
        "elif",
        "else",
        "esac",
        "exec",
        "fi",
        "if",
        "nohup",
        "sudo",
        "then",
        "time",
        "until",
        "while",
    }
)


class CannotSplit(ValueError):
    """The block uses a part of the shell's language that is not read here."""


@dataclass(frozen=True)
class Command:
    """One simple command.

    Attributes:
        words: The command and its arguments, without assignments before it and without redirections.
        line: Line of the block, from one, on which it begins.
        expands: Whether the shell would put something else in the place of a part of it.
    """

    words: tuple[str, ...]
    line: int
    expands: bool = False


def commands(source: str) -> tuple[Command, ...]:
    """The commands of a block, in order.

    Raises:
        CannotSplit: It has a here-document.
    """
    found = (_simple(command) for command in _Splitter(source).commands())
    return tuple(command for command in found if command.words)


def _simple(command: Command) -> Command:
    """The command without what stands before it, as in `while`, `HERE=1` or `sudo`."""
    words = list(command.words)
    while words and (words[0] in _BEFORE_COMMANDS or _ASSIGNMENT.match(words[0])):
        del words[0]
    return replace(command, words=() if words[:1] and words[0] in _NOT_COMMANDS else tuple(words))


class _Splitter:
    """Reads a block letter by letter."""

    def __init__(self, source: str) -> None:
        self.rest = source.replace("\\\n", "\v")
        self.line = 1

    def commands(self) -> Iterator[Command]:
        words: list[str] = []
        line, expands, skips = self.line, False, False
        while self.rest:
            letter = self.rest[0]
            if letter in " \t\v":
                self._take(1)
            elif letter == "#":
                self._take(len(self.rest.partition("\n")[0]))
            elif self.rest.startswith("<<"):
                raise CannotSplit("a here-document is not read")
            elif match := _REDIRECTION.match(self.rest):
                self._take(match.end())
                skips = True
            elif letter in "\n;&|()":
                self._take(1)
                yield Command(tuple(words), line, expands)
                words, line, expands = [], self.line, False
            else:
                line = line if words else self.line
                word, is_expanded = self._word()
                words += [] if skips else [word]
                expands, skips = expands or is_expanded, False
        yield Command(tuple(words), line, expands)

    def _word(self) -> tuple[str, bool]:
        word, expands, quote = "", False, ""
        while self.rest:
            letter = self.rest[0]
            if not quote and letter in " \t\v\n;&|()<>":
                break
            self._take(1)
            if letter == quote or (not quote and letter in "\"'"):
                quote = "" if quote else letter
            elif letter == "\\" and quote != "'" and self.rest:
                word += self._take(1)
            else:
                expands = expands or (letter in "$`" and quote != "'")
                word += letter
        return word, expands

    def _take(self, count: int) -> str:
        taken, self.rest = self.rest[:count], self.rest[count:]
        self.line += taken.count("\n") + taken.count("\v")
        return taken
