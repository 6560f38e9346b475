"""Whether a distribution is what a skill takes it for: it exists, is that project's, is alive, and is not unsafe.

A fault is certain and counts. A doubt is a reason to look: it is shown and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from ai_research_skills.catalog.example import page_examples
from ai_research_skills.catalog.links import page_links
from ai_research_skills.catalog.skill import Lifecycle, Pin, Skill
from ai_research_skills.checks.drift.registry import Distribution, Vulnerability
from ai_research_skills.checks.resolving.command_lines import CannotSplit, Command, commands
from ai_research_skills.checks.resolving.requirements import asked_requirements, names_another_index

_INACTIVE = "Development Status :: 7 - Inactive"
_ENDED = {"archived": "is archived", "deprecated": "is deprecated", "quarantined": "is quarantined"}
_FAREWELL = re.compile(
    r"\b(?:deprecated|archived|renamed to|has been renamed|no longer (?:maintained|supported|developed)"
    r"|unmaintained|not maintained|discontinued|superseded by|is now part of|has moved to|fully adopted)\b",
    flags=re.IGNORECASE,
)
_ITSELF = re.compile(r"\bthis (?:project|package|repository|repo|library|module)\b", flags=re.IGNORECASE)
_FIRST_LINES = 15
_SHELLS = frozenset({"bash", "sh"})


@dataclass(frozen=True, order=True)
class Concern:
    """One thing to know about a distribution that a skill names.

    Attributes:
        line: Line of `path` that names it.
        is_doubt: Whether it is a reason to look rather than a fault.
    """

    path: Path
    line: int
    distribution: str
    text: str
    mend: str
    is_doubt: bool = False


@dataclass(frozen=True)
class Asked:
    """A requirement of an install line on a page."""

    path: Path
    line: int
    distribution: str


def install_requirements(skill: Skill) -> tuple[Asked, ...]:
    """Every distribution that a page of `skill` installs from the index that uv is set up with, once a line."""
    return tuple(dict.fromkeys(_install_requirements(skill)))


def _install_requirements(skill: Skill) -> Iterator[Asked]:
    for page in skill.pages:
        for example in page_examples(page):
            if example.language in _SHELLS:
                for line, text in _requirements(example.source):
                    try:
                        requirement = Requirement(text)
                    except InvalidRequirement:
                        continue
                    if not requirement.url:
                        yield Asked(page.path, example.line + line, canonicalize_name(requirement.name))


def _requirements(source: str) -> Iterator[tuple[int, str]]:
    for command in _commands(source):
        position = command.words.index("install") if "install" in command.words else 0
        arguments = command.words[position + 1 :]
        is_pip = position > 0 and command.words[position - 1] in {"pip", "pip3"}
        if is_pip and not names_another_index(arguments):
            yield from ((command.line, text) for text in asked_requirements(arguments))


def _commands(source: str) -> tuple[Command, ...]:
    try:
        return commands(source)
    except CannotSplit:
        return ()


def pin_concerns(
    skill: Skill,
    pin: Pin,
    known: Distribution,
    python: str,
    lock: Collection[str],
    vulnerabilities: Sequence[Vulnerability] | None,
) -> Iterator[Concern]:
    """Everything to know about one pin. `lock` names the distributions that the pins resolve to."""

    def fault(text: str, mend: str) -> Concern:
        return Concern(skill.path, _metadata_line(skill), pin.distribution, text, mend)

    yield from _project_concerns(skill, skill.path, _metadata_line(skill), known, lock)
    release = known.release(pin.version)
    if known.listing and known.listing.releases and release is None:
        yield fault(f"the index has no release {pin.version}", "pin one that it has")
    if release and release.yanked is not None:
        reason = f": {release.yanked}" if release.yanked else ""
        yield fault(f"{pin.version} was yanked{reason}", "pin another release")
    if release and not _runs_on(release.requires_python, python):
        wants = f"{pin.version} needs Python {release.requires_python}, the skill is held against {python}"
        yield fault(wants, "set `python` in the metadata, or pin another release")
    for one in _distinct(vulnerabilities or ()):
        yield fault(_said(pin, one), "raise the pin, or say on the page whom it concerns")


def requirement_concerns(
    skill: Skill, asked: Asked, known: Distribution, lock: Collection[str], used: Collection[str]
) -> Iterator[Concern]:
    """Everything to know about a requirement of an install line.

    One that no example imports or calls, such as a build tool, need not be tied to the skill; `used` names those.
    """
    ties = lock if asked.distribution in used else {*lock, asked.distribution}
    yield from _project_concerns(skill, asked.path, asked.line, known, ties)


def command_names(skill: Skill) -> Iterator[str]:
    """The commands that the pages of `skill` call."""
    for page in skill.pages:
        for example in page_examples(page):
            if example.language in _SHELLS:
                yield from (command.words[0] for command in _commands(example.source))


def _project_concerns(
    skill: Skill, path: Path, line: int, known: Distribution, lock: Collection[str]
) -> Iterator[Concern]:
    if known.exists is False:
        yield Concern(path, line, known.name, "the index has no such name", "correct the name")
    if skill.metadata.lifecycle in {Lifecycle.ACTIVE, None}:
        yield from _endings(path, line, known)
    if known.page and not is_explained(skill, known, lock):
        is_main = _is_main(skill, known)
        named = dict.fromkeys(url for url in known.page.urls if _address(url))
        urls = ", ".join(list(named)[:2]) or "it names none"
        text = f"is it another project? Nothing ties its addresses ({urls}) to this skill"
        mend = "name the right distribution, or its repository on the page"
        yield Concern(path, line, known.name, text, mend, is_doubt=not is_main)


def _endings(path: Path, line: int, known: Distribution) -> Iterator[Concern]:
    mend = "say so on the page, or teach its successor"
    status = known.listing.status if known.listing else None
    if known.listing and status in _ENDED:
        reason = f": {known.listing.reason}" if known.listing.reason else ""
        yield Concern(path, line, known.name, f"{_ENDED[status]}, says the index{reason}", mend)
    elif known.page and _INACTIVE in known.page.classifiers:
        yield Concern(path, line, known.name, "calls itself inactive in its metadata", mend)
    elif known.page and (said := _farewell(known)):
        yield Concern(path, line, known.name, f"its own page says: {said}", mend, is_doubt=True)


def is_explained(skill: Skill, known: Distribution, lock: Collection[str]) -> bool:
    """Whether something ties the distribution to the skill.

    The main pin has to lead to the skill's repository or homepage, by its addresses, or on its page if no
    address of it is a repository: whoever uploads another's work anew uploads its page with it. Any other may as well be a dependency of the pins, of the same owner, or be linked from a page of the skill.
    """
    assert known.page
    theirs = {address for url in known.page.urls if (address := _address(url))}
    ours = {
        address for url in (skill.metadata.repository, skill.metadata.homepage) if (address := _address(url))
    }
    if not ours or any(_lies_below(one, home) for one in theirs for home in ours):
        return True
    has_own_repository = any(_owner(one) for one in theirs)
    if not has_own_repository and any(home in known.page.description.lower() for home in ours):
        return True
    if _is_main(skill, known):
        return False
    linked = {_address(link.target) for page in skill.pages for link in page_links(page)}
    return (
        known.name in lock
        or bool({_owner(one) for one in theirs} & {_owner(home) for home in ours} - {""})
        or any(_lies_below(link, one) or _lies_below(one, link) for link in linked if link for one in theirs)
    )


def _is_main(skill: Skill, known: Distribution) -> bool:
    """Whether it is the pin that the skill is about: the first, if skill or repository share its name.

    A tool without a distribution of its own is taught with those that it needs.
    """
    first = [pin.distribution for pin in skill.metadata.packages[:1]]
    return first == [known.name] and _is_named_alike(known.name, f"{skill.name} {skill.metadata.repository}")


def _is_named_alike(distribution: str, text: str) -> bool:
    """Whether a word of the distribution's name, or all of it, is part of `text`."""
    words = [word for word in distribution.split("-") if len(word) > 2]
    flat = text.lower().replace("-", "").replace("_", "")
    return any(word in flat for word in words) or distribution.replace("-", "") in flat


