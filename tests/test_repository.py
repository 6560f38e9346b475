"""What stands beside the code: texts that people follow, and workflows that run unwatched."""

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import yaml
from markdown_it import MarkdownIt

from ai_research_skills.catalog.evidence import Level
from ai_research_skills.catalog.example import Mark
from ai_research_skills.catalog.notebook import load_notebooks
from ai_research_skills.checks import structure
from ai_research_skills.cli import main
from ai_research_skills.coverage import tier
from hooks.catalogue_pages import claim_link

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
PAGES = sorted(path for folder in (".", "api", "project") for path in (ROOT / "docs" / folder).glob("*.md"))
TEXTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md")]
TEXTS += [ROOT / ".github/PULL_REQUEST_TEMPLATE.md", *PAGES]

WRITING_JOBS = {
    ("publish.yml", "deploy"): {"pages": "write", "id-token": "write"},
    ("weekly.yml", "issues"): {"contents": "read", "issues": "write"},
    ("notebooks-gpu.yml", "attest"): {"id-token": "write", "attestations": "write"},
    ("notebooks-gpu.yml", "propose"): {"contents": "write", "pull-requests": "write"},
}
"""Every job that may do more than read. A new one belongs here, with as little as it needs."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(workflow)["jobs"]
    return found


def steps(workflow: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in jobs(workflow).items():
        for step in job["steps"]:
            yield name, step


def codes(text: str) -> Iterator[str]:
    """Every line of code of a Markdown text: fenced lines and inline spans."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in {"fence", "code_block"}:
            yield from token.content.splitlines()
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def targets(text: str) -> Iterator[str]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        for child in token.children or ():
            href = child.attrGet("href")
            if href:
                yield str(href)


