"""What the package index says about a distribution: its releases, its project's pages, its vulnerabilities.

Which index that is, uv knows; no address is written here. uv names the newest release and the index that has it.
Beneath that address the index may answer two more questions, each of which it may as well leave open: the list of
files (PEP 691, 700 and 792) and the pages about a project and a release, which many indexes do not have.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
import tempfile
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, ValidationError

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.drift.memory import Memory, NoAnswer, Silent
from ai_research_skills.checks.releases.interpreter import find_interpreter

TIMEOUT = 30
"""Seconds for one answer."""
LIMIT = 64 * 2**20
"""Bytes of one answer; the longest list of files that was met has 6 MB."""

_FILES = "application/vnd.pypi.simple.v1+json"
_PAGE = "application/json"
_NO_SUCH_NAME = "was not found in the package registry"
_UNREACHABLE = ("failed to fetch", "error sending request", "request failed", "dns error", "timed out")
_PROJECT = """\
[project]
name = "asks-for-the-newest-release"
version = "0"
requires-python = "=={python}.*"
dependencies = [{name}]

[[tool.uv.dependency-metadata]]
name = {name}
requires-dist = []
"""
"""Without dependencies uv needs no metadata, so that no build starts; it takes an archive where there is no wheel."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Newest(_Read):
    """The newest release that runs on the Python that was asked for.

    Attributes:
        index: Address of the index that has it; empty where uv names none that can be asked.
        has_wheel: Whether it has a wheel for any machine.
    """

    version: str
    released: dt.date | None
    index: str
    has_wheel: bool


class Release(_Read):
    """One release, as the list of files shows it.

    Attributes:
        yanked: The reason, or an empty text, if all its files are yanked.
    """

    version: str
    released: dt.date | None = None
    requires_python: str = ""
    yanked: str | None = None


class Vulnerability(_Read):
    """A known vulnerability of a release."""

    id: str
    aliases: tuple[str, ...] = ()
    fixed_in: tuple[str, ...] = ()
    severity: str = ""
    summary: str | None = ""
    withdrawn: str | None = None


class Listing(_Read):
    """The list of files of a distribution: its releases, and its status where the index tells it."""

    releases: tuple[Release, ...] = ()
    status: str | None = None
    reason: str = ""


class Page(_Read):
    """What the newest release says of its project, and the index of its vulnerabilities."""

    version: str
    urls: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    description: str = ""
    vulnerabilities: tuple[Vulnerability, ...] = ()


class Distribution(_Read):
    """All that is known of one distribution; a part that nobody answers is None.

    Attributes:
        exists: Whether the index knows the name; None if nobody answered.
        newest: None where no release runs on that Python.
    """

    name: str
    exists: bool | None = None
    newest: Newest | None = None
    listing: Listing | None = None
    page: Page | None = None

    def release(self, version: str) -> Release | None:
        """The release `version`, however it is spelt."""
        wanted = _version(version)
        releases = self.listing.releases if self.listing else ()
        return next((one for one in releases if _version(one.version) == wanted), None)


Model = TypeVar("Model", bound=BaseModel)

NewestOf = Callable[[str, str], "dict[str, Any] | None"]
"""For a name and a Python such as `3.11` the fields of `Newest`; no fields where no release fits, None for no
such name. Raises `Silent`."""
Fetch = Callable[[str, str], Any]
"""For an address and a media type the JSON that stands there, or None where there is none. Raises `Silent`."""


