"""What the type checker ty says about programs, held against a tree of packages.

ty runs as its language server: it keeps what it knows of the packages, so that a program that comes again with a
few changes costs a tenth of the first time.
"""

from __future__ import annotations

import string
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from ai_research_skills.checks.resolving.language_server import EndedEarly, LanguageServer

VERSION = "0.0.104"
"""The release of ty whose rules and words are known here: it renames both between releases."""
TIMEOUT = 300
"""Seconds for all programs of one pass."""
REVEALED = "revealed-type"
"""The rule under which the engine answers `reveal_type`."""
_LETTERS = string.ascii_letters + string.digits + "_"
_SCRATCH = "incomplete.py"
"""A program with a name taken out, so that the engine lists all that may stand there."""
_OPTIONS = {"undefined-reveal": "ignore"}


class NoEngine(Exception):
    """The engine cannot be asked on this machine, or answers in a way that is not known here."""


@dataclass(frozen=True)
class Span:
    """A stretch of a file: lines and columns count from one, the end is the first column after it."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Diagnostic:
    """One thing that the engine said about one file."""

    file: str
    span: Span
    rule: str
    message: str


class TypeEngine:
    """ty, looking at programs against the packages of one prefix; a context manager.

    Args:
        prefix: A virtual environment, or a tree that is laid out like one.
        sources: Folders of further packages.

    Raises:
        NoEngine: ty is not installed, is another release, or ended without an answer.
    """

    def __init__(self, prefix: Path, sources: Sequence[Path] = ()) -> None:
        if version("ty") != VERSION:
            raise NoEngine(f"ty {version('ty')} is not the release that is known here → {_INSTALL}")
        environment = {"python": str(prefix), "extra-paths": [str(source) for source in sources]}
        self._settings = {
            "configuration": {"environment": environment, "rules": _OPTIONS},
            "diagnosticMode": "openFilesOnly",
        }
        self._versions: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        (self._folder / "ty.toml").touch()
        process = subprocess.Popen(
            [sys.executable, "-m", "ty", "server"],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._server = self._stack.enter_context(LanguageServer(process, self._settings))
        self._watched(lambda: self._server.begin(self._folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def diagnose(self, programs: Mapping[str, str]) -> tuple[Diagnostic, ...]:
        """What ty says about each program, given under the name of its file; names that come again are edited."""
        for name, text in programs.items():
            self._put(name, text)
        questions = [{"textDocument": {"uri": self._uri(name)}} for name in programs]
        answers = self._watched(lambda: self._server.ask_all("textDocument/diagnostic", questions))
        return tuple(
            diagnostic
            for name, answer in zip(programs, answers, strict=True)
            for diagnostic in read_answer(name, answer)
        )

    def members(self, name: str, line: int, column: int) -> tuple[str, ...]:
        """The names that may stand in place of the one that begins at a place of a program: both count from one."""
        lines = self._texts[name].split("\n")
        before, after = lines[line - 1][: column - 1], lines[line - 1][column - 1 :]
        lines[line - 1] = before + after.lstrip(_LETTERS)
        self._put(_SCRATCH, "\n".join(lines))
        answer = self._at("textDocument/completion", _SCRATCH, line, column)
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return tuple(item["label"] for item in items)

    def parameters(self, name: str, line: int, column: int) -> tuple[str, ...]:
        """The names of the parameters of the call at a place of a program."""
        answer = self._at("textDocument/signatureHelp", name, line, column) or {"signatures": []}
        labels = [
            _parameter_label(signature["label"], parameter["label"])
            for signature in answer["signatures"]
            for parameter in signature.get("parameters", [])
        ]
        names = [label.partition(":")[0].partition("=")[0].strip() for label in labels]
        return tuple(dict.fromkeys(name for name in names if name.isidentifier()))

    def definitions(self, name: str, line: int, column: int) -> tuple[Path, ...]:
        """The files that define the type of what stands at a place of a program."""
        found = self._at("textDocument/typeDefinition", name, line, column) or []
        addresses = [place.get("uri") or place["targetUri"] for place in found]
        return tuple(Path(unquote(urlsplit(address).path)) for address in addresses)

    def _at(self, method: str, name: str, line: int, column: int) -> Any:
        place = {"line": line - 1, "character": column - 1}
        question = {"textDocument": {"uri": self._uri(name)}, "position": place}
        return self._watched(lambda: self._server.ask_all(method, [question]))[0]

    def _put(self, name: str, text: str) -> None:
        self._texts[name] = text
        number = self._versions[name] = self._versions.get(name, 0) + 1
        document = {"uri": self._uri(name), "version": number}
        if number == 1:
            (self._folder / name).touch()
            opened = {"textDocument": {**document, "languageId": "python", "text": text}}
            self._watched(lambda: self._server.tell("textDocument/didOpen", opened))
        else:
            changed = {"textDocument": document, "contentChanges": [{"text": text}]}
            self._watched(lambda: self._server.tell("textDocument/didChange", changed))

    def _uri(self, name: str) -> str:
        return (self._folder / name).as_uri()

    def _watched(self, work: Any) -> Any:
        """What `work` returns, if the engine does not hang or end before."""
        watch = threading.Timer(TIMEOUT, self._server.kill)
        watch.start()
        try:
            return work()
        except EndedEarly as error:
            raise NoEngine(f"ty gave no answer within {TIMEOUT} s → {_INSTALL}\n{error}") from None
        finally:
            watch.cancel()


def read_answer(name: str, answer: Any) -> tuple[Diagnostic, ...]:
    """The diagnostics of one file in the language server's answer.

    Raises:
        NoEngine: The answer has another shape than that of the known release.
    """
    try:
        if answer["kind"] != "full":
            raise ValueError(answer["kind"])
        return tuple(_diagnostic(name, item) for item in answer["items"])
    except (KeyError, TypeError, ValueError) as error:
        raise NoEngine(f"ty's answer has an unknown shape ({error!r}) → {_INSTALL}") from None


def _diagnostic(name: str, item: dict[str, Any]) -> Diagnostic:
    if item["source"] != "ty" or not isinstance(item["message"], str):
        raise ValueError(item["source"])
    begin, end = item["range"]["start"], item["range"]["end"]
    places = (begin["line"], begin["character"], end["line"], end["character"])
    rule = item.get("code") or "invalid-syntax"
    message = item["message"].partition("\n")[0]
    if rule == REVEALED and message.count("`") < 2:
        raise ValueError(message)
    return Diagnostic(name, Span(*(place + 1 for place in places)), str(rule), message)


def _parameter_label(signature: str, label: Any) -> str:
    return label if isinstance(label, str) else signature[label[0] : label[1]]


_INSTALL = f"`python -m pip install ty=={VERSION}`"
