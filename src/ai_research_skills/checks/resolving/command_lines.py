"""The commands of a shell block: split as a shell would, without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile

from ai_research_skills.checks.resolving.wrappers import unwrapped

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
_REDIRECTION = re.compile(r"\d*(?:>>|>&|<&|&>>|&>|>\||<>|>|<)")
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w./:-]*(?: [\w./:-]+)*>")
ELLIPSES = frozenset({"...", "…", "[...]"})
_PROMPT = re.compile(r"^\s*(?:\([\w.-]+\)\s*)?(?:[\w.-]+@[\w.-]+\S*)?\$ (?=\S)")
_NOT_COMMANDS = frozenset({"for", "case", "select", "[[", "in"})
_BEFORE_COMMANDS = frozenset(
    ["!", "{", "}", "do", "done", "elif", "else", "esac", "fi", "if", "then", "until", "while"]
)


class CannotSplit(ValueError):
    """The block uses a part of the shell's language that is not read here."""


@dataclass(frozen=True)
class Command:
    """One simple command.

    Attributes:
        words: The command and its arguments, without assignments and wrappers before it, and without redirections.
        line: Line of the block, from one, on which it begins.
        expands: Whether the shell would put something else in the place of a part of it.
        body: What a here-document gives it to read.
        writes: The file that its output goes to.
        gaps: What stands in it for something that is not shown, such as `<model>` or `...`.
    """

    words: tuple[str, ...]
    line: int
    expands: bool = False
    body: str | None = None
    writes: str | None = None
    gaps: tuple[str, ...] = ()


def commands(source: str) -> tuple[Command, ...]:
    """The commands of a block, in order; those of a substitution come after the command that they are part of.

    Of a block with prompts, only the lines after a prompt are commands.

    Raises:
        CannotSplit: A quotation or a here-document is not closed.
    """
    splitter = _Splitter(without_prompts(source))
    splitter.read("")
    found = (_simple(draft, splitter.functions) for draft in splitter.drafts)
    return tuple(command for command in found if command.words)


def has_prompts(source: str) -> bool:
    """Whether lines begin with a prompt, `$ `: a reader cannot paste such a block."""
    return any(_PROMPT.match(line) for line in source.splitlines())


def without_prompts(source: str) -> str:
    """The commands after prompts, each on its own line; a block without any prompt as it is."""
    if not has_prompts(source):
        return source
    kept, goes_on = [], False
    for line in source.splitlines():
        is_prompt = bool(_PROMPT.match(line))
        text = _PROMPT.sub("", line) if is_prompt else line.removeprefix("> ") if goes_on else ""
        goes_on = text.endswith("\\")
        kept.append(text)
    return "\n".join(kept) + "\n"


@dataclass
class _Draft:
    """A command while it is read."""

    line: int
    words: list[str] = field(default_factory=list)
    expands: bool = False
    body: str | None = None
    writes: str | None = None
    gaps: list[str] = field(default_factory=list)

    @property
    def begun(self) -> list[str]:
        """What there is of the command behind `if`, `do` and the like."""
        return _without_keywords(self.words)


@dataclass
class _Document:
    """A here-document whose text comes after the line."""

    reader: _Draft
    delimiter: str
    is_indented: bool
    is_literal: bool


def _simple(draft: _Draft, functions: set[str]) -> Command:
    """The command without what stands before it, as in `while`, `HERE=1` or `sudo`; none if the block defines it."""
    words = _without_keywords(draft.words)
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    words = list(unwrapped(words))
    is_own = bool(words) and (words[0] in _NOT_COMMANDS or words[0] in functions)
    return Command(
        () if is_own else tuple(words),
        draft.line,
        draft.expands,
        draft.body,
        draft.writes,
        tuple(draft.gaps),
    )


def _without_keywords(words: list[str]) -> list[str]:
    return list(dropwhile(_BEFORE_COMMANDS.__contains__, words))


