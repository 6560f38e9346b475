"""The languages that Python reads by itself. Nothing is run, and no text is able to exhaust the stack."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml._yaml import Mark as CMark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ai_research_skills.checks.parsing.fault import Fault

LONGEST_TEXT = 100_000
"""Characters; the longest example of three libraries with 25,000 has 60,000."""

LONGEST_LINE = 10_000
"""Characters. The regular expressions of `configparser` take time with the square of it."""

DEEPEST_YAML = 100
"""Levels; libyaml takes time with the square of it, and composing takes the stack."""


def check_text(source: str) -> None:
    """Refuse what no parser should be given: it would take for ever, or cannot be written to a file.

    Raises:
        Fault: The text is too long, or holds characters that no text has.
    """
    if len(source) > LONGEST_TEXT:
        raise Fault(f"has {len(source):,} characters, more than {LONGEST_TEXT:,}", mend="show less of it")
    for number, line in enumerate(source.split("\n"), start=1):
        if len(line) > LONGEST_LINE:
            raise Fault(f"has {len(line):,} characters, more than {LONGEST_LINE:,}", number, "break the line")
    for character, name in (("\0", "a NUL character"), ("\ud800-\udfff", "half a surrogate pair")):
        if match := re.search(f"[{character}]", source):
            raise Fault(f"holds {name}", _line_at(source, match.start()), "remove it")


def read_python(source: str) -> None:
    """Compile without running. Warnings, such as the one for an invalid escape, are no faults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(source, "example", "exec", dont_inherit=True)
        except SyntaxError as error:
            raise Fault(error.msg, error.lineno or 0) from error
        except (MemoryError, RecursionError) as error:
            raise Fault("is nested too deeply for Python to parse", mend="flatten it") from error


def read_json(source: str) -> None:
    """One JSON value, as the standard has it: no key twice, no `NaN`, no `Infinity`."""
    try:
        json.loads(source, object_pairs_hook=_without_doubles, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Fault(error.msg, error.lineno) from error
    except _Double as error:
        raise Fault(f"has the key {error.key!r} twice", _second_line(source, error.key)) from error
    except RecursionError as error:
        raise Fault("is nested too deeply", mend="flatten it") from error
    except ValueError as error:
        raise Fault(str(error)) from error


def read_jsonc(source: str) -> None:
    """JSON with comments, and with commas after the last item."""
    read_json(_LAST_COMMA.sub(_blank, _COMMENT.sub(_blank, source)))


def read_jsonl(source: str) -> None:
    """JSON Lines: one value a line; a blank line may stand between."""
    for number, line in enumerate(source.split("\n"), start=1):
        if line.strip():
            try:
                read_json(line)
            except Fault as fault:
                raise Fault(fault.reason, number, fault.mend) from fault


def read_toml(source: str) -> None:
    """TOML 1.0."""
    try:
        tomllib.loads(source)
    except RecursionError as error:
        raise Fault("is nested too deeply", mend="flatten it") from error
    except ValueError as error:
        reason, _, place = str(error).partition(" (at ")
        line = re.match(r"line (\d+)", place)
        last = source.rstrip("\n").count("\n") + 1
        raise Fault(reason, int(line[1]) if line else last if place else 0) from error


def read_yaml(source: str) -> None:
    """Every document of a YAML stream, whatever its tags mean to whom; no key stands twice.

    The loader of `catalog.yaml_document` is for documents of our own and refuses aliases and tags, which examples
    may have. Here nothing is constructed: a tag is only a name, and an alias is never written out.
    """
    try:
        _check_depth(yaml.parse(source, Loader=yaml.CSafeLoader))
        for root in yaml.compose_all(source, Loader=yaml.CSafeLoader):
            _check_keys(root)
    except yaml.MarkedYAMLError as error:
        reason = ": ".join(filter(None, (error.context, error.problem)))
        raise Fault(reason or str(error), _line_of(error.problem_mark or error.context_mark)) from error
    except yaml.YAMLError as error:
        raise Fault(str(error)) from error


def read_ini(source: str) -> None:
    """INI as `configparser` has it, without interpolation: a per cent sign is only a character."""
    try:
        configparser.ConfigParser(interpolation=None).read_string(source)
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        name = error.option if isinstance(error, configparser.DuplicateOptionError) else f"[{error.section}]"
        raise Fault(f"has {name} twice", error.lineno or 0) from error
    except configparser.MissingSectionHeaderError as error:
        raise Fault("begins before any [section]", error.lineno) from error
    except configparser.ParsingError as error:
        raise Fault("is neither a key with a value nor a [section]", error.errors[0][0]) from error
    except configparser.Error as error:
        raise Fault(str(error)) from error


def read_diff(source: str) -> None:
    """A unified diff, whose hunks have as many lines as they say, or its short form: changed lines and no header."""
    hunk: _Hunk | None = None
    lines = source.splitlines()
    for number, line in enumerate(lines, start=1):
        if header := _HUNK.match(line):
            _check_full(hunk)
            hunk = _Hunk(number, *(int(count) if count else 1 for count in header.groups()))
        elif line.startswith("@@ -"):
            raise Fault("is no hunk header such as @@ -1,2 +1,3 @@", number)
        elif hunk and hunk.is_open:
            hunk.take(line, number)
        elif hunk and line[:1] in set("+- ") and not line.startswith(_FILE_HEADERS):
            raise Fault(f"is one line more than the hunk of line {hunk.line} says", number)
        elif line and line[0] not in "+- @\\" and not line.startswith(_GIT_HEADERS):
            raise Fault(f"starts with {line[0]!r}, not with a plus, a minus or a space", number)
    _check_full(hunk)


READERS: Mapping[str, tuple[str, Callable[[str], None]]] = {
    "diff": ("diff", read_diff),
    "ini": ("configparser", read_ini),
    "json": ("json", read_json),
    "jsonc": ("json", read_jsonc),
    "jsonl": ("json", read_jsonl),
    "python": ("ast", read_python),
    "toml": ("tomllib", read_toml),
    "yaml": ("yaml", read_yaml),
}
"""For each language the engine, by the name that records use, and what reads it."""


_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", flags=re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[\]}}])")


