"""Level 1 of the evidence ladder: an example parses in its language. Nothing is run or imported."""

from __future__ import annotations

import ast
import configparser
import json
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping

import yaml

from ai_research_skills.catalog.example import Example


class DoesNotParse(ValueError):
    """The example is not valid in its language."""


def parses(example: Example) -> bool:
    """True if a parser accepts `example`, False if no parser knows its language.

    Raises:
        DoesNotParse: The parser rejected it; the message says why.
    """
    parser = PARSERS.get(example.language)
    if parser is None:
        return False
    try:
        parser(example.source)
    except (SyntaxError, ValueError, yaml.YAMLError, configparser.Error) as error:
        raise DoesNotParse(f"is not valid {example.language}: {error}") from error
    return True


def _bash(source: str) -> None:
    shell = shutil.which("bash")
    if shell is None:
        raise DoesNotParse("cannot be checked: bash is not installed")
    result = subprocess.run([shell, "-n"], input=source, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ValueError(result.stderr.strip())


def _yaml(source: str) -> None:
    list(yaml.safe_load_all(source))


def _ini(source: str) -> None:
    configparser.ConfigParser().read_string(source)


def _diff(source: str) -> None:
    for number, line in enumerate(source.splitlines(), start=1):
        if line and line[0] not in "+- @\\":
            raise ValueError(f"line {number} starts with {line[0]!r}")


PARSERS: Mapping[str, Callable[[str], object]] = {
    "bash": _bash,
    "diff": _diff,
    "ini": _ini,
    "json": json.loads,
    "python": ast.parse,
    "sh": _bash,
    "toml": tomllib.loads,
    "yaml": _yaml,
}
