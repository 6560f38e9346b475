"""Level 2 where nothing is installed or asked, on pages that were not written as programs, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.resolving import installed as installed_packages
from ai_research_skills.checks.resolving.installed import ask_packages, asking
from ai_research_skills.checks.resolving.package_probe import EXISTS, UNSEEN
from ai_research_skills.checks.resolving.programs import block_piece, isolated_programs, page_programs
from ai_research_skills.checks.resolving.python import Releases, resolve
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.sightings import Question
from ai_research_skills.checks.resolving.suggestions import deprecation, nearest
from tests.checks.made_up_release import make_environment

PAGE = Path("page.md")
MORE = {
    "toolbox/deep/__init__.py": "from toolbox.deep.inner import Engine\n",
    "toolbox/deep/inner.py": "class Engine: ...\n",
    "shared_space/one/__init__.py": "",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = make_environment(tmp_path_factory.mktemp("environment"))
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    for name, text in MORE.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text, encoding="utf-8")
    return python


def blocks(*sources: str, mark: str = "") -> list[Example]:
    return [
        Example(PAGE, "python", mark, "", 10 * number, number, source)
        for number, source in enumerate(sources, 1)
    ]


def remarks(examples: Sequence[Example], releases: Releases, *, isolated: bool = False) -> tuple[Remark, ...]:
    pieces = [piece for example in examples if (piece := block_piece(example))]
    programs = isolated_programs(pieces) if isolated else page_programs(pieces)
    return resolve(list(programs), examples, releases, {})


def only_read(python: Path) -> Releases:
    return Releases(python.parent.parent)


@pytest.mark.parametrize(
    "source",
    [
        "from toolbox import Machine\nMachine(speed=2).run(steps=3).total",
        "import toolbox\ntoolbox.Lazy",
        "from toolbox import Lazy",
        "from toolbox import connect\nconnect('a', retries=1)",
    ],
)
def test_what_the_text_of_a_release_shows_needs_nobody_to_be_asked(python: Path, source: str) -> None:
    assert not remarks(blocks(source), only_read(python))


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("from toolbox import passes\npasses(velocity=3)", "passes(velocity=...)"),
        ("import toolbox\ntoolbox.Lasy", "toolbox.Lasy"),
        ("from toolbox import Hidden", "toolbox.Hidden"),
    ],
)
def test_what_only_importing_would_show_stays_open(python: Path, source: str, use: str) -> None:
    (remark,) = remarks(blocks(source), only_read(python))
    assert (remark.verdict, remark.use) == (Verdict.UNVERIFIED, use)


@pytest.mark.parametrize(
    ("source", "use", "suggestion"),
    [
        ("from toolbox import Machine\nMachine(sped=2)", "Machine(sped=...)", "`sped` → `speed`"),
        ("from toolbox import Machine\nMachine().runn(1)", "Machine().runn", "`runn` → `run`"),
        ("from toolbox.core import Machin", "toolbox.core.Machin", "`Machin` → `Machine`"),
        ("from toolbox.core import Engine", "toolbox.core.Engine", "`Engine` is in `toolbox.deep`"),
        ("def never():\n    return nowhere", "nowhere", ""),
    ],
)
def test_what_the_text_of_a_release_denies_is_drift_with_what_to_write_instead(
    python: Path, source: str, use: str, suggestion: str
) -> None:
    (remark,) = remarks(blocks(source), only_read(python))
    assert (remark.verdict, remark.use, remark.suggestion) == (Verdict.DRIFT, use, suggestion)
    assert not remark.is_unpinned
    assert remark.package == ("" if use == "nowhere" else "toolbox")


@pytest.mark.parametrize("source", ["import elsewhere.deep", "from shared_space.two import thing"])
def test_a_module_of_no_pinned_distribution_is_told_from_one_that_is_gone(python: Path, source: str) -> None:
    found = remarks(blocks(source), only_read(python))
    assert {(one.verdict, one.is_unpinned, one.suggestion) for one in found} == {
        (Verdict.DRIFT, True, "add its distribution to the pins")
    }
    (gone,) = remarks(blocks("import toolbox.nothing"), only_read(python))
    assert not gone.is_unpinned


def test_an_isolated_block_has_the_imports_above_it_and_names_of_the_reader_s_own(python: Path) -> None:
    page = blocks(
        "from toolbox import Machine\nclass Config: ...",
        "Machine(speed=1).run(steps)\nprint(dataset.rows)",
        "class Config:\n    def __init__(self, size): ...",
        "Config(size=1)",
    )
    assert not [
        one for one in remarks(page, only_read(python), isolated=True) if one.verdict is Verdict.DRIFT
    ]
    drifted = remarks(
        blocks("from toolbox import Machine", "Machine(velocity=1)"), only_read(python), isolated=True
    )
    assert [(one.line, one.verdict) for one in drifted] == [(21, Verdict.DRIFT)]


@pytest.mark.parametrize(
    "source",
    [
        "x = '\\x0c'\nnowhere",
        "x = 1\x0c\nnowhere",
        "s = f'{1:{2}}'\nnowhere",
        "'\\d'\nnowhere",
        "x: int\nnowhere",
    ],
)
def test_odd_blocks_are_read_like_any_other(python: Path, source: str) -> None:
    (remark,) = remarks(blocks(source, mark="title=example.py"), only_read(python))
    assert (remark.use, remark.line) == ("nowhere", 12)


@pytest.mark.parametrize("source", ["def f(:", "x = \0", "(" * 300 + ")" * 300, ">>> x"])
def test_what_is_no_python_is_no_piece(source: str) -> None:
    assert block_piece(blocks(source)[0]) is None


def test_an_environment_is_made_only_when_there_is_something_to_ask(python: Path) -> None:
    made = []

    def make() -> Path:
        made.append(1)
        return python

    releases = Releases(python.parent.parent, (), asking(make))
    assert not remarks(blocks("from toolbox import Machine\nMachine(speed=1)"), releases)
    assert not made
    assert not remarks(blocks("from toolbox import Hidden"), releases)
    assert made
    assert asking(lambda: None)([], [Question("toolbox", ("Hidden",))]) == (UNSEEN,)


def test_what_an_environment_of_the_cache_answered_is_remembered(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question("toolbox", ("Hidden",))
    mark = python.parent.parent / "complete"
    mark.touch()
    try:
        assert ask_packages(python, ["toolbox"], [question]) == (EXISTS,)
        monkeypatch.setattr(installed_packages, "run_inside", lambda *_: pytest.fail("asked again"))
        assert ask_packages(python, ["toolbox"], [question]) == (EXISTS,)
    finally:
        mark.unlink()


@pytest.mark.parametrize(
    ("name", "candidates", "offered"),
    [
        ("max_seq_length", ["max_length", "seed"], "max_length"),
        ("evaluation_strategy", ["eval_strategy", "save_strategy"], "eval_strategy"),
        ("Machin", ["Machine", "Motor"], "Machine"),
        ("tokenizer", ["processing_class", "args"], ""),
        ("PPOTrainer", ["DPOTrainer", "GRPOTrainer"], ""),
        ("PPOConfig", ["DPOConfig"], ""),
        ("checkpoint_num_layers", ["recompute_num_layers"], ""),
    ],
)
def test_the_nearest_name_is_offered_only_if_it_is_the_same_word_for_word(
    name: str, candidates: list[str], offered: str
) -> None:
    assert nearest(name, candidates) == (f"`{name}` → `{offered}`" if offered else "")


def test_the_words_with_which_a_release_announced_it_are_found(tmp_path: Path) -> None:
    (tmp_path / "trainer.py").write_text(
        "import warnings\ndef f(tokenizer=None, seed=0):\n    if tokenizer:\n"
        "        warnings.warn('`tokenizer` is deprecated and will be removed. Use `processing_class` instead.')\n"
    )
    assert deprecation(tmp_path, "tokenizer") == (
        "`tokenizer` is deprecated and will be removed. Use `processing_class` instead."
    )
    assert deprecation(tmp_path, "seed") == ""