class _Splitter:
    """Reads a block letter by letter."""

    def __init__(self, source: str) -> None:
        self.text = source.replace("\r\n", "\n")
        self.at = 0
        self.drafts: list[_Draft] = []
        self.functions: set[str] = set()
        self.documents: list[_Document] = []
        self.cases = 0

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def read(self, closing: str) -> None:
        """Read commands to the end, or over the `closing` bracket of the substitution that they are in."""
        draft = self._new()
        cases, self.cases = self.cases, 0
        depth = 0
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter in " \t":
                self.at += 1
            elif self._is_next("\\\n"):
                self.at += 2
            elif letter == "#":
                self.at = self._end_of_line()
            elif draft.begun[:1] == ["[["] and "]]" not in draft.words:
                self._test_word(draft)
            elif closing and letter == closing and not depth:
                self.at += 1
                self._end(draft)
                self.cases = cases
                return
            elif self._special(draft):
                continue
            elif letter in "\n;&|()":
                depth += (letter == "(") - (letter == ")")
                draft = self._operator(letter, draft)
            else:
                self._argument(draft)
        self._end(draft)
        if closing:
            raise CannotSplit(f"a substitution is not closed by `{closing}`")

    def _special(self, draft: _Draft) -> bool:
        """Whether something other than a plain word or an operator began here, and was read."""
        if self._is_next("((") and draft.begun in ([], ["for"]):
            self._skip_arithmetic()
        elif self._is_next("<(") or self._is_next(">("):
            self.at += 2
            self.read(")")
            draft.words.append("/dev/fd/63")
            draft.expands = True
        elif self._is_next("<<<"):
            self.at += 3
            self._skip_blanks()
            self._word(draft)
        elif self._is_next("<<"):
            self._document(draft)
        elif match := _PLACEHOLDER.match(self.text, self.at):
            self.at = match.end()
            draft.words.append(match.group())
            draft.gaps.append(match.group())
        elif match := _REDIRECTION.match(self.text, self.at):
            self.at = match.end()
            self._skip_blanks()
            target = self._word(_Draft(0))
            draft.writes = target if match.group() in {">", ">>"} else draft.writes
        elif self._is_next("()") and self._names_a_function(draft):
            self.functions.add(draft.words[-1])
            self.at += 2
            draft.words.clear()
        else:
            return False
        return True

    def _new(self) -> _Draft:
        draft = _Draft(0)
        self.drafts.append(draft)
        return draft

    def _operator(self, letter: str, draft: _Draft) -> _Draft:
        ends_a_case = letter == ";" and self.text[self.at + 1 : self.at + 2] in {";", "&"}
        self.at += 2 if ends_a_case else 1
        self._end(draft)
        if letter == "\n":
            self._read_documents()
        if ends_a_case and self.cases:
            self._skip_pattern()
        return self._new()

    def _end(self, draft: _Draft) -> None:
        words = draft.words
        if words[:1] == ["function"] and len(words) > 1:
            self.functions.add(words[1])
            del words[:2]
        if words[:1] == ["esac"]:
            self.cases = max(0, self.cases - 1)

    def _names_a_function(self, draft: _Draft) -> bool:
        return len(draft.words) == 1 or draft.words[:1] == ["function"]

    def _argument(self, draft: _Draft) -> None:
        draft.line = draft.line or self.line
        begins = self.at
        word = self._word(draft)
        if word.endswith("=") and _ASSIGNMENT.fullmatch(word) and self._is_next("("):
            self.at += 1
            inner = _Draft(self.line)
            while self.at < len(self.text) and not self._is_next(")"):
                if self.text[self.at].isspace():
                    self.at += 1
                elif self._is_next("#"):
                    self.at = self._end_of_line()
                elif self._word(inner) == "" and self.text[self.at : self.at + 1] in set(";&|()<>"):
                    self.at += 1
            self.at += 1
        draft.words.append(word)
        if word in ELLIPSES and self.text[begins] != "'":
            draft.gaps.append(word)
        if draft.begun[:1] == ["case"] and len(draft.begun) == 3 and word == "in":
            self.cases += 1
            draft.words.clear()
            self._skip_pattern()

    def _test_word(self, draft: _Draft) -> None:
        letter = self.text[self.at]
        if letter in "\n;&|()<>":
            self.at += 1
        else:
            draft.words.append(self._word(draft))

    def _word(self, draft: _Draft) -> str:
        """The word that begins here, without its quotes; what the shell would expand is noted in `draft`."""
        word, quote = "", ""
        opened = self.line
        while self.at < len(self.text):
            letter = self.text[self.at]
            if not quote and (match := _PLACEHOLDER.match(self.text, self.at)) and word:
                self.at = match.end()
                word += match.group()
                draft.gaps.append(match.group())
            elif not quote and letter in " \t\n;&|()<>":
                break
            elif letter == quote or (not quote and letter in "\"'"):
                quote = "" if quote else letter
                self.at += 1
            elif letter == "\\" and quote != "'":
                word += self._escaped(quote)
            elif letter in "$`" and quote != "'":
                word += self._expansion(draft, quote)
            else:
                draft.expands = draft.expands or (not quote and letter in "*?")
                word += letter
                self.at += 1
        if quote:
            raise CannotSplit(f"a quotation that begins on line {opened} is not closed")
        return word

    def _escaped(self, quote: str) -> str:
        after = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if after == "\n":
            return ""
        return after if not quote or after in '$`"\\' else f"\\{after}"

    def _expansion(self, draft: _Draft, quote: str) -> str:
        begins = self.at
        if self._is_next("$'") and not quote:
            self.at += 1
            return ""
        draft.expands = True
        if self._is_next("$(("):
            self.at += 1
            self._skip_arithmetic()
        elif self._is_next("$("):
            self.at += 2
            self.read(")")
        elif self._is_next("`"):
            closing = self.text.find("`", self.at + 1)
            if closing < 0:
                raise CannotSplit("a substitution is not closed by ``` ` ```")
            inner = _Splitter("\n" * (self.line - 1) + self.text[self.at + 1 : closing])
            inner.read("")
            self.drafts += inner.drafts
            self.at = closing + 1
        elif self._is_next("${"):
            self._skip_brackets("{", "}")
        else:
            self.at += 1
        return self.text[begins : self.at]

    def _document(self, draft: _Draft) -> None:
        is_indented = self._is_next("<<-")
        self.at += 3 if is_indented else 2
        self._skip_blanks()
        begins = self.at
        delimiter = self._word(_Draft(0))
        is_literal = any(letter in "'\"\\" for letter in self.text[begins : self.at])
        self.documents.append(_Document(draft, delimiter, is_indented, is_literal))

    def _read_documents(self) -> None:
        for document in self.documents:
            lines: list[str] = []
            while self.at < len(self.text):
                end = self._end_of_line()
                line, self.at = self.text[self.at : end], min(end + 1, len(self.text))
                line = line.lstrip("\t") if document.is_indented else line
                if line == document.delimiter:
                    break
                lines.append(line)
            else:
                raise CannotSplit(f"a here-document is not closed by `{document.delimiter}`")
            text = "".join(f"{line}\n" for line in lines)
            document.reader.body = text
            document.reader.expands = document.reader.expands or (
                not document.is_literal and any(letter in text for letter in "$`")
            )
        self.documents.clear()

    def _skip_pattern(self) -> None:
        """Go over the pattern of a `case`, unless the `case` ends here."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        if self._is_next("#"):
            self.at = self._end_of_line()
            self._skip_pattern()
        elif not re.compile(r"esac\b").match(self.text, self.at):
            closing = self.text.find(")", self.at)
            self.at = closing + 1 if closing >= 0 else len(self.text)

    def _skip_arithmetic(self) -> None:
        self._skip_brackets("(", ")")

    def _skip_brackets(self, opening: str, closing: str) -> None:
        self.at = self.text.index(opening, self.at)
        depth = 0
        while self.at < len(self.text):
            letter = self.text[self.at]
            depth += (letter == opening) - (letter == closing)
            self.at += 1
            if not depth:
                return
        raise CannotSplit(f"`{opening}` is not closed")

    def _skip_blanks(self) -> None:
        while self._is_next(" ") or self._is_next("\t"):
            self.at += 1

    def _end_of_line(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _is_next(self, text: str) -> bool:
        return self.text.startswith(text, self.at)


def written_files(found: Sequence[Command]) -> Iterator[tuple[str, str]]:
    """Files that commands write out of here-documents, as in `cat > x.yaml <<END`, with their text."""
    for command in found:
        name = command.writes or (
            command.words[1] if command.words[:1] == ("tee",) and command.words[1:] else ""
        )
        if command.body is not None and name:
            yield name, command.body
