"""What the engine saw of each thing that a program uses: seen, denied, or out of its sight."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property

from ai_research_skills.checks.resolving.survey import (
    Place,
    Survey,
    as_written,
    bare,
    is_canary,
    is_wrapper,
    wrapped,
)
from ai_research_skills.checks.resolving.type_engine import REVEALED, Diagnostic, Span

MEMBER_RULES = frozenset({"import-not-found", "missing-attribute"})
NAME_RULE = "unresolved-reference"
UNION_RULE = "missing-union-attribute"
OVERLOAD_RULE = "no-matching-overload"
TYPE_RULE = "invalid-argument-type"
CALL_RULES = frozenset(
    {
        "missing-argument",
        OVERLOAD_RULE,
        "parameter-already-assigned",
        "positional-only-parameter-as-kwarg",
        "too-many-positional-arguments",
        "unknown-argument",
    }
)
"""The rules that mean that a release does not have what an example uses. Rules about types are passed over."""


class Sight(Enum):
    """What the engine knows about one use."""

    SEEN = auto()
    DENIED = auto()
    UNSEEN = auto()


@dataclass(frozen=True)
class Question:
    """What the installed packages are asked where the engine does not see, or denies.

    Attributes:
        module: Module in which `path` begins, or empty.
        path: Names from there to the thing in question.
        classes: Names of classes, one of which has `path` as a member, where there is no module.
        keywords: Keywords that the thing must accept when called.
        positional: Number of positional arguments that it must accept, or None if only the keywords count.
        is_guess: Whether the thing may be of another class than those named: then nothing counts as missing.
        packages: Packages that the classes are most likely of; many packages have a `Session`.
    """

    module: str = ""
    path: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    positional: int | None = None
    is_guess: bool = False
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spot:
    """Where the engine can say what might stand in place of `name`.

    Attributes:
        line, column: Its place in the rewritten program, counted from one.
        of: The line and column of that which is said not to have it.
        is_keyword: Whether the name is that of an argument.
    """

    name: str
    line: int
    column: int
    of: tuple[int, int]
    is_keyword: bool


@dataclass(frozen=True)
class Use:
    """One thing that a line of a page uses.

    Attributes:
        rule: The engine's rule that denies it.
        says: The engine's words.
        is_value: Whether it is a bare name of which nothing is taken and which is not called.
        spot: Where its name stands, if others may stand there.
        origins: Where the engine can say from which package its value comes, the nearest place first.
        is_own: Whether it is of a function or class that the page itself defines.
    """

    line: int
    symbol: str
    sight: Sight
    question: Question | None = None
    rule: str = ""
    says: str = ""
    is_value: bool = False
    spot: Spot | None = None
    origins: tuple[tuple[int, int], ...] = ()
    is_own: bool = False


@dataclass(frozen=True)
class Sighting:
    """One rewritten program and what the engine said about it."""

    survey: Survey
    diagnostics: Sequence[Diagnostic]
    wanted: Callable[[int], bool]

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every use on the wanted lines."""
        return tuple(self._uses())

    @cached_property
    def rejected_calls(self) -> frozenset[Place]:
        """Calls that no overload takes, or that an argument does not fit: the fault may be one of types only."""
        return frozenset(
            self.survey.places[call]
            for said in self.diagnostics
            if said.rule in {OVERLOAD_RULE, TYPE_RULE}
            and (node := self.survey.by_span.get(said.span)) is not None
            and (call := node if said.rule == OVERLOAD_RULE else self._call_around(node))
            in self.survey.places
            and call not in self.survey.canaries
        )

    def _call_around(self, node: ast.AST) -> ast.AST:
        around = self.survey.parents[node]
        return self.survey.parents[around] if isinstance(around, ast.keyword) else around

    @cached_property
    def unknown_names(self) -> frozenset[tuple[int, str]]:
        """Names about which the engine was asked at the head of a block, and whose type it does not know."""
        return frozenset(
            self.survey.asked[node]
            for node, text in self._types.items()
            if node in self.survey.asked and is_dynamic(text)
        )

    @cached_property
    def _types(self) -> Mapping[ast.AST, str]:
        revealed = {said.span: _quoted(said.message) for said in self.diagnostics if said.rule == REVEALED}
        return {
            node.args[0]: revealed[span]
            for node in ast.walk(self.survey.tree)
            if isinstance(node, ast.Call)
            and is_wrapper(node)
            and (span := self.survey.span(node.args[0])) in revealed
        }

    @cached_property
    def _faults(self) -> Mapping[Span, Diagnostic]:
        rules = MEMBER_RULES | CALL_RULES | {NAME_RULE, UNION_RULE}
        return {said.span: said for said in self.diagnostics if said.rule in rules}

    def _uses(self) -> Iterator[Use]:
        for node in ast.walk(self.survey.tree):
            place = self.survey.places.get(node)
            if place is None or node in self.survey.canaries or not self.wanted(place[0]):
                continue
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imports(node, place[0])
            elif isinstance(node, ast.Attribute):
                yield replace(self._attribute(node, place[0]), origins=self._origins(node.value))
            elif isinstance(node, ast.Call) and not is_wrapper(node):
                origins = self._origins(node.func)
                yield from (replace(use, origins=origins) for use in self._call(node, place[0]))
            elif isinstance(node, ast.Name) and (fault := self._fault(node, {NAME_RULE})):
                yield Use(
                    place[0], node.id, Sight.DENIED, None, fault.rule, fault.message, self._is_value(node)
                )

    def _is_value(self, node: ast.Name) -> bool:
        around = self.survey.parents[node]
        while is_wrapper(around):
            node, around = around, self.survey.parents[around]  # type: ignore[assignment]  # a wrapper is an expression
        return not isinstance(around, ast.Attribute) and getattr(around, "func", None) is not node

    def _imports(self, node: ast.Import | ast.ImportFrom, line: int) -> Iterator[Use]:
        if isinstance(node, ast.ImportFrom) and (node.level or node.module == "__future__"):
            return
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                question = Question(node.module or "", (alias.name,) if alias.name != "*" else ())
                symbol = f"{node.module}.{alias.name}"
            else:
                question, symbol = Question(alias.name), alias.name
            fault = self._import_fault(node, alias)
            if fault:
                yield Use(line, symbol, Sight.DENIED, question, fault.rule, fault.message)
                continue
            is_seen = not is_dynamic(self._imported_type(node, alias)) and self._import_canary_rejected(node)
            yield Use(line, symbol, Sight.SEEN if is_seen else Sight.UNSEEN, question)

    def _import_fault(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> Diagnostic | None:
        own = self.survey.span(alias)
        first = self.survey.span(node.names[0])
        for said in self._faults.values():
            if said.rule == "import-not-found" and said.span.line == own.line:
                is_module = isinstance(node, ast.ImportFrom) and said.span.column < first.column
                if is_module or own.column <= said.span.column < own.end_column:
                    return said
        return None

    def _import_canary_rejected(self, node: ast.Import | ast.ImportFrom) -> bool:
        canaries = [
            other
            for other in self.survey.canaries
            if isinstance(other, ast.ImportFrom) and self.survey.places.get(other) == self.survey.places[node]
        ]
        return all(self._import_fault(canary, canary.names[0]) for canary in canaries)

    def _imported_type(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
        if alias.name == "*":
            return "module"
        name = alias.asname or alias.name
        place = self.survey.places[node]
        return next(
            (
                text
                for part, text in self._types.items()
                if self.survey.places.get(part) == place and ast.unparse(part) == name
            ),
            "",
        )

    def _attribute(self, node: ast.Attribute, line: int) -> Use:
        symbol = as_written(node)
        base = wrapped(node.value)
        text = self._types.get(base, "") if base else ""
        fault = self._fault(node, MEMBER_RULES)
        question = self._member_question(bare(node), text)
        if fault and base and self._is_made_up(base, text):
            says = f"the type of `{as_written(base)}` is a guess"
            guess = question and replace(question, is_guess=not question.module)
            return Use(line, symbol, Sight.UNSEEN, guess, says=says)
        is_unknown = bool(base and text and is_dynamic(text))
        if fault and not is_unknown:
            end = self.survey.span(node)
            column = end.end_column - len(node.attr)
            spot = Spot(node.attr, end.end_line, column, self._end(bare(node.value)), is_keyword=False)
            is_own = any(name in self.survey.own for name in class_names(text))
            return Use(
                line, symbol, Sight.DENIED, question, fault.rule, fault.message, spot=spot, is_own=is_own
            )
        if base is None:
            return Use(line, symbol, Sight.SEEN)
        if not self._having(node, text):
            says = f"the type of `{as_written(base)}` is not known"
            return Use(line, symbol, Sight.UNSEEN, question, says=says)
        if self._takes_any(node):
            says = f"`{as_written(base)}` takes any attribute"
            return Use(line, symbol, Sight.UNSEEN, question, says=says)
        return Use(line, symbol, Sight.SEEN, question if question and question.module else None)

    def _origins(self, node: ast.AST) -> tuple[tuple[int, int], ...]:
        """The places of the names in `node` about which the engine can be asked: of `a.b()[0]` those of `b` and `a`."""
        inner, places = bare(node), []
        while isinstance(inner, ast.Attribute | ast.Subscript | ast.Call | ast.Name):
            if isinstance(inner, ast.Attribute | ast.Name):
                places.append(self._end(inner))
            if isinstance(inner, ast.Name):
                break
            inner = bare(inner.func if isinstance(inner, ast.Call) else inner.value)
        return tuple(places)

    def _end(self, node: ast.AST) -> tuple[int, int]:
        """The place of the last letter of `node`: where an editor would point to ask about it."""
        assert isinstance(node, ast.expr)
        span = self.survey.span(node)
        return span.end_line, span.end_column - 1

    def _is_made_up(self, base: ast.expr, text: str) -> bool:
        """Whether the engine's type of `base` is that of a signature only, or goes back to a class's `__getattr__`.

        A decorator that says it returns a callable may return an object, and a class that answers to every name
        declares one type for all of them.
        """
        if any(re.match(r"\(.*\) -> ", part) for part in union_parts(text)):
            return True
        inner = bare(base)
        while isinstance(inner, ast.Attribute | ast.Subscript | ast.Call):
            if isinstance(inner, ast.Attribute) and self._takes_any(inner):
                return True
            inner = bare(inner.func if isinstance(inner, ast.Call) else inner.value)
        return isinstance(inner, ast.Name) and inner.id in self._made_up_names

    @cached_property
    def _made_up_names(self) -> frozenset[str]:
        """Names that the page gives a value which goes back to a class's `__getattr__`."""
        found = set()
        for node in ast.walk(self.survey.tree):
            if isinstance(node, ast.Assign | ast.For | ast.comprehension):
                value = node.value if isinstance(node, ast.Assign) else node.iter
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(part, ast.Attribute) and self._takes_any(part) for part in ast.walk(value)):
                    found |= {
                        part.id
                        for target in targets
                        for part in ast.walk(target)
                        if isinstance(part, ast.Name)
                    }
        return frozenset(found)

    def _takes_any(self, node: ast.Attribute) -> bool:
        canary = self._canary(node)
        return canary is not None and not self._fault(canary, MEMBER_RULES | {UNION_RULE})

    def _having(self, node: ast.Attribute, base_type: str) -> list[str]:
        """The members of the union on the left of which the engine knows that they have the attribute."""
        known = [part for part in union_parts(base_type) if not is_dynamic(part) and part != "None"]
        lacking = self._fault(node, {UNION_RULE})
        without = union_parts(_quoted_all(lacking.message)[1]) if lacking else []
        return [part for part in known if part not in without]

    def _call(self, node: ast.Call, line: int) -> Iterator[Use]:
        callee = bare(node.func)
        symbol = as_written(node.func)
        keywords = tuple(keyword.arg for keyword in node.keywords if keyword.arg)
        parts: tuple[ast.expr | ast.keyword, ...] = (node, *node.args, *node.keywords)
        for part in parts:
            fault = self._fault(part, CALL_RULES)
            if fault and (isinstance(part, ast.keyword) or not _is_abridged(node)):
                name = part.arg if isinstance(part, ast.keyword) else None
                asked = (name,) if name else keywords
                count = None if name or _is_starred(node) else len(node.args)
                question = self._call_question(callee, asked, count)
                shown = f"{symbol}({name}=...)" if name else f"{symbol}(...)"
                span = self.survey.span(part)
                spot = Spot(name or "", span.line, span.column, self._end(callee), is_keyword=True)
                is_own = self._is_own(callee)
                yield Use(
                    line, shown, Sight.DENIED, question, fault.rule, fault.message, spot=spot, is_own=is_own
                )
        if not node.keywords or self._is_own(callee) or _is_builtin(callee):
            return
        if any(keyword.arg is None for keyword in node.keywords):
            yield Use(line, f"{symbol}(**...)", Sight.UNSEEN, says="the keywords are not spelt out")
        for name in () if self._canary_rejected(node) else keywords:
            question = self._call_question(callee, (name,), None)
            says = "the callable takes any keyword, or its type is not known"
            yield Use(line, f"{symbol}({name}=...)", Sight.UNSEEN, question, says=says)

    def _canary_rejected(self, node: ast.Call) -> bool:
        canary = self._canary(node)
        if not isinstance(canary, ast.Call):
            return False
        return bool(
            self._fault(canary, {OVERLOAD_RULE}) or self._fault(canary.keywords[-1], {"unknown-argument"})
        )

    def _canary(self, node: ast.AST) -> ast.expr | None:
        pair = self.survey.parents.get(node)
        return pair.elts[0] if isinstance(pair, ast.Tuple) and is_canary(pair.elts[0]) else None

    def _member_question(self, node: ast.AST, base_type: str) -> Question | None:
        assert isinstance(node, ast.Attribute)
        modules = [
            part[len("<module '") : -2] for part in union_parts(base_type) if part.startswith("<module '")
        ]
        if modules:
            return Question(modules[0], (node.attr,))
        address = self._address(node)
        if address:
            return Question(address[0], address[1:])
        classes = class_names(base_type)
        return Question("", (node.attr,), classes, is_guess=_is_guess(base_type)) if classes else None

    def _call_question(
        self, callee: ast.AST, keywords: tuple[str, ...], positional: int | None
    ) -> Question | None:
        address = self._address(callee)
        if address:
            return Question(address[0], address[1:], (), keywords, positional)
        if isinstance(callee, ast.Attribute):
            base = wrapped(callee.value)
            text = self._types.get(base, "") if base else ""
            classes = class_names(text)
            if classes:
                return Question("", (callee.attr,), classes, keywords, positional, _is_guess(text))
        text = self._types.get(callee, "")
        classes = class_names(text)
        return (
            Question("", ("__call__",), classes, keywords, positional, _is_guess(text)) if classes else None
        )

    def _address(self, node: ast.AST) -> tuple[str, ...]:
        """Module and names behind `node`, if it is a chain of attributes that begins with an import."""
        node = bare(node)
        if isinstance(node, ast.Name):
            return self.survey.bindings.get(node.id, ())
        if isinstance(node, ast.Attribute):
            base = self._address(node.value)
            return (*base, node.attr) if base else ()
        return ()

    def _is_own(self, callee: ast.AST) -> bool:
        """Whether the page defines what is called: its keywords are the page's own matter."""
        return isinstance(callee, ast.Name) and callee.id in self.survey.own

    def _fault(self, node: ast.AST, rules: frozenset[str] | set[str]) -> Diagnostic | None:
        assert isinstance(node, ast.expr | ast.keyword | ast.alias | ast.stmt)
        found = self._faults.get(self.survey.span(node))
        return found if found and found.rule in rules else None


def is_dynamic(text: str) -> bool:
    """Whether a type says nothing: the engine would take any attribute."""
    return all(
        part in {"", "Unknown", "Any", "Todo", "Never", "object"} or part.startswith("@Todo")
        for part in union_parts(text)
    )


def union_parts(text: str) -> list[str]:
    """The members of a union as the engine prints it."""
    parts, depth, begin = [], 0, 0
    for position, letter in enumerate(text):
        depth += (letter in "([{<") - (letter in ")]}" or (letter == ">" and text[position - 1] != "-"))
        if depth == 0 and text.startswith(" | ", position):
            parts.append(text[begin:position])
            begin = position + 3
    return [*parts, text[begin:]]


def class_names(text: str) -> tuple[str, ...]:
    """The names of the classes in a type: of `list[int] | <class 'A'> | None` they are `list` and `A`."""
    found = []
    for part in union_parts(text):
        match = re.fullmatch(r"(?:<class '|type\[)?(?:\w+\.)*([A-Za-z_]\w*)(?:\[.*)?(?:'>|\])?", part)
        if match and not is_dynamic(part) and part != "None":
            found.append(match[1])
    return tuple(found)


def _is_guess(text: str) -> bool:
    """Whether a type leaves open what the thing is: a part of the union is not known, or is no class."""
    parts = [part for part in union_parts(text) if part != "None"]
    return any(is_dynamic(part) or not class_names(part) for part in parts)


def _is_builtin(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and hasattr(builtins, node.id)


def _is_abridged(node: ast.Call) -> bool:
    """Whether `...` stands for arguments that are not shown: then their number says nothing."""
    shown = [bare(part) for part in node.args]
    return any(isinstance(part, ast.Constant) and part.value is ... for part in shown)


def _is_starred(node: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in node.args)


def _quoted(message: str) -> str:
    return message[message.index("`") + 1 : message.rindex("`")]


def _quoted_all(message: str) -> list[str]:
    return re.findall(r"`([^`]*)`", message)