# Workflows


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
class TestWorkflow:
    def test_it_has_triggers_and_a_limit_on_every_job(self, workflow: Path) -> None:
        document = load(workflow)
        assert document["name"]
        assert document[True], "YAML 1.1 reads the key `on` as true"
        assert document["concurrency"]["group"]
        assert all(job["timeout-minutes"] <= 60 for job in jobs(workflow).values())

    def test_every_action_is_pinned_by_commit_with_its_version_beside_it(self, workflow: Path) -> None:
        uses = re.findall(
            r"^\s*(?:- )?uses: *(.*)$", workflow.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        assert uses
        for action in uses:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action

    def test_it_may_read_and_only_the_named_jobs_may_write(self, workflow: Path) -> None:
        assert load(workflow)["permissions"] in ({}, {"contents": "read"})
        for name, job in jobs(workflow).items():
            expected = WRITING_JOBS.get((workflow.name, name), {"contents": "read"})
            assert job.get("permissions", {"contents": "read"}) == expected, name

    def test_it_runs_no_strange_code_with_rights(self, workflow: Path) -> None:
        text = workflow.read_text(encoding="utf-8")
        assert "pull_request_target" not in text
        assert "secrets." not in text
        for name, step in steps(workflow):
            assert "${{" not in step.get("run", ""), (
                f"{name}: hand values over in `env`, where no shell reads them"
            )
            if step.get("uses", "").startswith("actions/checkout@"):
                pushes = WRITING_JOBS.get((workflow.name, name), {}).get("contents") == "write"
                assert pushes or step["with"]["persist-credentials"] is False, name

    def test_every_script_parses(self, workflow: Path) -> None:
        for name, step in steps(workflow):
            script = step.get("run", "")
            subprocess.run(["bash", "-n"], input=script, text=True, check=True)
            for program in re.findall(r"<<'PYTHON'[^\n]*\n(.*?)\n *PYTHON", script, flags=re.DOTALL):
                compile(program, f"{workflow.name}:{name}", "exec")

    def test_every_command_exists(self, workflow: Path) -> None:
        for _, step in steps(workflow):
            assert_commands_exist(step.get("run", "").splitlines())


def test_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for workflow in WORKFLOWS:
        for _, step in steps(workflow):
            if "uses" in step:
                action, _, commit = step["uses"].partition("@")
                pins.setdefault(action, set()).add(commit)
    assert {action: commits for action, commits in pins.items() if len(commits) > 1} == {}


def test_every_job_that_may_write_exists() -> None:
    assert all(job in jobs(ROOT / ".github/workflows" / file) for file, job in WRITING_JOBS)


def test_the_gpu_is_never_lent_to_a_fork() -> None:
    job = jobs(ROOT / ".github/workflows/notebooks-gpu.yml")["gpu"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert "contains(github.event.pull_request.labels.*.name, 'gpu')" in job["if"]
    assert "vars.GPU_RUNNER != ''" in job["if"]
    assert job["environment"] == "gpu"


# Forms and small files


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_an_issue_form_has_what_github_requires(form: Path) -> None:
    document = load(form)
    assert document["name"] and document["description"] and document["title"] and document["body"]
    fields = [field for field in document["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids)
    assert all(field["type"] in {"input", "textarea", "dropdown", "checkboxes"} for field in fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_a_claim_opens_a_form_that_has_its_fields() -> None:
    link = claim_link(SimpleNamespace(repository="https://example.org/r"), "a-tool", "A Tool")  # type: ignore[arg-type]
    query = parse_qs(urlsplit(link).query)
    form = ROOT / ".github/ISSUE_TEMPLATE" / query.pop("template")[0]
    document = load(form)
    assert query.pop("title")[0].startswith(document["title"])
    assert set(query) <= {field.get("id") for field in document["body"]}
    assert query["name"] == ["a-tool"]


def test_every_form_that_a_text_names_exists() -> None:
    for text in TEXTS:
        for link in targets(text.read_text(encoding="utf-8")):
            for form in parse_qs(urlsplit(link).query).get("template", ()):
                assert (ROOT / ".github/ISSUE_TEMPLATE" / form).is_file(), f"{name_of(text)}: {form}"


def test_the_citation_is_valid() -> None:
    citation = load(ROOT / "CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"] and citation["title"]
    assert all(author.get("name") or author.get("family-names") for author in citation["authors"])
    assert citation["license"] == "MIT"
    allowed = {"abstract", "authors", "cff-version", "keywords", "license", "message", "repository-code"}
    assert set(citation) <= allowed | {"title", "type", "url"}


def test_the_machines_files_parse() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["image"].startswith("mcr.microsoft.com/devcontainers/python:3.11")
    updates = load(ROOT / ".github/dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"uv", "github-actions"}
    hooks = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    for hook in hooks[0]["hooks"]:
        assert hook["entry"].startswith("uv run "), hook["id"]


def test_text_files_have_lf_ends_and_a_final_newline() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a clone")
    wrong = []
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file() or name.startswith(("docs/evidence/", "tests/")):
            continue
        data = path.read_bytes()
        if data and b"\0" not in data[:8000] and (b"\r\n" in data or not data.endswith(b"\n")):
            wrong.append(name)
    assert wrong == []


# Texts


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    variables = dict(re.findall(r"^(\w+) *[:?]?= *(.*)$", makefile, flags=re.MULTILINE))
    for _ in variables:
        makefile = re.sub(r"\$\((\w+)\)", lambda match: variables.get(match[1], ""), makefile)
    return set(re.findall(r"^([\w./-]+):(?!=)", makefile, flags=re.MULTILINE))


def assert_commands_exist(lines: list[str]) -> None:
    for line in lines:
        for words in re.findall(r"(?:^|\s)make((?: [^\s|&;]+)+)", line):
            for word in words.split():
                assert "=" in word or word in make_targets(), f"make {word}, in: {line}"
        for words in re.findall(r"(?:^|[\s/])ai-skills((?: [^\s|&;]+)*)", line):
            assert_verb_exists(words.split(), line)


def assert_verb_exists(words: list[str], line: str) -> None:
    command: click.Command = main
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        verb = words.pop(0)
        assert verb in command.commands, f"ai-skills has no verb {verb}, in: {line}"
        command = command.commands[verb]
    options = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    for word in words:
        assert not word.startswith("--") or word in options, f"{command.name} has no {word}, in: {line}"
    takes_value = {
        name
        for one in command.params
        if isinstance(one, click.Option) and not one.is_flag
        for name in one.opts
    }
    for before, word in pairwise(["", *words]):
        is_word = re.fullmatch(r"[a-z0-9-]+(/[a-z0-9-]+)?", word) and not word.startswith("-")
        if not is_word or before in takes_value:
            continue
        if command.name in {"show", "check"} and "/" not in word:
            assert list((ROOT / "skills").glob(f"*/{word}/SKILL.md")), f"no skill {word}, in: {line}"
        if command.name in {"run", "record"}:
            assert word in {notebook.address for notebook in load_notebooks(ROOT)[0]}, line


@pytest.mark.parametrize("text", TEXTS, ids=name_of)
def test_every_command_of_a_text_exists(text: Path) -> None:
    assert_commands_exist(list(codes(text.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"])
def test_every_relative_link_and_every_path_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = [link.partition("#")[0] for link in targets(text) if not re.match(r"https?:|#", link)]
    spans = [word for code in codes(text) for word in code.split()]
    inside = r"(?:docs|hooks|notebooks|skills|src|tests|\.github)/[a-z0-9./_-]*"
    paths += [word for word in spans if re.fullmatch(inside, word)]
    paths += [word.partition("/")[2] for word in spans if word.startswith("claude-ai-research-skills/")]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_contributing_can_be_read_on_the_site_too() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    headings = {
        re.sub(r"\W+", "-", title.lower()) for title in re.findall(r"^##+ (.+)$", text, flags=re.MULTILINE)
    }
    for link in targets(text):
        assert link.startswith("https://") or link.removeprefix("#") in headings, link


def test_the_readme_types_no_count() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    things = r"(?:skills|notebooks|categories|sections|examples|references|tests|weeks|phases)"
    numbers = r"(?:\d[\d,]*\+?|three|four|five|six|seven|eight|nine|ten|\w+teen|\w+ty(?:-\w+)?)"
    assert re.findall(rf"\b{numbers} (?:\w+ )?{things}\b", text, flags=re.IGNORECASE) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_describes_itself_and_names_its_headings(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    meta = yaml.safe_load(front)
    assert meta["title"] and 0 < len(meta["description"]) <= 160
    tokens = MarkdownIt("commonmark").parse(body)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.tag in {"h2", "h3"}:
            assert re.search(r"\{ #[a-z0-9-]+ \}$", inline.content), inline.content


def test_the_quality_guide_states_the_rules_of_the_code() -> None:
    text = (ROOT / "docs/quality.md").read_text(encoding="utf-8")
    assert f"| lines in `SKILL.md` | {tier.MINIMUM_LINES} | {tier.GOLD_LINES} |" in text
    assert f"| references | {tier.MINIMUM_REFERENCES}, on any subject |" in text
    assert all(f"`{category}`" in text for category in tier.REFERENCE_CATEGORIES)
    assert ", ".join(tier.SECTIONS) in text
    assert f"within the last {tier.REVIEW_EVERY.days} days" in text
    assert f"at most {structure.LONGEST_DESCRIPTION} characters" in text
    assert f"at most {structure.LONGEST_SKILL} lines and {structure.LARGEST_BODY:,} characters" in text
    assert f"{structure.SMALLEST_REFERENCE // 1024} KB to {structure.LARGEST_REFERENCE // 1024} KB" in text
    assert all(f"`{name}`" in text for name in structure.REQUIRED)
    assert all(f"| {level.value} | {level.label} |" in text for level in Level)
    assert all(f"`{mark}`" in text for mark in Mark if mark)


def test_the_template_has_the_sections_of_the_code_in_order() -> None:
    text = (ROOT / "docs/skill-template.md").read_text(encoding="utf-8")
    skeleton = text.split("````")[1]
    assert tuple(re.findall(r"^## (.+)$", skeleton, flags=re.MULTILINE)) == tier.SECTIONS
    assert all(f"references/{category}.md" in skeleton for category in tier.REFERENCE_CATEGORIES)
    assert all(f"\n  {name}: " in skeleton for name in structure.REQUIRED)


def test_the_api_pages_name_every_public_module_once() -> None:
    package = ROOT / "src/ai_research_skills"
    public = [
        ".".join(("ai_research_skills", *path.relative_to(package).with_suffix("").parts))
        for path in package.rglob("[a-z]*.py")
        if path.parent != package / "cli"
    ]
    pages = [ROOT / "docs/api.md", *(ROOT / "docs/api").glob("*.md")]
    texts = [page.read_text(encoding="utf-8") for page in pages]
    named = [name for text in texts for name in re.findall(r"^::: (.+)$", text, flags=re.MULTILINE)]
    assert sorted(named) == sorted([*public, "ai_research_skills.checks.parsing"])