def _farewell(known: Distribution) -> str:
    """The first line at the top of its page on which a project says that it has ended or has another name.

    That is a heading, or a sentence about itself: others say what of it, or of its surroundings, is deprecated.
    """
    description = known.page.description if known.page else ""
    for line in [line.strip() for line in description.splitlines() if line.strip()][:_FIRST_LINES]:
        words = canonicalize_name(line)
        is_of_itself = line.startswith("#") or known.name in words or _ITSELF.search(line)
        if is_of_itself and len(line) < 400 and _FAREWELL.search(line):
            return line.strip(" #>*_-=|")[:160]
    return ""


def _distinct(vulnerabilities: Sequence[Vulnerability]) -> Iterator[Vulnerability]:
    """Each vulnerability once: several databases name the same one, and name each other's."""
    seen: set[str] = set()
    for one in vulnerabilities:
        names = {one.id, *one.aliases}
        if not names & seen:
            yield one
        seen |= names


def _said(pin: Pin, one: Vulnerability) -> str:
    names = ", ".join(dict.fromkeys((one.id, *one.aliases)))
    severity = f", {one.severity}" if one.severity else ""
    fixed = f"fixed in {', '.join(one.fixed_in)}" if one.fixed_in else "no fix is named"
    return f"{pin.version} has a known vulnerability, {names}{severity}; {fixed}"


def _runs_on(requires_python: str, python: str) -> bool:
    """Whether some release of that Python will do: `>=3.11.5` allows a 3.11."""
    try:
        wanted = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return True
    return any(f"{python}.{micro}" in wanted for micro in range(31))


def _address(url: str) -> str:
    """What two spellings of one address have in common, or nothing for what is no web address."""
    parts = urlsplit(url.strip().lower())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    return f"{parts.hostname.removeprefix('www.')}{parts.path}".rstrip("/").removesuffix(".git")


def _lies_below(address: str, home: str) -> bool:
    return f"{address}/".startswith(f"{home}/")


def _owner(address: str) -> str:
    """Host and owner of a repository's address; a host alone, or a page of one, has none."""
    parts = address.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 and parts[0] in _FORGES else ""


_FORGES = frozenset({"github.com", "gitlab.com", "codeberg.org", "bitbucket.org"})


def _metadata_line(skill: Skill) -> int:
    """The line of SKILL.md that names the pins."""
    lines = enumerate(skill.raw.splitlines(), start=1)
    return next((number for number, text in lines if text.strip().startswith("packages:")), 1)
