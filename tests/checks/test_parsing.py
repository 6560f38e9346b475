"""Level 1: a parser of the language accepts the example, or says where on the page it does not and why."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ai_research_skills.catalog.example import Example
from ai_research_skills.checks.parsing import (
    LANGUAGES,
    DoesNotParse,
    Parsed,
    engines,
    parse_all,
    parses,
    tools,
)

FENCE = 40
"""Line of the fence of every example here."""

CASES = {
    "python": ("x = r'1'\nprint(\n    ...)", "x = 1\nfor x in y\n    pass", 2, "expected ':'"),
    "bash": ("for i in 1 2; do echo $i; done", "ls\nif true; then\nls", 3, "syntax error"),
    "sh": ("ls", "if true; then", 1, "syntax error"),
    "yaml": ("a: 1\nb: [1, 2]", "a: 1\nb: [1", 2, "flow sequence"),
    "json": ('{"a": 1}', '{\n"a": }', 2, "Expecting value"),
    "jsonc": ('{"a": "//", // b\n /* c\n */ "d": [1,],}', '{\n/*\n*/"a": }', 3, "Expecting value"),
    "jsonl": ('{"a": 1}\n\n[2]\n', '{"a": 1}\n{"a"}', 2, "Expecting ':'"),
    "toml": ("a = 1", "a = 1\nb = ", 2, "Invalid value"),
    "ini": ("[a]\nb = 100%", "b = 1", 1, "before any [section]"),
    "diff": ("- old\n+ new\n same", "- old\nold", 2, "starts with 'o'"),
    "dockerfile": ("FROM a:1\nRUN ls", "FROM a:1\nRUNN ls", 2, "missing whitespace"),
}


def example(language: str, source: str, index: int = 0) -> Example:
    return Example(Path("SKILL.md"), language, "", "Title", FENCE, index, source)


def parsed(language: str, source: str) -> Parsed:
    (found,) = parse_all([example(language, source)]).values()
    return found


def test_every_language_has_a_case() -> None:
    assert set(CASES) == LANGUAGES


@pytest.mark.parametrize("language", CASES)
def test_accepts_what_parses_and_names_what_does_not_with_its_line_on_the_page(language: str) -> None:
    good, bad, line, said = CASES[language]
    assert parses(example(language, good))
    found = parsed(language, bad)
    assert not found.is_parsed
    assert found.fault is not None
    assert found.fault.startswith(f"is not valid {language}: ")
    assert said in found.fault
    assert found.line == FENCE + line
    assert found.mend
    with pytest.raises(DoesNotParse, match=f"is not valid {language}"):
        parses(example(language, bad))


def test_many_examples_are_each_told_their_own_fault() -> None:
    examples = [
        example(language, text, index)
        for index, (language, text) in enumerate(
            (language, text) for language, (good, bad, *_) in CASES.items() for text in (good, bad, good)
        )
    ]
    found = parse_all(examples)
    assert list(found) == examples
    assert [found[one].is_parsed for one in examples] == [True, False, True] * len(CASES)


def test_every_engine_has_a_version_and_every_example_names_its_engines() -> None:
    versions = engines()
    for language, (good, *_) in CASES.items():
        by = parsed(language, good).by
        assert by
        assert set(by) <= versions.keys()
    assert parsed("bash", "ls").by == ("bash", "shellcheck")


@pytest.mark.parametrize("language", ["cobol", "zsh", "json5", "text", "console", ""])
def test_what_no_parser_knows_is_not_called_parsed(language: str) -> None:
    assert parsed(language, "x") == Parsed()
    assert not parses(example(language, "x"))


def test_what_the_page_does_not_run_as_a_script_is_no_python() -> None:
    assert "'await' outside function" in str(parsed("python", "await x()").fault)
    assert "'return' outside function" in str(parsed("python", "return 1").fault)


def test_a_warning_of_the_compiler_is_no_fault(recwarn: pytest.WarningsRecorder) -> None:
    assert parsed("python", r"pattern = '\d'; x = 1 is 1").is_parsed
    assert not recwarn.list


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("[ -f x] && ls", "SC1019"),
        ("model = vllm", "Remove spaces around = to assign"),
        ("cat <<END\nx", "Couldn't find end token `END'"),
        ("outputs/", "command name ending with '/'"),
        ("cat <run>/<task>.json", "Multiple redirections"),
        ("kill -9 <PID>", "syntax error near unexpected token `newline'"),
    ],
)
def test_shell_that_no_one_can_run_is_found(source: str, said: str) -> None:
    assert said in str(parsed("bash", source).fault)


@pytest.mark.parametrize("source", ["kill -9 <PID>", "cat <run>/<task>.json"])
def test_a_placeholder_that_the_shell_takes_for_a_redirection_is_explained(source: str) -> None:
    assert "$NAME" in parsed("bash", source).mend


@pytest.mark.parametrize(
    "source",
    [
        "vllm serve $MODEL --port ${PORT:-80}",
        "python train.py ${ARGUMENTS[@]}",
        "for file in $(ls *.json); do echo $file; done",
        "python - <<'END'\nx = = 1\nEND",
        "cd $FOLDER\nrm -rf *",
        "export A=1 B='two'\n\n# comment\nls | tee log.txt 2>&1",
    ],
)
def test_advice_about_shell_is_no_fault(source: str) -> None:
    assert parsed("bash", source) == Parsed(("bash", "shellcheck"))


def test_shell_is_never_run(tmp_path: Path) -> None:
    target = tmp_path / "made"
    parse_all([example("bash", f"touch {target}; }}\ntouch {target}"), example("bash", f"touch {target}", 1)])
    assert not target.exists()


@pytest.mark.parametrize(
    ("tool", "language"),
    [("bash", "bash"), ("shellcheck", "bash"), ("shellcheck", "sh"), ("hadolint", "dockerfile")],
)
def test_a_missing_program_is_named_and_nothing_is_called_parsed(
    monkeypatch: pytest.MonkeyPatch, tool: str, language: str
) -> None:
    find = tools.find_tool

    def find_all_but_one(name: str) -> str:
        if name == tool:
            raise tools.NoTool(name)
        return find(name)

    monkeypatch.setattr(tools, "find_tool", find_all_but_one)
    found = parsed(language, CASES[language][0])
    assert not found.is_parsed
    assert found.fault == f"cannot be checked: {tool} is not installed"
    assert "install" in found.mend


@pytest.mark.parametrize(
    "source",
    [
        "base: &base\n  a: 1\nother:\n  <<: *base\n  b: 2",
        "job: !reference [.setup, script]\nkey: !ENV ${HOME}\nx: !!python/object:os.system {}",
        "a: 1\n---\na: 2\n...\n",
        "1: a\n'1': b",
        "? [1, 2]\n: pair",
        "",
    ],
)
def test_yaml_of_every_kind_is_read(source: str) -> None:
    assert parsed("yaml", source).is_parsed


@pytest.mark.parametrize(
    ("language", "source", "line"),
    [
        ("yaml", "a:\n  b: 1\n  c: 2\n  'b': 3", 4),
        ("yaml", "- a: {x: 1, x: 2}", 1),
        ("json", '{"a": 1,\n"b": {"é": 1,\n"é": 2}}', 3),
        ("jsonl", '{"a": 1}\n{"a": 1, "a": 2}', 2),
        ("toml", "a = 1\na = 2", 2),
        ("ini", "[a]\nb = 1\nb = 2", 3),
        ("ini", "[a]\nb = 1\n[a]", 3),
    ],
)
def test_a_key_that_stands_twice_is_a_fault(language: str, source: str, line: int) -> None:
    found = parsed(language, source)
    assert found.fault
    assert found.line == FENCE + line


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_json_has_no_such_number(constant: str) -> None:
    assert f"{constant} is no JSON value" in str(parsed("json", f'{{"a": {constant}}}').fault)


FULL_DIFF = """\
diff --git a/x.py b/x.py
index 83db48f..bf269f4 100644
--- a/x.py
+++ b/x.py
@@ -1,3 +1,3 @@ def f():
 a

