"""What the build promises: no warnings, the same bytes every time, every promised address answers."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.site.built import KINDS, Site, ai_skills, build

pytestmark = pytest.mark.site


def test_strict_build_says_nothing_but_that_it_builds(site: Site) -> None:
    noise = [line for line in site.log.splitlines() if line and not line.startswith("INFO ")]
    assert not noise, "\n".join(noise)
    assert site.code == 0


def test_every_page_of_the_sitemap_is_of_a_kind_that_the_tests_visit(site: Site) -> None:
    unknown = [
        address
        for address in site.addresses
        if not any(re.fullmatch(shape, address) for shape in KINDS.values())
    ]
    assert not unknown, f"give these a kind in tests/site/built.py: {unknown}"


def test_two_builds_are_byte_identical(site: Site, tmp_path: Path) -> None:
    """In another folder, another time zone and with other hashes."""
    again = build(tmp_path / "another" / "place", PYTHONHASHSEED="7", TZ="Pacific/Kiritimati", LC_ALL="C")
    first, second = _files(site.folder), _files(again.folder)
    shuffled = [
        files.pop(name) for files in (first, second) for name in sorted(files) if SHUFFLED.match(name)
    ]
    assert sorted(first) == sorted(second)
    different = [name for name in first if first[name] != second[name]]
    assert not different
    half = len(shuffled) // 2
    assert _unordered(shuffled[:half]) == _unordered(shuffled[half:])


SHUFFLED = re.compile(r"pagefind/(filter/.+\.pf_filter|.+\.pf_meta|pagefind-entry\.json)$")
"""Pagefind writes the values of a filter in the order of a hash map, anew in every run, and names the file by the
hash of that; the file of metadata and the entry name the filters. The index and the fragments do not change."""


def _unordered(files: list[bytes]) -> list[bytes]:
    """The bytes of each file without their order, and without the names that the order gives."""
    plain = [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in files]
    return sorted(bytes(sorted(re.sub(rb"en_[0-9a-f]{7,10}", b"", data))) for data in plain)


def test_every_promised_address_answers(site: Site) -> None:
    result = ai_skills("urls", "check", "--site", site.folder)
    assert result.returncode == 0, result.stdout + result.stderr


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
