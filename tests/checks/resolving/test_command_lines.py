"""A shell block as its commands."""

from __future__ import annotations

import pytest

from ai_research_skills.checks.resolving.command_lines import (
    CannotSplit,
    commands,
    has_prompts,
    written_files,
)


def words(source: str) -> list[tuple[str, ...]]:
    return [command.words for command in commands(source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a b  c # d\ne#f", [("a", "b", "c"), ("e#f",)]),
        ("a \\\n  b", [("a", "b")]),
        ("a 'b c' \"d e\" f\\ g", [("a", "b c", "d e", "f g")]),
        ('a "\\d \\"e\\""', [("a", '\\d "e"')]),
        ("a && b || c; d | e &", [("a",), ("b",), ("c",), ("d",), ("e",)]),
        ("a > out.txt 2>&1 < in.txt b", [("a", "b")]),
        ("a &>> out.txt <<< 'text' b", [("a", "b")]),
        ("A=1 B='2 3' a b", [("a", "b")]),
        ("A=(1 'b c' # d\n 2)\na", [("a",)]),
        ("until a b; do sleep 2; done", [("a", "b"), ("sleep", "2")]),
        ("for i in 1 2; do a $i; done", [("a", "$i")]),
        ("for ((i=0; i<3; i++)); do a; done", [("a",)]),
        ("if [[ $x == a && -f b ]]; then c; fi", [("c",)]),
        ("case $x in\n  # d\n  a|b) c ;;\n  *) d\nesac\ne", [("c",), ("d",), ("e",)]),
        ("f() {\n  a 1\n}\nf\nfunction g { b; }\ng", [("a", "1"), ("b",)]),
        ("(a; b) && c", [("a",), ("b",), ("c",)]),
        ("a ''", [("a", "")]),
        ("a $((1 + 2)) ${b:-c d}", [("a", "$((1 + 2))", "${b:-c d}")]),
    ],
)
def test_commands_are_split_as_a_shell_does(source: str, expected: list[tuple[str, ...]]) -> None:
    assert words(source) == expected


@pytest.mark.parametrize(
    "line",
    [
        "sudo -E a b",
        "env -u X Y=1 a b",
        "CUDA_VISIBLE_DEVICES=0 nohup a b &",
        "time a b",
        "timeout -k 5 60 a b",
        "numactl -N 0 --membind=0 a b",
        "srun -N 2 --gpus-per-node 8 --ntasks=16 a b",
        "mpirun -np 4 -x PATH --bind-to none a b",
        "nsys profile -o out --trace=cuda a b",
        "conda run -n x a b",
    ],
)
def test_what_starts_another_command_is_taken_away(line: str) -> None:
    assert words(line) == [("a", "b")]


@pytest.mark.parametrize(
    ("line", "inner"), [("x=$(a b)", "a b"), ('x "$(a b)"', "a b"), ("x `a b`", "a b"), ("x <(a b)", "a b")]
)
def test_the_commands_of_a_substitution_are_commands(line: str, inner: str) -> None:
    assert tuple(inner.split()) in words(line)


def test_a_command_knows_its_line_and_whether_the_shell_changes_it() -> None:
    first, second = commands("a \\\n  b\n\nc \"$HOME\" '$x'")
    assert (first.line, first.expands) == (1, False)
    assert (second.line, second.expands) == (4, True)


def test_a_here_document_is_what_its_command_reads_or_writes() -> None:
    source = "cat > x.yaml <<'END'\na: $b\nEND\npython - <<END | c\nprint(1)\nEND\nd"
    write, read, *rest = commands(source)
    assert (write.words, write.body, write.expands) == (("cat",), "a: $b\n", False)
    assert (read.words, read.body) == (("python", "-"), "print(1)\n")
    assert [command.words for command in rest] == [("c",), ("d",)]
    assert dict(written_files(commands(source))) == {"x.yaml": "a: $b\n"}


def test_a_place_for_the_readers_own_is_noticed() -> None:
    (command,) = commands("a <model name> --to=<folder> ...")
    assert command.gaps == ("<model name>", "<folder>", "...")


def test_only_what_follows_a_prompt_is_a_command() -> None:
    source = "$ a b\nprinted\n(venv) $ c \\\n> d\nprinted too\n"
    assert words(source) == [("a", "b"), ("c", "d")]
    assert [command.line for command in commands(source)] == [1, 3]
    assert has_prompts(source)
    assert not has_prompts("a $HOME\n")


@pytest.mark.parametrize("source", ["a 'b", "cat <<END\nx", "a $(b", "a `b"])
def test_what_is_not_closed_is_not_split(source: str) -> None:
    with pytest.raises(CannotSplit, match="not closed"):
        commands(source)
