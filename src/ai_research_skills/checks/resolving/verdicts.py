"""The verdict on one use, from what the engine said, what the packages' text says and what they answer themselves."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, replace

from ai_research_skills.catalog.example import Mark
from ai_research_skills.checks.resolving.package_probe import EXISTS, MISSING, UNSEEN
from ai_research_skills.checks.resolving.programs import Piece
from ai_research_skills.checks.resolving.remark import Verdict
from ai_research_skills.checks.resolving.sightings import MEMBER_RULES, Question, Sight, Use
from ai_research_skills.checks.resolving.source_tree import Presence, Reading, SourceTree

SHAPE_RULES = frozenset({"missing-argument", "no-matching-overload", "parameter-already-assigned"})
"""Rules that a page may break by leaving something out, as pages do that were not written as programs."""

UNSURE_RULES = frozenset({"positional-only-parameter-as-kwarg"})
"""Rules that stubs of compiled classes break: the first parameter of `__new__` shares its name with an argument."""


@dataclass(frozen=True)
class Known:
    """What is known about a use besides what the engine said.

    Attributes:
        reading: What the text of the module says about the name, if it is one of a module.
        presence: Whether the tree has the module.
        is_rewired: Whether a package redirects its imports, so that files prove nothing.
        answer: What the installed packages say.
        is_askable: Whether they are worth asking.
    """

    reading: Reading | None = None
    presence: Presence = Presence.THERE
    is_rewired: bool = False
    answer: str = UNSEEN
    is_askable: bool = True

    @property
    def is_unpinned(self) -> bool:
        """Whether no distribution of the pins has the module."""
        return self.presence is Presence.UNPINNED and self.answer != EXISTS

    @property
    def reason(self) -> str:
        """Why it counts as it does, where that is not the engine's reason."""
        if self.is_unpinned:
            return "no pinned release has this module"
        if self.reading is Reading.REFUSED:
            return "its module makes names when asked, and not this one"
        return "the installed package does not have it" if self.answer == MISSING else ""

    def answered(self, answer: str) -> Known:
        """The same, with what the installed packages said."""
        return replace(self, answer=answer)


def known(use: Use, tree: SourceTree) -> Known:
    """What the text of the packages says about a use that the engine did not simply see."""
    question = use.question
    if question is None or not question.module:
        return Known()
    presence = tree.presence(question.module)
    if presence is not Presence.THERE:
        return Known(None, presence, tree.is_rewired(question.module))
    if not _is_of_module(question):
        return Known()
    reading = tree.reads(question.module, question.path[0]) if question.path else Reading.BOUND
    if use.sight is Sight.DENIED and tree.file(question.module) is None and question.path:
        presence = tree.presence(f"{question.module}.{question.path[0]}")
    is_settled = reading is Reading.BOUND and use.sight is Sight.UNSEEN
    return Known(reading, presence, is_askable=not is_settled)


def verdict(use: Use, known: Known, piece: Piece) -> Verdict:
    """The verdict on one use of `piece`, of which the engine did not simply see that it is there.

    What it saw in a stub only is there unless the installed package lacks it; a block for a GPU runs on another build
    of the release than the one that is installed here.
    """
    if use.sight is Sight.SEEN:
        is_lacking = known.answer == MISSING and piece.example.mark != Mark.GPU
        return Verdict.DRIFT if is_lacking else Verdict.VERIFIED
    if known.answer == EXISTS or (piece.may_lack_names and use.is_value):
        return Verdict.VERIFIED
    if piece.is_fragment:
        is_confirmed = known.answer == MISSING and use.question is not None and bool(use.question.module)
        is_denied = _is_denied(use, known) and use.question is not None and bool(use.question.module)
        return Verdict.DRIFT if is_confirmed or is_denied else _unless_read(use, known)
    if known.answer == MISSING:
        return Verdict.UNVERIFIED if use.question and use.question.is_guess else Verdict.DRIFT
    if _is_denied(use, known) and not (piece.may_lack_names and _is_readers_own(use)):
        return Verdict.DRIFT
    return _unless_read(use, known)


def _is_denied(use: Use, known: Known) -> bool:
    """Whether the engine denies it, and nothing in the text of the packages explains why it may be wrong."""
    if known.is_unpinned or known.reading is Reading.REFUSED:
        return True
    if use.sight is not Sight.DENIED or known.is_rewired or use.rule in UNSURE_RULES:
        return False
    return use.rule not in MEMBER_RULES or known.reading in {None, Reading.ABSENT}


def _unless_read(use: Use, known: Known) -> Verdict:
    """Verified only by what the module's text spells out."""
    is_spelt_out = known.reading is Reading.MADE or (
        known.reading is Reading.BOUND and use.sight is Sight.UNSEEN
    )
    return Verdict.VERIFIED if is_spelt_out and known.answer != MISSING else Verdict.UNVERIFIED


def _is_readers_own(use: Use) -> bool:
    """Whether the denied thing may be the reader's own: a name, a value of a built-in type, an argument left out."""
    classes = use.question.classes if use.question else ()
    if use.question is None or use.is_own or use.rule in SHAPE_RULES:
        return True
    return not use.question.module and all(hasattr(builtins, name) for name in classes)


def _is_of_module(question: Question) -> bool:
    return len(question.path) <= 1 and not question.keywords and question.positional is None
