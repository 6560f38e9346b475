"""The built site as a reader gets it: built by the command that publishes it, below its own path, compressed."""

from __future__ import annotations

import gzip
import html.parser
import mimetypes
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent.parent
SITE_URL = "https://zechenzhangagi.github.io/claude-ai-research-skills/"
SUBPATH = urlsplit(SITE_URL).path

KINDS = {
    "home": r"",
    "skills": r"skills/",
    "skill": r"skills/[^/]+/",
    "reference": r"skills/[^/]+/[^/]+/",
    "script": r"skills/[^/]+/scripts/[^/]+/",
    "category": r"categories/[^/]+/",
    "tag": r"tags/[^/]+/",
    "library plan": r"roadmaps/library/",
    "learning path": r"roadmaps/frontier-ai/",
    "coverage": r"coverage/",
    "gallery": r"notebooks/",
    "notebook": r"notebooks/[^/]+/[^/]+/",
    "search": r"search/",
    "api": r"api/([^/]+/)?",
    "contributing": r"contributing/",
    "guide": r"(quality|skill-template|project(/[^/]+)*)/",
    "not found": r"no/such/page/",
}
"""Every kind of page, by the shape of its address."""


@dataclass(frozen=True)
class Site:
    """A built site.

    Attributes:
        folder: The built files.
        log: What the build printed.
        code: Exit status of the build.
    """

    folder: Path
    log: str
    code: int

    @cached_property
    def addresses(self) -> tuple[str, ...]:
        """The address of every page of the sitemap, relative to the site."""
        tree = ElementTree.parse(self.folder / "sitemap.xml")
        found = [node.text or "" for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
        return tuple(address.removeprefix(SITE_URL) for address in found)

    @cached_property
    def documents(self) -> Mapping[str, Document]:
        """Every HTML file, redirects and the 404 page included, by its path."""
        paths = sorted(self.folder.rglob("*.html"))
        return {path.relative_to(self.folder).as_posix(): Document.read(path) for path in paths}

    def of_kind(self, kind: str) -> str:
        """The address of the longest page of `kind`: it holds most of what such a page can hold."""
        if kind == "not found":
            return KINDS[kind]
        found = [address for address in self.addresses if re.fullmatch(KINDS[kind], address)]
        assert found, f"the sitemap lists no page of the kind {kind!r}"
        return max(
            found, key=lambda address: ((self.folder / address / "index.html").stat().st_size, address)
        )

    def file(self, url: str) -> str | None:
        """Path of the file that answers `url`, or None when nothing does."""
        path = unquote(urlsplit(urldefrag(url)[0]).path).removeprefix(SUBPATH)
        file = self.folder / path
        if file.is_dir():
            file /= "index.html"
        return file.relative_to(self.folder).as_posix() if file.is_file() else None


@dataclass(frozen=True)
class Reference:
    """A URL in a document, and whether the browser fetches it by itself."""

    line: int
    element: str
    url: str
    fetched: bool


FETCHED = {
    "script",
    "img",
    "source",
    "iframe",
    "video",
    "audio",
    "object",
    "embed",
    "use",
    "image",
    "form",
    "track",
}
FETCHED_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
    "manifest",
    "prefetch",
}
PAGEFIND = "pagefind-component-ui.js"
ADDRESS_ATTRIBUTES = (
    "href",
    "src",
    "action",
    "data",
    "poster",
    "xlink:href",
    "data-bundle",
    "data-root",
    "cite",
)


class Document(html.parser.HTMLParser):
    """What an HTML file points to and what can be pointed at in it."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[Reference] = []
        self.refresh: str | None = None
        self.tick_boxes: set[tuple[str, str]] = set()

    @classmethod
    def read(cls, path: Path) -> Document:
        document = cls()
        document.feed(path.read_text(encoding="utf-8"))
        document.close()
        return document

    @property
    def anchors(self) -> set[str]:
        return set(self.ids)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if "id" in known:
            self.ids.append(known["id"])
        if tag == "meta":
            self._meta(known)
        if tag == "input" and known.get("type") == "checkbox" and "value" in known:
            self.tick_boxes.add((known.get("name", ""), known["value"]))
        fetched = tag in FETCHED or (
            tag == "link" and bool(FETCHED_LINKS & set(known.get("rel", "").split()))
        )
        for name in ADDRESS_ATTRIBUTES:
            if name in known:
                self._add(tag, known[name] + (PAGEFIND if name == "data-bundle" else ""), fetched)
        for part in known.get("srcset", "").split(","):
            if part.strip():
                self._add(tag, part.split()[0], fetched=True)
        for url in re.findall(r"url\(['\"]?([^'\")]+)", known.get("style", "")):
            self._add(tag, url, fetched=True)

    def _meta(self, known: Mapping[str, str]) -> None:
        content = known.get("content", "")
        if known.get("http-equiv", "").lower() == "refresh":
            self.refresh = content.partition("url=")[2]
            self._add("meta refresh", self.refresh, fetched=False)
        if known.get("property") in {"og:url", "og:image"}:
            self._add(known["property"], content, fetched=known["property"] == "og:image")

    def _add(self, element: str, url: str, fetched: bool) -> None:
        self.references.append(Reference(self.getpos()[0], element, url.strip(), fetched))


def build(folder: Path, *, root: Path = ROOT, config: str = "mkdocs.yml", **environment: str) -> Site:
    """Build the tree at `root` into `folder` with the command that publishes it."""
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        config,
        "--site-dir",
        folder,
    ]
    path = os.pathsep.join(filter(None, [str(root), str(root / "src"), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": path, **environment}
    result = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)
    return Site(folder, result.stdout + result.stderr, result.returncode)


def ai_skills(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line of this tree."""
    command = [sys.executable, "-c", "from ai_research_skills.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


COMPRESSED = re.compile(r"text/|application/(javascript|json|xml|manifest\+json)|image/svg")
"""What GitHub Pages sends compressed. Pagefind's own files are compressed on disk."""


@dataclass
class Served:
    """A site behind a web server on this machine.

    Attributes:
        base: Address of its home page.
        sent: Path and number of bytes of every body that was sent, in order.
    """

    base: str
    sent: list[tuple[str, int]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        parts = urlsplit(self.base)
        return f"{parts.scheme}://{parts.netloc}"

    def url(self, address: str) -> str:
        return urljoin(self.base, address)


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve `folder` as GitHub Pages does: below the site's path, text compressed, `404.html` for the rest."""
    served = Served("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            file = folder / path.removeprefix(SUBPATH)
            if path.startswith(SUBPATH) and file.is_dir() and not path.endswith("/"):
                self.send_response(301)
                self.send_header("Location", f"{path}/")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if file.is_dir():
                file /= "index.html"
            found = path.startswith(SUBPATH) and file.is_file()
            self._send(200 if found else 404, file if found else folder / "404.html")

        def _send(self, status: int, file: Path) -> None:
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            compress = bool(COMPRESSED.match(kind)) and "gzip" in self.headers.get("Accept-Encoding", "")
            body = _body(file, compress)
            served.sent.append((urlsplit(self.path).path.removeprefix(SUBPATH), len(body)))
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
            self.send_header("Content-Length", str(len(body)))
            if compress:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A browser that leaves a page closes its connections; that is no fault."""

    server = Server(("127.0.0.1", 0), Handler)
    served.base = f"http://127.0.0.1:{server.server_port}{SUBPATH}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@lru_cache(maxsize=4096)
def _body(file: Path, compress: bool) -> bytes:
    data = file.read_bytes()
    return gzip.compress(data, 6, mtime=0) if compress else data
