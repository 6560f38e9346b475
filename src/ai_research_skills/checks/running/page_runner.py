"""Run inside a skill's environment: the blocks of one page, in order, sharing names. Standard library only.

Started by its path, with two more: of a file that holds the question, and of one for the answer.

The question is a JSON object:

- `blocks`: of each the `page` (its name), the `line` of its fence, its `source` and its `mark`; with `"run": false` it
  is passed over, and only the types of the names there are of interest;
- `gpu`: whether blocks marked `gpu` run. Without it they are passed over.
- `seconds`: after how many the runner ends by itself. Whoever ends it from outside may lose the answer.

A list of blocks stands for an object with nothing else. The answer is a JSON list with one outcome a block:

- `outcome`: `ran`, `raised` as it should, `failed`, or `skipped`;
- `message`: why it failed or what it raised: the lines of the page on the way, then the exception, as Python does;
- `error`: the exception alone; `line`: the line of the page where it was raised, or 0;
- `stdout`, `stderr`: what was printed, from the start, and `truncated`: whether there was more on either;
- `deprecations`: `line`, `category` and `text` of each warning about the block's own code that a release will end it;
- `seconds`, and `peak_mib`: the most memory that the process had held by then, on Linux;
- `types`: `module:class` of the values that names had at a block that was skipped;
- `device`: the GPU, if the page has used one by then.

The answer is written anew before each block, with that block as failed: what ends the interpreter is thereby named,
and nothing above it is lost. A page is a program: after a block that should have run and did not, nothing below
counts until a fresh start.
"""

from __future__ import annotations
import __future__ as future

import builtins
import contextlib
import ctypes
import faulthandler
import json
import linecache
import os
import re
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

LONGEST_OUTPUT = 64 * 1024
"""Bytes of each stream of a block that are kept."""

LONGEST_MESSAGE, LONGEST_LINE = 30, 500
"""Lines of a message, and characters of each."""

MOST_FRAMES = 12
"""Lines of the page in a message."""

MOST_DEPRECATIONS = 20

UNFINISHED = "ended the interpreter, or did not come to an end"

_SCALARS = (bool, int, float, str, bytes)
_ENDING = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
"""Where an object lies in memory: another place each time, and records should not change for it."""

_FUTURE_FLAGS = sum(getattr(future, name).compiler_flag for name in future.all_feature_names)
_BUILTINS = vars(builtins)
_BUILTINS_AT_START = dict(_BUILTINS)

Block = dict[str, Any]
Outcome = dict[str, Any]
Keep = Callable[[list[Outcome]], None]


def run_page(blocks: list[Block], *, gpu: bool, keep: Keep) -> list[Outcome]:
    """One outcome a block; `keep` gets them all before each block and at the end."""
    streams, deprecations, program = _Streams(), _Deprecations(), _Program()
    process = os.getpid()
    outcomes: list[Outcome] = []
    for position, block in enumerate(blocks):
        is_passed_over = not block.get("run", True) or (block["mark"] == "gpu" and not gpu)
        if block["mark"] == "fresh":
            program = _Program()
        if is_passed_over or (program.broken and block["mark"] != "alone"):
            known = {} if program.broken else _types(vars(program.module))
            outcomes.append(_outcome("skipped", types=known))
            continue
        rest = len(blocks) - position - 1
        keep([*outcomes, _outcome("failed", message=UNFINISHED), *(_outcome("skipped") for _ in range(rest))])
        streams.begin()
        deprecations.begin(block["page"])
        outcome = program.run(block)
        if os.getpid() != process:
            os._exit(0)
        outcome |= streams.end() | {"deprecations": deprecations.found, "peak_mib": _peak_mib()}
        outcomes.append(outcome | ({"device": device} if gpu and (device := _device()) else {}))
    keep(outcomes)
    return outcomes


