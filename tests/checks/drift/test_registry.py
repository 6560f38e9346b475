"""What an index says is read whatever its shape, kept with its day, and used again when it says nothing."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.drift.memory import Memory, NoAnswer, Silent
from ai_research_skills.checks.drift.registry import fetched, newest_by_uv
from ai_research_skills.checks.releases.environment import find_uv
from tests.checks.drift.made_up_index import TODAY, MadeUpIndex, page

WHEEL = "toolbox-{version}-py3-none-any.whl"


@pytest.fixture
def simple_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A real index on this machine, which uv is set up with: `toolbox` is a source archive and two wheels."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/simple/toolbox/"
            files = [*(WHEEL.format(version=version) for version in ("1.0", "1.1")), "toolbox-2.0.tar.gz"]
            answer = {
                "meta": {"api-version": "1.1"},
                "name": "toolbox",
                "files": [
                    {
                        "filename": name,
                        "url": f"/files/{name}",
                        "hashes": {"sha256": "0" * 64},
                        "size": 1000,
                        "upload-time": "2026-10-01T10:00:00Z",
                        "yanked": False,
                    }
                    for name in files
                ],
            }
            body = json.dumps(answer).encode() if found else b""
            self.send_response(200 if found else 503 if self.path == "/simple/busy/" else 404)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/simple"
    for name in ("UV_INDEX", "UV_INDEX_URL", "UV_FIND_LINKS", "UV_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", address)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield address
    server.shutdown()
    server.server_close()


def test_uv_names_the_newest_release_and_its_index_and_builds_nothing(simple_index: str) -> None:
    uv = find_uv()
    assert uv
    found = newest_by_uv(uv, "toolbox", "3.11")
    assert found == {"version": "2.0", "released": "2026-10-01", "index": simple_index, "has_wheel": False}
    assert newest_by_uv(uv, "no-such-thing", "3.11") is None


def test_an_index_out_of_reach_is_silent_and_has_not_said_that_there_is_no_such_name(
    simple_index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = find_uv()
    assert uv
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    with pytest.raises(Silent):
        newest_by_uv(uv, "toolbox", "3.11")
    with pytest.raises(Silent):
        fetched("http://127.0.0.1:9/pypi/toolbox/json", "application/json")


def test_a_page_that_is_not_there_is_an_answer(simple_index: str) -> None:
    assert fetched(f"{simple_index}/nothing/", "application/json") is None
    assert fetched(f"{simple_index}/toolbox/", "application/json")["name"] == "toolbox"


def test_an_index_that_cannot_answer_now_is_silent(simple_index: str) -> None:
    with pytest.raises(Silent, match="503"):
        fetched(f"{simple_index}/busy/", "application/json")


def test_what_was_answered_answers_again_when_nobody_does(tmp_path: Path) -> None:
    index = MadeUpIndex()
    index.add("toolbox", "1.0", "1.1", page=page("1.1"))
    asked = index.registry(tmp_path).distribution("toolbox", "3.11")
    index.silent = True
    registry = index.registry(tmp_path)
    assert registry.distribution("toolbox", "3.11") == asked
    assert registry.memory.word() == "answers of 2026-11-26: the registry did not answer (connection refused)"


def test_offline_asks_nobody_and_says_of_when_the_answers_are(tmp_path: Path) -> None:
    index = MadeUpIndex()
    index.add("toolbox", "1.0")
    index.registry(tmp_path).distribution("toolbox", "3.11")
    before = index.asked
    registry = index.registry(tmp_path, offline=True)
    assert registry.distribution("toolbox", "3.11").newest
    assert index.asked == before
    assert registry.memory.word() == "answers of 2026-11-26: nobody was asked"


def test_without_an_answer_nothing_is_claimed(tmp_path: Path) -> None:
    registry = MadeUpIndex(silent=True).registry(tmp_path)
    assert registry.distribution("toolbox", "3.11").exists is None
    assert "no answers are kept" in registry.memory.word()


def test_after_the_first_silence_nobody_waits_for_a_second(tmp_path: Path) -> None:
    index = MadeUpIndex(silent=True)
    registry = index.registry(tmp_path)
    registry.distribution("one", "3.11")
    registry.distribution("two", "3.11")
    assert index.asked == 1


@pytest.mark.parametrize("text", ["", "[]", '{"day": "yesterday", "answer": 1}', '{"answer": 1}'])
def test_a_spoilt_answer_is_none(tmp_path: Path, text: str) -> None:
    memory = Memory("the registry", tmp_path, TODAY)
    memory.answer("question", lambda: 1)
    (path,) = tmp_path.glob("*.json")
    path.write_text(text)
    with pytest.raises(NoAnswer):
        Memory("the registry", tmp_path, TODAY, offline=True).answer("question", lambda: 1)


def test_releases_come_from_the_names_of_files_and_are_yanked_if_all_files_are(tmp_path: Path) -> None:
    index = MadeUpIndex()
    index.add("toolbox", "1.0", "1.1", yanked={"1.0": "eats data"})
    known = index.registry(tmp_path).distribution("toolbox", "3.11")
    old, new = known.release("1.0"), known.release("1.1.0")
    assert old and old.yanked == "eats data"
    assert new and new.yanked is None
    assert new.released == dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {"files": 3},
        {"files": [None, {"filename": 7}, {"filename": "../x.whl", "yanked": []}]},
    ],
)
def test_an_index_may_say_anything(tmp_path: Path, answer: object) -> None:
    index = MadeUpIndex()
    index.add("toolbox", "1.0")
    index.fetch = lambda address, media_type: answer  # type: ignore[method-assign]
    known = index.registry(tmp_path).distribution("toolbox", "3.11")
    assert known.exists
    assert known.page is None


def test_vulnerabilities_of_a_release_stand_on_its_own_page(tmp_path: Path) -> None:
    index = MadeUpIndex()
    weak = {"id": "PYSEC-1", "fixed_in": ["1.1"], "aliases": ["CVE-1"]}
    index.add("toolbox", "1.0", "1.1", page=page("1.1"))
    pin = Pin(distribution="toolbox", version="1.0")
    registry = index.registry(tmp_path)
    known = registry.distribution("toolbox", "3.11")
    assert registry.vulnerabilities(pin, known) is None
    withdrawn = {"id": "PYSEC-2", "withdrawn": "2026-02-02T00:00:00Z"}
    index.pages["https://index.example/pypi/toolbox/1.0/json"] = page(
        "1.0", vulnerabilities=(weak, withdrawn)
    )
    assert [one.id for one in registry.vulnerabilities(pin, known) or ()] == ["PYSEC-1"]
    newest = Pin(distribution="toolbox", version="1.1")
    assert registry.vulnerabilities(newest, known) == ()


def test_a_python_that_is_not_here_is_silence_and_not_a_download() -> None:
    with pytest.raises(Silent, match=r"Python 3\.99 is not on this machine"):
        newest_by_uv("uv", "toolbox", "3.99")
