"""A registry on this machine with made-up releases, that can be as unhelpful and as hostile as it is told to be."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import threading
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHARED_OBJECT = b"\x7fELF" + bytes(range(256)) * 16_000
"""A compiled module: four megabytes, stored as they are."""


@dataclass
class Index:
    """The registry.

    Attributes:
        files: The content of each file.
        sent: Each answer to a request for a file: its name, the range that was asked for, the bytes that went out.
        gives_ranges: Whether it answers with a stretch where one is asked for.
        breaks_after: By file name, the bytes after which its next answer breaks off.
        hashes: By file name, the hash that the index names instead of the true one.
        yanked: By file name, why it was withdrawn.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    sent: list[tuple[str, str, int]] = field(default_factory=list)
    gives_ranges: bool = True
    breaks_after: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    yanked: dict[str, str] = field(default_factory=dict)
    address: str = ""

    def add(self, name: str, content: bytes) -> str:
        """Publish a file; returns its address."""
        self.files[name] = content
        return f"{self.address}/files/{name}"

    def bytes_sent(self, name: str) -> int:
        return sum(size for sent, _, size in self.sent if sent == name)

    def page(self, distribution: str) -> bytes | None:
        found = [name for name in self.files if _distribution(name) == distribution]
        entries = [
            {
                "filename": name,
                "url": f"{self.address}/files/{name}",
                "size": len(self.files[name]),
                "hashes": {"sha256": self.hashes.get(name, hashlib.sha256(self.files[name]).hexdigest())},
                "upload-time": "2026-11-01T10:00:00Z",
                "yanked": self.yanked.get(name, False),
            }
            for name in found
        ]
        page = {"meta": {"api-version": "1.1"}, "name": distribution, "files": entries}
        return json.dumps(page).encode() if found else None


@contextmanager
def served(index: Index) -> Iterator[Index]:
    """`index` at an address of this machine that no other had, so that what uv remembers is never another's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": index}))
    index.address = f"http://127.0.0.1:{server.server_port}/{uuid.uuid4().hex}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()


def wheel(
    name: str,
    files: Mapping[str, str | bytes],
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
) -> tuple[str, bytes]:
    """The name and the content of a wheel."""
    record = f"{name}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata = "\n".join([*lines, *(f"Requires-Dist: {one}" for one in requires)]) + "\n"
    wheel = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"
    everything = {**files, f"{record}/METADATA": metadata, f"{record}/WHEEL": wheel}
    everything[f"{record}/RECORD"] = "".join(f"{path},,\n" for path in [*everything, f"{record}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in everything.items():
            how = zipfile.ZIP_STORED if path.endswith(".so") else zipfile.ZIP_DEFLATED
            archive.writestr(_undated(path), text, how)
    return f"{name}-{version}-{tag}.whl", content.getvalue()


def _undated(path: str) -> zipfile.ZipInfo:
    """Made twice, an archive has to have the same hash, whatever the clock said in between."""
    entry = zipfile.ZipInfo(path)
    entry.external_attr = 0o600 << 16
    return entry


def sdist(
    name: str, files: Mapping[str, str], *, version: str = "1.0", extra: Sequence[tarfile.TarInfo] = ()
) -> tuple[str, bytes]:
    """The name and the content of a source archive; `extra` are members that are no plain files."""
    stem = f"{name}-{version}"
    content = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=content, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path, text in files.items():
            entry = tarfile.TarInfo(path if path.startswith((".", "/")) else f"{stem}/{path}")
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
        for entry in extra:
            tar.addfile(entry)
    return f"{stem}.tar.gz", content.getvalue()


def _distribution(file_name: str) -> str:
    return file_name.partition("-")[0].replace("_", "-")


class _Handler(BaseHTTPRequestHandler):
    index: Index
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, kind, name = self.path.strip("/").split("/", 2)
        if kind == "simple" and (page := self.index.page(name.strip("/"))):
            self._answer(200, page, {"Content-Type": "application/vnd.pypi.simple.v1+json"})
        elif kind == "files" and name in self.index.files:
            self._file(name)
        else:
            self._answer(404, b"", {})

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _file(self, name: str) -> None:
        content = self.index.files[name]
        asked = self.headers.get("Range", "")
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
        status, headers, part = 200, {}, content
        if match and self.index.gives_ranges:
            start = int(match[1]) if match[1] else max(0, len(content) - int(match[2]))
            end = min(int(match[2]) + 1 if match[1] and match[2] else len(content), len(content))
            status, part = 206, content[start:end]
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        if self.index.gives_ranges:
            headers["Accept-Ranges"] = "bytes"
        limit = self.index.breaks_after.pop(name, None)
        self.index.sent.append((name, asked, len(part) if limit is None else limit))
        self._answer(status, part, headers, limit)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str], limit: int | None = None) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:limit])
        self.close_connection = self.close_connection or limit is not None