-b
+c
@@ -9 +9,2 @@
-d
+d
+e
\\ No newline at end of file
--- a/y.py
+++ b/y.py
@@ -0,0 +1 @@
+--- z
"""


def test_a_full_diff_is_read() -> None:
    assert parsed("diff", FULL_DIFF).is_parsed


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("@@ -1,3 +1,3 @@", "@@ -1,4 +1,4 @@", 5),
        ("@@ -1,3 +1,3 @@", "@@ -1,2 +1,2 @@", 8),
        ("@@ -9 +9,2 @@", "@@ -9 +9,2", 10),
        ("+c\n", "+c\n+more\n", 10),
        (" a\n", "a\n", 6),
        ("@@ -0,0 +1 @@", "@@ -0,0 +1,2 @@", 17),
    ],
)
def test_a_hunk_that_has_not_the_lines_that_it_says_is_found(old: str, new: str, line: int) -> None:
    found = parsed("diff", FULL_DIFF.replace(old, new, 1))
    assert found.fault
    assert found.line == FENCE + line


@pytest.mark.parametrize(
    "source",
    [
        "# syntax=docker/dockerfile:1\nFROM a:1\nCOPY <<END /x\nFORM b\nEND\nRUN <<END\nls\nEND\nWORKDIR /a",
        "FROM a\nRUN apt-get install x\nADD http://x /\n# hadolint ignore=DL3008\nCMD ls",
        "ARG V=1\nFROM a:$V AS b\nRUN --mount=type=cache,target=/root \\\n    pip install .",
    ],
)
def test_a_dockerfile_need_not_be_in_good_style(source: str) -> None:
    assert parsed("dockerfile", source) == Parsed(("hadolint",))


def test_a_heredoc_of_a_dockerfile_that_nothing_ends_is_found() -> None:
    assert parsed("dockerfile", "FROM a:1\nCOPY <<END /x\nhello\nWORKDIR /a").fault


DEEP = 40_000
HOSTILE = {
    "python": ["(" * DEEP, "-" * DEEP + "1", "x" + ".a" * DEEP, "f(" * 90 + "{" * 90, "x = " + "9" * 5_000],
    "json": ["[" * DEEP, '{"a":' * DEEP, "9" * 5_000],
    "jsonc": ["/*" * DEEP, '"' * 9_999],
    "toml": ["a = " + "[" * DEEP, "a = " + "9" * 5_000, "[" + "a." * 4_000 + "a]\nb"],
    "yaml": ["[" * DEEP, "- " * DEEP, "{a: " * DEEP, "a: \x07"],
    "ini": ["[a]\na" + " " * 9_000 + "a"],
    "bash": ["$(" * 3_000, "( " * 3_000],
    "dockerfile": ["ONBUILD " * 5_000],
}


@pytest.mark.parametrize(
    ("language", "source"), [(name, text) for name, all in HOSTILE.items() for text in all]
)
@pytest.mark.parametrize("broken_lines", [False, True])
def test_hostile_text_is_a_fault_and_is_soon_refused(language: str, source: str, broken_lines: bool) -> None:
    started = time.perf_counter()
    text = (
        "\n".join(source[at : at + 5_000] for at in range(0, len(source), 5_000)) if broken_lines else source
    )
    assert parsed(language, text).fault
    assert time.perf_counter() - started < 10


def test_aliases_are_never_written_out() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
    assert parsed("yaml", bomb).is_parsed
    assert parsed("yaml", "&a [*a]").is_parsed


@pytest.mark.parametrize("language", CASES)
@pytest.mark.parametrize(
    ("text", "said"),
    [("#\n# \0", "a NUL character"), ("#\n# \ud800", "surrogate"), ("#\n# " + "x" * 20_000, "10,000")],
)
def test_text_that_no_parser_should_be_given_is_refused(language: str, text: str, said: str) -> None:
    found = parsed(language, text)
    assert not found.is_parsed
    assert said in str(found.fault)
    assert found.line == FENCE + 2


def test_one_text_that_holds_up_a_program_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "BATCH_SECONDS", 1.0)
    monkeypatch.setattr(tools, "ALONE_SECONDS", 1.0)
    held_up = example("bash", "echo " + "{a," * 3_000)
    others = [example("bash", "ls", 1), example("bash", "x = 1", 2)]
    found = parse_all([others[0], held_up, others[1]])
    assert found[others[0]].is_parsed
    assert "did not come to an end" in str(found[held_up].fault)
    assert "spaces around =" in str(found[others[1]].fault)
