"""Talking to a language server over its standard streams: the few messages that a client without an editor needs."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class EndedEarly(Exception):
    """The server ended, or refused a request, before it had answered."""


class LanguageServer:
    """A running server and the settings that it gets when it asks for them; a context manager that ends it."""

    def __init__(self, process: subprocess.Popen[bytes], settings: Mapping[str, Any]) -> None:
        assert process.stdin and process.stdout
        self._process = process
        self._given, self._said = process.stdin, process.stdout
        self._settings = settings
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._process.wait()
        for stream in (self._given, self._said):
            with contextlib.suppress(OSError):
                stream.close()

    def kill(self) -> None:
        """End the server at once: it writes nothing, so there is nothing to lose."""
        self._process.kill()

    def begin(self, folder: Path) -> None:
        """Open `folder`. Columns are counted in characters from here on."""
        uri = folder.as_uri()
        capabilities = {
            "general": {"positionEncodings": ["utf-32"]},
            "workspace": {"configuration": True, "workspaceFolders": True},
            "textDocument": {"signatureHelp": {"signatureInformation": {}}},
        }
        given = {
            "processId": None,
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": folder.name}],
            "capabilities": capabilities,
            "initializationOptions": self._settings,
        }
        (answer,) = self.ask_all("initialize", [given])
        if answer["capabilities"].get("positionEncoding") != "utf-32":
            raise EndedEarly("it does not count columns in characters")
        self.tell("initialized", {})

    def tell(self, method: str, given: Mapping[str, Any]) -> None:
        """Send a notice, to which nothing is answered."""
        self._send({"method": method, "params": given})

    def ask_all(self, method: str, questions: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The results of several requests, sent one after the other so that the server may work on them at once."""
        first = self._requests + 1
        self._requests += len(questions)
        for number, question in enumerate(questions, first):
            self._send({"id": number, "method": method, "params": question})
        answers: dict[int, Any] = {}
        while len(answers) < len(questions):
            message = self._read()
            if "method" in message:
                self._oblige(message)
            elif "result" not in message:
                raise EndedEarly(message.get("error", {}).get("message", "it refused the request"))
            else:
                answers[message["id"]] = message["result"]
        return [answers[number] for number in range(first, first + len(questions))]

    def _oblige(self, message: Mapping[str, Any]) -> None:
        """Answer what the server asks of its client."""
        if "id" not in message:
            return
        wants_settings = message["method"] == "workspace/configuration"
        result = [self._settings for _ in message["params"]["items"]] if wants_settings else None
        self._send({"id": message["id"], "result": result})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        try:
            self._given.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            self._given.flush()
        except OSError:
            raise EndedEarly("it does not listen") from None

    def _read(self) -> dict[str, Any]:
        length = 0
        while header := self._said.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        body = self._said.read(length)
        if not length or len(body) < length:
            raise EndedEarly("it ended")
        message: dict[str, Any] = json.loads(body)
        return message