class Registry:
    """Asks the index that uv is set up with, and keeps what it says."""

    def __init__(self, memory: Memory, newest_of: NewestOf, fetch: Fetch) -> None:
        self.memory, self._newest_of, self._fetch = memory, newest_of, fetch
        self._known: dict[tuple[str, str], Distribution] = {}

    def look_up(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Ask about several names, each for one Python, at once: waiting is most of the work."""
        missing = [one for one in dict.fromkeys(wanted) if one not in self._known]
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda one: self._distribution(*one), missing)
            self._known |= dict(zip(missing, found, strict=True))

    def distribution(self, name: str, python: str) -> Distribution:
        """What is known of `name`; its newest release is that for `python`."""
        self.look_up([(name, python)])
        return self._known[name, python]

    def vulnerabilities(self, pin: Pin, known: Distribution) -> tuple[Vulnerability, ...] | None:
        """Those of the pinned release that still stand, or None if the index does not say."""
        if known.page and _version(known.page.version) == _version(pin.version):
            return _standing(known.page)
        base = _base(known)
        if not base:
            return None
        address = f"{base}/pypi/{quote(pin.distribution)}/{quote(pin.version)}/json"
        answer = self._asked(f"the page of {pin}", lambda: _read_page(self._fetch(address, _PAGE)))
        page = _model(Page, answer)
        return _standing(page) if page else None

    def _distribution(self, name: str, python: str) -> Distribution:
        question = f"the newest {name} for Python {python}"
        try:
            found = self.memory.answer(question, lambda: self._newest_of(name, python))
        except NoAnswer:
            return Distribution(name=name)
        if found is None:
            return Distribution(name=name, exists=False)
        known = Distribution(name=name, exists=True, newest=_model(Newest, found))
        if not known.newest or not known.newest.index:
            return known
        files = f"{known.newest.index.rstrip('/')}/{quote(name)}/"
        page = f"{_base(known)}/pypi/{quote(name)}/json"
        listing = self._asked(f"the files of {name}", lambda: _read_listing(name, self._fetch(files, _FILES)))
        about = self._asked(f"the page of {name}", lambda: _read_page(self._fetch(page, _PAGE)))
        return known.model_copy(update={"listing": _model(Listing, listing), "page": _model(Page, about)})

    def _asked(self, question: str, ask: Callable[[], Any]) -> Any:
        with contextlib.suppress(NoAnswer):
            return self.memory.answer(question, ask)
        return None


def newest_by_uv(uv: str, name: str, python: str) -> dict[str, Any] | None:
    """`NewestOf` by a lock that uv makes of the bare name; nothing is built or installed.

    uv wants an interpreter of that Python beside it; one that it would have to fetch is no answer.
    """
    interpreter = find_interpreter(python)
    if interpreter is None:
        raise Silent(f"Python {python} is not on this machine")
    with tempfile.TemporaryDirectory() as folder:
        text = _PROJECT.format(name=json.dumps(name), python=python)
        Path(folder, "pyproject.toml").write_text(text, encoding="utf-8")
        command = [uv, "lock", "--quiet", "--directory", folder, "--python", str(interpreter)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            return _refused(" ".join(result.stderr.split()))
        lock = tomllib.loads(Path(folder, "uv.lock").read_text(encoding="utf-8"))
    package = next(one for one in lock["package"] if one["name"] == canonicalize_name(name))
    files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
    days = sorted(day for file in files if (day := _day(file.get("upload-time"))))
    index = package["source"].get("registry", "")
    return {
        "version": package["version"],
        "released": days[0] if days else None,
        "index": index if urlsplit(index).scheme in {"http", "https"} else "",
        "has_wheel": bool(package.get("wheels")),
    }


def fetched(address: str, media_type: str) -> Any:
    """`Fetch` over HTTP. An answer that is no JSON is no answer to the question, but not silence either."""
    request = urllib.request.Request(address, headers={"Accept": media_type})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read(LIMIT))
    except urllib.error.HTTPError as error:
        if error.code >= 500 or error.code == 429:
            raise Silent(f"it answered {error.code}") from error
        return None
    except OSError as error:
        raise Silent(str(getattr(error, "reason", error))) from error
    except ValueError:
        return None


def _refused(said: str) -> dict[str, Any] | None:
    if any(word in said.lower() for word in _UNREACHABLE):
        raise Silent(said[:200])
    return None if _NO_SUCH_NAME in said else {}


def _base(known: Distribution) -> str:
    """Where the pages of an index lie: beside its list of files."""
    parts = urlsplit(known.newest.index if known.newest else "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _standing(page: Page) -> tuple[Vulnerability, ...]:
    return tuple(one for one in page.vulnerabilities if not one.withdrawn)


def _read_listing(name: str, answer: Any) -> dict[str, Any] | None:
    """The fields of `Listing`; of a file nobody needs more than its release, so that no more is kept."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("files"), list):
        return None
    releases: dict[str, list[Mapping[str, Any]]] = {}
    for file in answer["files"]:
        version = _file_version(name, file.get("filename")) if isinstance(file, Mapping) else None
        if version:
            releases.setdefault(version, []).append(file)
    status = answer.get("project-status")
    told = status if isinstance(status, Mapping) else {}
    return {
        "releases": [_read_release(version, files) for version, files in releases.items()],
        "status": told.get("status"),
        "reason": str(told.get("reason") or ""),
    }


def _read_release(version: str, files: list[Mapping[str, Any]]) -> dict[str, Any]:
    days = sorted(day for file in files if (day := _day(file.get("upload-time"))))
    reasons = [file.get("yanked") for file in files]
    reason = next((one for one in reasons if isinstance(one, str) and one), "")
    return {
        "version": version,
        "released": days[0] if days else None,
        "requires_python": next((str(one) for file in files if (one := file.get("requires-python"))), ""),
        "yanked": reason if all(one is not None and one is not False for one in reasons) else None,
    }


def _read_page(answer: Any) -> dict[str, Any] | None:
    """The fields of `Page`; the list of all files is left out, it has its own page."""
    info = answer.get("info") if isinstance(answer, Mapping) else None
    if not isinstance(info, Mapping):
        return None
    return {
        "version": info.get("version"),
        "urls": [*_urls(info)],
        "classifiers": info.get("classifiers") or [],
        "description": str(info.get("description") or "")[:100_000],
        "vulnerabilities": answer.get("vulnerabilities") or [],
    }


def _urls(info: Mapping[str, Any]) -> Iterator[str]:
    urls = info.get("project_urls")
    yield from (urls.values() if isinstance(urls, Mapping) else ())
    if isinstance(info.get("home_page"), str):
        yield info["home_page"]


def _model(model: type[Model], answer: Any) -> Model | None:
    """The answer as a model, or None if it is empty or no such thing: an index may say anything."""
    try:
        return model.model_validate(answer) if answer else None
    except ValidationError:
        return None


def _file_version(name: str, filename: object) -> str | None:
    if not isinstance(filename, str):
        return None
    parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    try:
        found, version, *_ = parse(filename)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
    return str(version) if found == canonicalize_name(name) else None


def _version(text: str) -> Version | str:
    try:
        return Version(text)
    except InvalidVersion:
        return text


def _day(moment: object) -> str | None:
    if isinstance(moment, dt.datetime):
        return moment.date().isoformat()
    with contextlib.suppress(TypeError, ValueError):
        return dt.datetime.fromisoformat(str(moment)).date().isoformat()
    return None