def _blank(match: re.Match[str]) -> str:
    """A string as it stands; of anything else only the line ends, so that lines keep their numbers."""
    return match[1] or "\n" * match[0].count("\n")


class _Double(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Double(key)
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _second_line(source: str, key: str) -> int:
    """The line of the second `key`, or 0 where it stands more often and nobody knows which is meant."""
    places = [
        match.start()
        for match in re.finditer(rf"{re.escape(json.dumps(key, ensure_ascii=False))}\s*:", source)
    ]
    return _line_at(source, places[1]) if len(places) == 2 else 0


def _line_at(source: str, position: int) -> int:
    return source.count("\n", 0, position) + 1


def _check_depth(events: Iterable[yaml.Event]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST_YAML:
            raise Fault(f"nests deeper than {DEEPEST_YAML} levels", _line_of(event.start_mark), "flatten it")


def _line_of(mark: yaml.Mark | CMark | None) -> int:
    return mark.line + 1 if mark else 0


def _check_keys(root: Node | None) -> None:
    """Look at every mapping once: through aliases a mapping may stand in a million places."""
    waiting, seen = [root] if root else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            _check_doubles(key for key, _ in node.value)
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, SequenceNode):
            waiting += node.value


def _check_doubles(keys: Iterator[Node]) -> None:
    found: set[tuple[str, str]] = set()
    for key in keys:
        if isinstance(key, ScalarNode):
            if (key.tag, key.value) in found:
                raise Fault(
                    f"has the key {key.value!r} twice", _line_of(key.start_mark), "keep one of the two"
                )
            found.add((key.tag, key.value))


_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_FILE_HEADERS: tuple[str, ...] = ("--- ", "+++ ")
_GIT_HEADERS: tuple[str, ...] = (
    "diff ",
    "index ",
    "new file mode ",
    "deleted file mode ",
    "old mode ",
    "new mode ",
    "similarity index ",
    "dissimilarity index ",
    "rename ",
    "copy ",
    "Binary files ",
)


@dataclass
class _Hunk:
    """A hunk on line `line`, and how many lines of either file it still has to show."""

    line: int
    old: int
    new: int

    @property
    def is_open(self) -> bool:
        return self.old > 0 or self.new > 0

    def take(self, line: str, number: int) -> None:
        kind = line[:1] or " "
        if kind not in "+- \\":
            raise Fault(f"starts with {kind!r}, not with a plus, a minus or a space", number)
        self.old -= kind in "- "
        self.new -= kind in "+ "
        if self.old < 0 or self.new < 0:
            raise Fault(f"is one line more than the hunk of line {self.line} says", number)


def _check_full(hunk: _Hunk | None) -> None:
    if hunk and hunk.is_open:
        raise Fault(f"has fewer lines than it says: {hunk.old} old and {hunk.new} new are missing", hunk.line)
