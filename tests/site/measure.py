"""What the site costs at about 600 pages: `python -m tests.site.measure`.

The skills of this tree are copied under other names until there are enough pages. The same staged Markdown is then
built by plain Material: stock theme, no hooks and no plugins, the same navigation and Markdown extensions, and Pagefind
run over the result, as it is over ours. Bytes are counted at a server that compresses text with gzip, as GitHub Pages
does, for a visitor with an empty cache.
"""

from __future__ import annotations

import math
import re
import resource
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Browser, sync_playwright

from hooks.search import COMMAND
from tests.site.built import ROOT, Site, ai_skills, build, serve

PAGES = 600
SETTLED = 1500
"""Milliseconds after which an opened dialog has fetched what it wants."""
QUERIES = ("attention", "LoraConfig", "quantization")
LEFT_OUT = (".*", "site", "__pycache__", "kernel-ipc*")
SHARED_SETTINGS = ("site_name", "site_url", "use_directory_urls", "nav", "markdown_extensions")


@dataclass(frozen=True)
class Searched:
    """Bytes that one search took: on load of the page, when the dialog is open, and at the first result."""

    query: str
    load: int
    opened: int
    first_result: int


def enlarged(folder: Path, small: Site) -> Path:
    """A copy of this tree with every skill copied under other names until there are about 600 pages."""
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    skills = sorted(path.parent for path in folder.glob("skills/*/*/SKILL.md"))
    names = {skill.name for skill in skills}
    of_skills = sum(
        address.split("/")[1] in names for address in small.addresses if address.startswith("skills/")
    )
    for number in range(2, math.ceil((PAGES - len(small.addresses)) / of_skills) + 2):
        for skill in skills:
            copy = skill.with_name(f"{skill.name}-{number}")
            shutil.copytree(skill, copy)
            text = (copy / "SKILL.md").read_text(encoding="utf-8")
            text = re.sub(rf"^name: {skill.name}$", f"name: {copy.name}", text, count=1, flags=re.MULTILINE)
            (copy / "SKILL.md").write_text(text, encoding="utf-8")
    _commit(folder)
    return folder


def _commit(folder: Path) -> None:
    """Give the copy a history, from which pages are drawn as well."""
    somebody = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    for words in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "Copy the tree")):
        subprocess.run(["git", *somebody, *words], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and seconds of processor time, which a busy machine does not stretch as much."""

    clock: float
    processor: float

    def __sub__(self, earlier: Cost) -> Cost:
        return Cost(self.clock - earlier.clock, self.processor - earlier.processor)

    def __str__(self) -> str:
        return f"{self.clock:.1f} / {self.processor:.1f}"


def spent() -> Cost:
    """What this process's finished children have cost up to now."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(time.perf_counter(), children.ru_utime + children.ru_stime)


def timed_build(folder: Path, root: Path, config: str = "mkdocs.yml") -> tuple[Site, Cost]:
    """A cold build and what it cost."""
    start = spent()
    site = build(folder, root=root, config=config)
    cost = spent() - start
    assert (folder / "sitemap.xml").is_file(), site.log[-3000:]
    return site, cost


def timed_plain_build(folder: Path, root: Path, work: Path) -> Cost:
    """What plain Material and Pagefind cost for the Markdown that `ai-skills export` stages from `root`."""
    exported = ai_skills("export", "--root", root, work / "docs")
    assert exported.returncode == 0, exported.stderr
    ours = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    plain: dict[str, Any] = {key: ours[key] for key in SHARED_SETTINGS}
    plain |= {
        "theme": {"name": "material"},
        "plugins": [],
        "exclude_docs": "SKILL.md\n/skills/*/references/\n",
    }
    (work / "mkdocs.yml").write_text(yaml.safe_dump(plain), encoding="utf-8")
    start = spent()
    timed_build(folder, work)
    subprocess.run([*COMMAND, "--site", folder], check=True, capture_output=True)
    return spent() - start


def navigation(site: Site, address: str) -> str:
    """The header, the tabs and the drawer of a page."""
    text = (site.folder / address / "index.html").read_text(encoding="utf-8")
    parts = [
        r'<header class="md-header".*?</header>',
        r'<nav class="md-tabs".*?</nav>',
        r'<div class="md-sidebar md-sidebar--primary".*?(?=<div class="md-sidebar md-sidebar--secondary")',
    ]
    found = [re.search(part, text, re.DOTALL) for part in parts]
    assert all(found), address
    return "".join(part[0] for part in found if part)


def searched(browser: Browser, folder: Path, query: str) -> Searched:
    """What a visitor with an empty cache fetches in order to search for `query` from the home page."""
    with serve(folder) as served:
        context = browser.new_context()
        page = context.new_page()

        def taken() -> int:
            return sum(
                size for path, size in served.sent if path.startswith(("pagefind/", "javascripts/search"))
            )

        page.goto(served.base, wait_until="networkidle")
        load = taken()
        page.keyboard.press("/")
        page.locator("input.pf-input").wait_for()
        page.wait_for_timeout(SETTLED)
        opened = taken()
        page.keyboard.type(query)
        page.locator(".pf-result-link").first.wait_for()
        first_result = taken()
        context.close()
    return Searched(query, load, opened, first_result)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        work = Path(name)
        small, small_cost = timed_build(work / "small", ROOT)
        tree = enlarged(work / "tree", small)
        large, cost = timed_build(work / "large", tree)
        plain = timed_plain_build(work / "plain", tree, work / "staged")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        taken = [searched(browser, large.folder, query) for query in QUERIES]
        browser.close()
        rows = [
            ("pages", f"{len(small.addresses)}", f"{len(large.addresses)}"),
            ("cold build, seconds (clock / processor)", str(small_cost), str(cost)),
            ("plain Material on the same Markdown, seconds", "", str(plain)),
            (
                "ratio to plain Material",
                "",
                f"{cost.clock / plain.clock:.2f} / {cost.processor / plain.processor:.2f}",
            ),
            *(
                (
                    f"navigation of /{address}, bytes",
                    *(str(len(navigation(s, address).encode())) for s in (small, large)),
                )
                for address in ("", "skills/vllm/")
            ),
            *((f"search for {t.query}: on load, bytes", "", str(t.load)) for t in taken[:1]),
            *((f"search for {t.query}: dialog open, bytes", "", str(t.opened)) for t in taken[:1]),
            *((f"search for {t.query}: first result, bytes", "", str(t.first_result)) for t in taken),
        ]
        print(f"{'':52}{'this tree':>15}{'enlarged':>15}")
        for label, *values in rows:
            print(f"{label:52}" + "".join(f"{value:>15}" for value in values))


if __name__ == "__main__":
    main()
