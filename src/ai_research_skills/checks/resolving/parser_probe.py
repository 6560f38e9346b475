"""Run inside a skill's environment: whether a release's own parser takes command lines. Standard library only.

A command is started as its console script, or as `python -m`, would start it, and stopped as soon as its parser
has taken all of it: nothing behind the parser runs. A parser that takes a part hands the rest on, so the command
may go on to the next parser, but not to another process or to the network. `accepted`, `rejected` or `unseen`.

Every command runs in a child of its own. What the first one had to import is imported for those that follow it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import json
import os
import runpy
import signal
import sys
import time
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
    script.load()()


def pretend(script: str) -> None:
    """Tell a release the device that its parser wants to know."""
    if script in _WITHOUT_A_GPU:
        place, name, module, kind = _WITHOUT_A_GPU[script]
        setattr(importlib.import_module(place), name, getattr(importlib.import_module(module), kind)())


def run_line(line: dict[str, Any], found_file: Path) -> NoReturn:
    """Start one command; what becomes of it, and what it imported, goes into `found_file`."""

    def finish(outcome: str, message: str) -> NoReturn:
        found = {"outcome": outcome, "message": message, "modules": sorted(sys.modules)}
        found_file.write_text(json.dumps(found), encoding="utf-8")
        os._exit(0)

    for name, text in line["files"].items():
        Path(name).write_text(text, encoding="utf-8")
    try:
        watch_click(finish)
        watch_argparse(finish, lenient=line["lenient"])
        pretend(line["words"][0])
        start(line["words"])
    except _Stopped as error:
        finish(REJECTED, str(error))
    except BaseException as error:
        finish(UNSEEN, f"{type(error).__name__}: {error}")
    finish(UNSEEN, "it asked no parser that is known here")


def run_lines(lines: list[dict[str, Any]], timeout: float) -> list[dict[str, str]]:
    """What becomes of each command, in order."""
    found: list[dict[str, str]] = []
    prepared: set[str] = set()
    for number, line in enumerate(lines):
        folder = Path(f"line_{number}").absolute()
        folder.mkdir()
        child = os.fork()
        if not child:
            os.chdir(folder)
            run_line(line, folder.with_suffix(".json"))
        outcome = _awaited(child, folder.with_suffix(".json"), timeout)
        script = " ".join(line["words"][: 1 + (line["words"][0] == "-m")])
        if script not in prepared:
            prepared.add(script)
            _prepare(line["words"][0], outcome.pop("modules", []))
        found.append({"outcome": outcome["outcome"], "message": outcome["message"]})
    return found


def _awaited(child: int, found_file: Path, timeout: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return {"outcome": UNSEEN, "message": f"it came to no parser within {timeout:.0f} s"}
    if not found_file.is_file():
        return {"outcome": UNSEEN, "message": "it ended without a word"}
    found: dict[str, Any] = json.loads(found_file.read_text(encoding="utf-8"))
    return found


def _prepare(script: str, modules: list[str]) -> None:
    with contextlib.suppress(BaseException):
        pretend(script)
    for module in modules:
        if module not in sys.modules and module != "__main__":
            with contextlib.suppress(BaseException):
                importlib.import_module(module)


def main() -> None:
    given_file, found_file = sys.argv[1:]
    given = json.loads(Path(given_file).read_text(encoding="utf-8"))
    sys.path[0] = ""
    found = run_lines(given["lines"], given["timeout"])
    Path(found_file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
