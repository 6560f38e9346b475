"""Run inside a skill's environment: whether a release's own parser takes a command line. Standard library only.

The command is started as its console script, or as `python -m`, would start it, and stopped as soon as its parser
has taken all of it: nothing behind the parser runs. A parser that takes a part hands the rest on, so the command
may go on to the next parser, but not to another process or to the network. `accepted`, `rejected` or `unseen`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

ACCEPTED, REJECTED, UNSEEN = "accepted", "rejected", "unseen"
_STARTS_SOMETHING = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
    "socket.bind",
)

_WITHOUT_A_GPU = {"vllm": ("vllm.platforms", "_current_platform", "vllm.platforms.cpu", "CpuPlatform")}
"""Releases whose parsers want to know the device first: the attribute that says it, and the class to say."""

Finish = Callable[[str, str], NoReturn]


class _Stopped(OSError):
    """Raised in the place of another process or a connection."""


def watch_argparse(finish: Finish, *, lenient: bool) -> None:
    """Report what the outermost parser makes of the command line; `lenient` ones require nothing."""
    depth, leftover = 0, [""]
    parse = argparse.ArgumentParser.parse_known_args

    def watched(self: argparse.ArgumentParser, args: Any = None, namespace: Any = None) -> Any:
        nonlocal depth
        if lenient:
            for action in self._actions:
                action.required = False
        depth += 1
        try:
            found = parse(self, args, namespace)
        finally:
            depth -= 1
        if not depth:
            if not found[1]:
                finish(ACCEPTED, "")
            leftover[0] = f"unrecognized arguments: {' '.join(map(str, found[1]))}"
        return found

    def refused(self: argparse.ArgumentParser, message: str) -> NoReturn:
        finish(REJECTED, message)

    def ended(self: argparse.ArgumentParser, status: int = 0, message: str | None = None) -> NoReturn:
        finish(REJECTED if status else ACCEPTED, message or "")

    def started(event: str, _: Any) -> None:
        if leftover[0] and event in _STARTS_SOMETHING:
            raise _Stopped(leftover[0])

    argparse.ArgumentParser.parse_known_args = watched  # type: ignore[method-assign]
    argparse.ArgumentParser.error = refused  # type: ignore[method-assign]
    argparse.ArgumentParser.exit = ended  # type: ignore[method-assign]
    sys.addaudithook(started)


def watch_click(finish: Finish) -> None:
    """Report what click makes of the command line, where it is installed."""
    try:
        import click  # noqa: PLC0415  # only some environments have it
    except ImportError:
        return

    def invoked(self: Any, context: Any) -> NoReturn:
        finish(ACCEPTED, "")

    def shown(self: Any, file: Any = None) -> NoReturn:
        finish(REJECTED, self.format_message())

    click.Command.invoke = invoked  # type: ignore[method-assign,assignment]
    click.UsageError.show = shown  # type: ignore[method-assign]


def start(words: list[str]) -> None:
    """Start the command as its console script would, or as `python -m` would."""
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        return
    (script,) = importlib.metadata.entry_points(group="console_scripts", name=words[0])
    sys.argv = words
    if words[0] in _WITHOUT_A_GPU:
        place, name, module, kind = _WITHOUT_A_GPU[words[0]]
        setattr(importlib.import_module(place), name, getattr(importlib.import_module(module), kind)())
    script.load()()


def main() -> None:
    given_file, found_file = sys.argv[1:]
    given = json.loads(Path(given_file).read_text(encoding="utf-8"))

    def finish(outcome: str, message: str) -> NoReturn:
        Path(found_file).write_text(json.dumps({"outcome": outcome, "message": message}), encoding="utf-8")
        os._exit(0)

    for name, text in given["files"].items():
        Path(name).write_text(text, encoding="utf-8")
    watch_click(finish)
    watch_argparse(finish, lenient=given["lenient"])
    sys.path[0] = ""
    try:
        start(given["words"])
    except _Stopped as error:
        finish(REJECTED, str(error))
    except BaseException as error:
        finish(UNSEEN, f"{type(error).__name__}: {error}")
    finish(UNSEEN, "it asked no parser that is known here")


if __name__ == "__main__":
    main()