class _Program:
    """The program of a page since its last fresh start: its names, and whether a block of it did not run.

    The names are those of a module `__main__`, so that what looks there for a class finds it, as pickle does.
    """

    def __init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.broken = False
        self.flags = 0

    def run(self, block: Block) -> Outcome:
        """Run `block` as its mark says; sees to it that what should leave no names leaves none."""
        if block["mark"] == "alone":
            with _working_directory_kept():
                return _Program()._execute(block)
        if block["mark"] != "fails":
            outcome = self._execute(block)
            self.broken = outcome["outcome"] == "failed"
            return outcome
        copy = _Program()
        vars(copy.module).update(vars(self.module))
        copy.flags = self.flags
        return _held_to_fail(copy._execute(block))

    def _execute(self, block: Block) -> Outcome:
        """Compile `block` so that each line has the number that it has on the page, and execute it."""
        page, line = block["page"], block["line"]
        sys.modules["__main__"] = self.module
        started = time.perf_counter()
        try:
            code = compile("\n" * line + block["source"], page, "exec", self.flags, dont_inherit=True)
            self.flags |= code.co_flags & _FUTURE_FLAGS
            try:
                exec(code, vars(self.module))
            finally:
                # A page may give `print` another meaning; what follows here must not depend on it.
                _BUILTINS.update(_BUILTINS_AT_START)
        except BaseException as error:
            seconds = time.perf_counter() - started
            return _outcome("failed", seconds) | _told(error, page)
        return _outcome("ran", time.perf_counter() - started)


def _held_to_fail(outcome: Outcome) -> Outcome:
    """`outcome` of a block that is there to raise an exception; ending the program is not one."""
    if outcome["outcome"] == "ran":
        return outcome | {"outcome": "failed", "message": "is marked `fails` but ran"}
    return outcome | {"outcome": "raised" if outcome["is_exception"] else "failed"}


def _outcome(outcome: str, seconds: float = 0.0, message: str = "", **more: Any) -> Outcome:
    return {"outcome": outcome, "seconds": seconds, "message": message, **more}


def _told(error: BaseException, page: str) -> Outcome:
    """What `error` says: the lines of `page` that led to it, and the exception itself."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == page]
    lines = [f"{page}:{frame.lineno}: {frame.line or ''}".rstrip() for frame in frames]
    if len(lines) > MOST_FRAMES:
        half = MOST_FRAMES // 2
        lines[half:-half] = [f"… {len(lines) - 2 * half} more lines of the page …"]
    line = (frames[-1].lineno or 0) if frames else 0
    if isinstance(error, SyntaxError) and error.filename == page:
        line = error.lineno or 0
    said = _clean("".join(traceback.format_exception_only(error)).strip()).splitlines() or [
        type(error).__name__
    ]
    room = max(1, LONGEST_MESSAGE - len(lines))
    shown = said if len(said) <= room else [*said[: room - 1], "…"]
    return {
        "message": _ADDRESS.sub("0x…", "\n".join(text[:LONGEST_LINE] for text in (*lines, *shown))),
        "error": "\n".join(said)[:LONGEST_OUTPUT],
        "line": line,
        "is_exception": isinstance(error, Exception),
    }


def _clean(text: str) -> str:
    """`text` with escapes for what cannot be written as UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _nameless_file() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class _Streams:
    """What a block prints, by Python or below it, kept in two files without names."""

    def __init__(self) -> None:
        self._files = {"stdout": (1, _nameless_file()), "stderr": (2, _nameless_file())}

    def begin(self) -> None:
        """Send both streams into empty files, and give the program streams again if it closed them."""
        self._flush()
        for name, (number, file) in self._files.items():
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            os.dup2(file, number)
            stream = getattr(sys, name, None)
            if stream is None or getattr(stream, "closed", False):
                opened = open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
                setattr(sys, name, opened)

    def end(self) -> Outcome:
        """What was printed since `begin`."""
        self._flush()
        found: Outcome = {"truncated": False}
        for name, (_, file) in self._files.items():
            raw = os.pread(file, LONGEST_OUTPUT + 1, 0)
            found[name] = raw[:LONGEST_OUTPUT].decode("utf-8", "replace")
            found["truncated"] |= len(raw) > LONGEST_OUTPUT
        return found

    def _flush(self) -> None:
        """Write what Python and the C library hold back; a stream that the page broke has nothing."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            with contextlib.suppress(Exception):
                stream.flush()  # type: ignore[union-attr]
        with contextlib.suppress(Exception):
            ctypes.CDLL(None).fflush(None)


class _Deprecations:
    """Warnings about lines of the page that a later release will not run them; shown as ever besides."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._page = ""
        self._show = warnings.showwarning
        warnings.showwarning = self._note  # type: ignore[assignment]

    def begin(self, page: str) -> None:
        """Collect for the next block of `page`."""
        self.found, self._page = [], page

    def _note(self, message: Any, category: type[Warning], filename: str, lineno: int, *more: Any) -> None:
        is_ending = filename == self._page and issubclass(category, _ENDING)
        if is_ending and len(self.found) < MOST_DEPRECATIONS:
            text = _clean(str(message))[:LONGEST_LINE]
            self.found.append({"line": lineno, "category": category.__name__, "text": text})
        self._show(message, category, filename, lineno, *more)


