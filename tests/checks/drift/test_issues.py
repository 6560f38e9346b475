"""One issue a skill: opened, renewed, closed; and no text of others becomes Markdown, a mention or a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from ai_research_skills.catalog.drift_record import Step
from ai_research_skills.catalog.skill import Page, Pin, Skill, SkillMetadata
from ai_research_skills.checks.drift import tracker
from ai_research_skills.checks.drift.breaking_changes import Change, Changes
from ai_research_skills.checks.drift.held_examples import Break
from ai_research_skills.checks.drift.hygiene import Concern
from ai_research_skills.checks.drift.issues import MOST, code, issue
from ai_research_skills.checks.drift.newer_releases import Row
from ai_research_skills.checks.drift.skill_drift import SkillDrift, Unknown

HOSTILE = (
    "a | b\n# heading `` ` <img src=x onerror=alert(1)> [x](javascript:1) @somebody #1 $(rm -rf /) ${{ x }}"
    "\x1b[31m\u202e"
)
OLD, NEW = Pin(distribution="toolbox", version="1.0"), Pin(distribution="toolbox", version="2.0")
PATH = Path("skills/a/toolbox/SKILL.md")
SKILL = Skill(
    name="toolbox",
    folder=PATH.parent,
    category="a",
    description="",
    license="",
    compatibility="",
    metadata=SkillMetadata(packages=(OLD,)),
    raw="",
    body=Page(PATH, "SKILL", "Toolbox", "", 1),
    references=(),
    files=(),
)
DRIFT = SkillDrift(
    skill=SKILL,
    rows=(Row(OLD, newest="2.0", together="2.0", step=Step.MAJOR),),
    tried=(NEW,),
    held={"resolved": 1},
    breaks=(Break(PATH, 7, "toolbox.run", f"`toolbox.run`: {HOSTILE}", ("toolbox==1.0 → 2.0",)),),
    changes=Changes((Change("toolbox.run", f"`toolbox.run`: {HOSTILE}", ((PATH, 7),)),)),
    concerns=(Concern(PATH, 1, "toolbox", HOSTILE, "mend it"),),
    unknown=(Unknown("whether it is archived", (HOSTILE,)),),
)


def test_an_issue_names_the_example_and_the_release() -> None:
    found = issue(DRIFT, "")
    assert found["title"] == "toolbox: newer releases"
    assert found["open"]
    assert "| `toolbox==1.0` | `2.0` | – | – | major | `2.0` |" in found["body"]
    assert "skills/a/toolbox/SKILL.md:7" in found["body"]
    assert "`toolbox==1.0 → 2.0`" in found["body"]


def test_a_skill_that_holds_at_the_newest_can_be_pinned_as_it_stands() -> None:
    body = issue(replace(DRIFT, breaks=(), changes=Changes(), concerns=()), "")["body"]
    assert "No example breaks with `toolbox==2.0`" in body


def test_text_of_others_stays_text() -> None:
    body = issue(replace(DRIFT, skill=replace(SKILL, name=HOSTILE)), HOSTILE)["body"]
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "code_inline", "softbreak"}
    assert not any(token.type == "html_block" for token in tokens)
    plain = "".join(child.content for child in inline if child.type == "text")
    for piece in ("@somebody", "#1", "<img", "$(", "${{", "javascript:"):
        assert piece not in plain
    assert not {"\x1b", "\u202e"} & set(body)
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == [
        "Pins",
        "Examples that would break",
        "Changes in what the examples use",
        "Mend",
        "Unknown",
    ]


@pytest.mark.parametrize("text", ["`", "``", "a`b", "`a`", "|", "\n", " ", "\\", "a\\"])
def test_a_code_span_holds_anything(text: str) -> None:
    row = f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(row)
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert cells[-1].content == "end"


def test_a_long_list_is_cut_short_and_says_so() -> None:
    many = tuple(Break(PATH, line, "x", "`x` " + "long " * 200, ()) for line in range(2000))
    body = issue(replace(DRIFT, breaks=many), "")["body"]
    assert len(body) < 65_536
    assert f"and {2000 - MOST} more" in body


class Repository:
    """`gh`, with a repository of open issues behind it."""

    def __init__(self, *titles: str) -> None:
        self.open = dict(enumerate(titles, start=1))
        self.bodies: dict[str, str] = {}

    def __call__(self, *words: str) -> str:
        if words[:2] == ("issue", "list"):
            return json.dumps([{"number": number, "title": title} for number, title in self.open.items()])
        if words[:2] == ("issue", "close"):
            del self.open[int(words[2])]
        if words[:2] in {("issue", "create"), ("issue", "edit")}:
            body = Path(words[words.index("--body-file") + 1]).read_text(encoding="utf-8")
            is_new = words[1] == "create"
            title = words[2].removeprefix("--title=") if is_new else self.open[int(words[2])]
            if is_new:
                self.open[max(self.open, default=0) + 1] = title
            self.bodies[title] = body
        return ""


def test_there_is_one_open_issue_a_skill_as_long_as_there_is_something_to_do() -> None:
    there, gone = {"title": "a: newer releases", "open": True, "body": "new"}, {"body": ""}
    done = {"title": "b: newer releases", "open": False, **gone}
    repository = Repository("b: newer releases", "somebody else's")
    assert tracker.track([there, done], repository) == ("opened a: newer releases", "closed #1")
    assert tracker.track([{**there, "body": "newer"}, done], repository) == ("renewed #3",)
    assert repository.open == {2: "somebody else's", 3: "a: newer releases"}
    assert repository.bodies["a: newer releases"] == "newer"


def test_a_second_issue_of_one_title_is_closed() -> None:
    repository = Repository("a: newer releases", "a: newer releases")
    tracker.track([{"title": "a: newer releases", "open": True, "body": ""}], repository)
    assert list(repository.open) == [1]


def test_the_script_stands_alone_and_passes_texts_by_any_shell(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    fake = tmp_path / "gh"
    fake.write_text(
        f'#!{sys.executable}\nimport sys\nopen({str(seen)!r}, "a").write(repr(sys.argv[1:]) + "\\n")\n'
        'print("[]")\n'
    )
    fake.chmod(0o755)
    issues = tmp_path / "issues.json"
    title = f"{HOSTILE}: newer releases"
    issues.write_text(json.dumps([{"title": title, "open": True, "body": "text"}]), encoding="utf-8")
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-I", "-S", tracker.__file__, str(issues)]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    assert repr(f"--title={title}") in seen.read_text(encoding="utf-8")
