"""What a skill must look like: the specification, by its reference validator, and this library's own rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from skills_ref import validate as reference_validate

from ai_research_skills.catalog.blocks import block_tokens
from ai_research_skills.catalog.example import Example, Mark, page_examples, says_what_is_printed
from ai_research_skills.catalog.links import dead_links, page_links
from ai_research_skills.catalog.problem import Problem
from ai_research_skills.catalog.skill import Page, Skill
from ai_research_skills.catalog.tree import Tree

LONGEST_DESCRIPTION = 200
"""Characters: agents hold the descriptions of all skills in about one percent of their context."""

LARGEST_BODY = 20_000
"""Characters, about 5,000 tokens."""

LONGEST_SKILL = 400
SMALLEST_REFERENCE, LARGEST_REFERENCE = 5 * 1024, 25 * 1024
REQUIRED = (
    "title",
    "version",
    "authors",
    "tags",
    "homepage",
    "hardware",
    "lifecycle",
    "reviewed",
)

_SCRIPT_SCHEME = re.compile(r"(javascript|data|vbscript):", flags=re.IGNORECASE)
_PERHAPS_A_SCRIPT = re.compile(
    r"\]\(\s*<?(javascript|data|vbscript):|\]:\s*<?(javascript|data|vbscript):|&#", flags=re.IGNORECASE
)
"""Only a page with such a text is parsed for its links: parsing costs far more than looking."""


def structure_problems(tree: Tree) -> tuple[Problem, ...]:
    """Every fault of every skill of `tree`, those found while reading included."""
    found = list(tree.problems)
    for skill in tree.skills:
        found += _specification(tree.root, skill)
        found += _metadata(skill, tree.tags)
        found += _sizes(skill)
        found += _pages(skill)
        found += _scripts(tree.root, skill)
    return tuple(sorted(set(found)))


def _specification(root: Path, skill: Skill) -> Iterator[Problem]:
    try:
        messages = reference_validate(root / skill.folder)
    except (OSError, ValueError, RecursionError) as error:
        messages = [f"cannot be read by the reference validator: {error}"]
    for message in messages:
        mend = "follow the Agent Skills specification"
        yield Problem(skill.path, 1, f"specification: {message.splitlines()[0]}", mend)


def _metadata(skill: Skill, tags: Mapping[str, str]) -> Iterator[Problem]:
    block = skill.fields.get("metadata")
    block = block if isinstance(block, dict) else {}
    for name in REQUIRED:
        if not block.get(name):
            yield Problem(skill.path, 1, f"lacks metadata.{name}", f"add `{name}:` under `metadata:`")
    for tag in skill.metadata.tags:
        if tags and tag not in tags:
            yield Problem(skill.path, 1, f"has the unknown tag {tag!r}", "use a tag of docs/tags.yml")
    if len(skill.description) > LONGEST_DESCRIPTION:
        message = f"has a description of {len(skill.description)} characters, more than {LONGEST_DESCRIPTION}"
        yield Problem(skill.path, 1, message, "say only what it is and when to use it")
    if not skill.license:
        yield Problem(skill.path, 1, "has no licence", "add `license:`")


def _sizes(skill: Skill) -> Iterator[Problem]:
    lines = skill.raw.count("\n")
    if lines > LONGEST_SKILL:
        mend = "move depth into references"
        yield Problem(skill.path, 0, f"has {lines} lines, more than {LONGEST_SKILL}", mend)
    if len(skill.raw) > LARGEST_BODY:
        message = f"has {len(skill.raw)} characters, more than {LARGEST_BODY} (about 5,000 tokens)"
        yield Problem(skill.path, 0, message, "move depth into references")
    for reference in skill.references:
        size = len(reference.text.encode())
        if not SMALLEST_REFERENCE <= size <= LARGEST_REFERENCE:
            message = f"has {size:,} bytes, not {SMALLEST_REFERENCE:,} to {LARGEST_REFERENCE:,}"
            yield Problem(reference.path, 0, message, "merge it with another reference, or split it")


def _pages(skill: Skill) -> Iterator[Problem]:
    for page in skill.pages:
        yield from _blocks(page)
        yield from _fences_that_open_nothing(page)
        for link in page_links(page) if _PERHAPS_A_SCRIPT.search(page.text) else ():
            if _SCRIPT_SCHEME.match(link.target):
                yield Problem(page.path, link.line, f"links to {link.target[:40]!r}", "link to a page")
        headings = re.findall(r"^# ", page.text, flags=re.MULTILINE)
        if not headings and page.text:
            yield Problem(page.path, page.first_line, "has no title", "begin with a line `# Title`")
    for page, link in dead_links(skill):
        mend = "correct the path; links are relative to the file"
        yield Problem(page.path, link.line, f"links to {link.target}, which does not exist", mend)


def _scripts(root: Path, skill: Skill) -> Iterator[Problem]:
    """Faults of the scripts: each has a page, which begins with what its docstring says."""
    for file in skill.scripts:
        path = skill.folder / file
        try:
            module = ast.parse((root / path).read_bytes())
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            yield Problem(path, line, f"is not Python: {error}", "correct the line")
            continue
        if not ast.get_docstring(module):
            yield Problem(
                path, 1, "has no docstring", "begin it with what the script is for, in one sentence"
            )


_OPENING_FENCE = re.compile(r"^[ \t]*(?:```+[^`\n]*|~~~+.*)$", flags=re.MULTILINE)
_MARKS = {mark.value for mark in Mark}
_PYTHON_MARKS = ", ".join(sorted(_MARKS - {Mark.NEXT.value, Mark.PRINTS.value}))


def _blocks(page: Page) -> Iterator[Problem]:
    above: Example | None = None
    for example in page_examples(page):
        if not example.language:
            mend = "name the language after the fence, `text` for output"
            yield Problem(page.path, example.line, "has a code block without a language", mend)
        if not example.source.strip() and not example.is_output:
            mend = "fill it, or remove it: nothing can be shown of it"
            yield Problem(page.path, example.line, "has an empty code block", mend)
        yield from _mark(page, example, above)
        above = example


def _mark(page: Page, example: Example, above: Example | None) -> Iterator[Problem]:
    """What is wrong with the mark of `example`, which stands below the block `above`."""
    if example.mark not in _MARKS:
        message = f"has the unknown mark {example.mark!r}"
        mend = f"use one of {', '.join(sorted(_MARKS - {Mark.NEXT.value}))}, or none"
    elif says_what_is_printed(example) and (above is None or above.language != "python"):
        message = "says what is printed, but no Python block stands right above it"
        mend = "put it below the block that prints it, or leave `prints` out"
    elif example.mark == Mark.PRINTS and not example.is_output:
        message = f"has the mark 'prints' on a block in {example.language or 'no language'}"
        mend = "write `text prints` after the fence of what the block above prints"
    elif example.mark and example.mark != Mark.PRINTS and example.language != "python":
        message = f"has the mark {example.mark!r} on a block in {example.language or 'no language'}"
        mend = f"leave it out: {_PYTHON_MARKS} are for Python"
    else:
        return
    yield Problem(page.path, example.line, message, mend)


def _fences_that_open_nothing(page: Page) -> Iterator[Problem]:
    """Fences that are not closed, and those that Markdown takes for text: no one would look at what they hold."""
    for token in block_tokens(page.text):
        if token.map is None:
            continue
        first, end = token.map
        if token.type == "fence":
            lines = token.content.count("\n") + bool(token.content and not token.content.endswith("\n"))
            if end - first < lines + 2:
                mend = f"close it with a line {token.markup}"
                yield Problem(page.path, page.first_line + first, "has a fence that nothing closes", mend)
        elif token.type in {"inline", "code_block", "html_block"} and (
            match := _OPENING_FENCE.search(token.content)
        ):
            line = page.first_line + first + token.content[: match.start()].count("\n")
            mend = "put a blank line above it, and indent it by fewer than four columns more than the text around it"
            yield Problem(page.path, line, "has a fence that Markdown takes for text", mend)