@contextlib.contextmanager
def _working_directory_kept() -> Iterator[None]:
    here = os.open(".", os.O_RDONLY)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.fchdir(here)
            os.close(here)


def _types(names: dict[str, Any]) -> dict[str, str]:
    """`module:class` of every value whose class a type checker can be told."""
    found: dict[str, str] = {}
    for name, value in names.items():
        kind = type(value)
        with contextlib.suppress(Exception):
            module, path = kind.__module__, kind.__qualname__
            is_known = kind in _SCALARS or module not in {"builtins", "__main__"}
            if is_known and not name.startswith("__") and "<" not in path:
                found[name] = f"{module}:{path}"
    return found


def _peak_mib() -> float:
    """Mebibytes. What `getrusage` says would count in the process that started this one."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def _device() -> str:
    """The GPU that the page has used through PyTorch, or nothing."""
    with contextlib.suppress(Exception):
        cuda = sys.modules["torch"].cuda
        if cuda.is_initialized():
            return str(cuda.get_device_name())
    return ""


def _keeper(path: Path) -> Keep:
    """Writes an answer to `path` whole, so that it can be read whatever ends the process."""
    beside = path.with_name(f"{path.name}.new")

    def keep(outcomes: list[Outcome]) -> None:
        beside.write_text(json.dumps(outcomes), encoding="utf-8")
        beside.replace(path)

    return keep


def _show_lines(blocks: list[Block]) -> None:
    """Let tracebacks and `inspect` find the lines of the pages, which are in no file that they know."""
    lines: dict[str, dict[int, str]] = {}
    for block in blocks:
        for number, text in enumerate(block["source"].splitlines(), start=block["line"] + 1):
            lines.setdefault(block["page"], {})[number] = text
    for page, known in lines.items():
        text = [f"{known.get(number, '')}\n" for number in range(1, max(known) + 1)]
        linecache.cache[page] = (sum(map(len, text)), None, text, page)


def main() -> None:
    """Answer the question of the command line, as a program that was started in an empty folder would."""
    question, answer = (Path(argument).resolve() for argument in sys.argv[1:])
    given = json.loads(question.read_text(encoding="utf-8"))
    given = given if isinstance(given, dict) else {"blocks": given}
    blocks = given["blocks"]
    sys.argv[:] = [blocks[0]["page"] if blocks else ""]
    if sys.path and sys.path[0] == str(Path(__file__).parent):
        sys.path[0] = ""
    _show_lines(blocks)
    if seconds := given.get("seconds"):
        nowhere = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
    run_page(blocks, gpu=given.get("gpu", False), keep=_keeper(answer))
    # What a page leaves behind, such as threads that wait, must not keep the answer from being given.
    os._exit(0)


if __name__ == "__main__":
    main()
