"""Every link of every page leads somewhere, and nothing is fetched from anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urldefrag, urljoin, urlsplit

import pytest

from tests.site.built import SITE_URL, Document, Reference, Site

pytestmark = pytest.mark.site

ORIGIN = "{0.scheme}://{0.netloc}/".format(urlsplit(SITE_URL))


def test_every_internal_link_anchor_and_asset_resolves(site: Site) -> None:
    broken = [
        f"{path}:{reference.line}: <{reference.element}> {reference.url}: {fault}"
        for path, reference in _references(site)
        if (fault := _fault(site, path, reference))
    ]
    assert not broken, _listed(broken)


def test_nothing_is_fetched_from_another_origin(site: Site) -> None:
    foreign = [
        f"{path}:{reference.line}: <{reference.element}> {reference.url}"
        for path, reference in _references(site)
        if reference.fetched
        and urlsplit(target := _absolute(path, reference)).scheme != "data"
        and not target.startswith(SITE_URL)
    ]
    assert not foreign, _listed(foreign)


def test_every_url_of_every_style_sheet_resolves(site: Site) -> None:
    broken = []
    for path in sorted(site.folder.rglob("*.css")):
        name = path.relative_to(site.folder).as_posix()
        text = path.read_text(encoding="utf-8")
        for url in re.findall(r"(?:url\(|@import )\s*['\"]?([^'\")\s]+)", text):
            target = urljoin(SITE_URL + name, url)
            if urlsplit(target).scheme != "data" and not (target.startswith(SITE_URL) and site.file(target)):
                broken.append(f"{name}: {url}")
    assert not broken, _listed(broken)


def test_links_into_the_catalogue_name_facets_that_exist(site: Site) -> None:
    boxes = site.documents["skills/index.html"].tick_boxes
    asked = [
        (path, pair)
        for path, reference in _references(site)
        if site.file(_absolute(path, reference)) == "skills/index.html"
        for pair in parse_qsl(urlsplit(urldefrag(_absolute(path, reference))[0]).query)
    ]
    assert asked
    unknown = sorted(
        {f"{path}: {facet}={value}" for path, (facet, value) in asked if (facet, value) not in boxes}
    )
    assert not unknown, _listed(unknown)


def _references(site: Site) -> Iterator[tuple[str, Reference]]:
    for path, document in site.documents.items():
        for reference in document.references:
            yield path, reference


def _absolute(path: str, reference: Reference) -> str:
    return urljoin(SITE_URL + path.removesuffix("index.html"), reference.url)


def _fault(site: Site, path: str, reference: Reference) -> str:
    target = _absolute(path, reference)
    if not target.startswith(ORIGIN):
        return ""
    if not target.startswith(SITE_URL):
        return "outside the site"
    file = site.file(target)
    if file is None:
        return "no such file"
    fragment = unquote(urldefrag(target).fragment)
    document: Document | None = site.documents.get(file)
    if fragment and document and fragment not in document.anchors:
        return f"{file} has no such id"
    return ""


def _listed(faults: list[str], limit: int = 60) -> str:
    return f"{len(faults)} faults:\n" + "\n".join(faults[:limit])
