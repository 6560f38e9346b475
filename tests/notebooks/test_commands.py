"""The commands that a notebook shows for other servers: what the pinned releases make of them.

vLLM's goes to its own parser, as the examples of the skill `vllm` do. SGLang is no skill's pin, and its parser imports
kernels: the flags are read out of the text of the release, where each is a field of a namespace.
"""

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from ai_research_skills.catalog.skill import Pin
from ai_research_skills.catalog.tree import load_tree
from ai_research_skills.checks.bench import bench_of
from ai_research_skills.checks.releases.artifacts import artifact_folder
from ai_research_skills.checks.releases.closure import closure
from ai_research_skills.checks.releases.environment import command_memory
from ai_research_skills.checks.resolving.own_parser import CommandLine, ask_parsers
from ai_research_skills.checks.resolving.parser_probe import ACCEPTED, REJECTED
from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks/serving/real-servers.ipynb"
SGLANG = Pin(distribution="sglang", version="0.5.23")
"""The release that the notebook names."""


def commands() -> Mapping[str, tuple[str, ...]]:
    """The commands of the notebook, as they stand in it."""
    found = {}
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "VLLM = [" in source:
            for node in ast.parse(source).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    name = node.targets[0].id
                    if name in {"VLLM", "SGLANG"}:
                        found[name] = tuple(ast.literal_eval(node.value))
    return found


def other_flags(column: int) -> set[str]:
    """Flags that the table of the notebook names and its commands leave at their defaults."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    rows = re.findall(r'\(\\"\w+\\", \\"\w+\\", \\"(--[\w-]+)\\", \\"(--[\w-]+)?\\"\),', text)
    return {row[column] for row in rows} - {""}


def sglang_fields(folder: Path) -> dict[str, bool]:
    """Every flag of `sglang.launch_server`, and whether it takes a value.

    A flag is a field of a namespace in `arg_groups/fields`, unless the field says `no_cli=True`; a field of type `bool`
    takes no value.
    """
    found = {}
    for path in sorted((folder / "sglang/srt/arg_groups/fields").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                annotation = ast.unparse(node.annotation)
                if annotation.startswith("A[") and "no_cli=True" not in annotation:
                    flag = f"--{node.target.id.replace('_', '-')}"
                    found[flag] = not annotation.startswith("A[bool,")
    return found


def unknown(words: tuple[str, ...], flags: Mapping[str, bool]) -> list[str]:
    """Words that no flag explains: unknown flags, and values that are missing or too many."""
    wrong, at = [], 0
    while at < len(words):
        flag, has_value = words[at], at + 1 < len(words) and not words[at + 1].startswith("--")
        if flag not in flags or flags[flag] is not has_value:
            wrong.append(flag)
        at += 2 if has_value else 1
    return wrong


def test_the_commands_and_their_table_are_found() -> None:
    assert set(commands()) == {"VLLM", "SGLANG"}
    assert {"--max-num-seqs", "--enforce-eager"} <= other_flags(0)
    assert {"--max-running-requests", "--disable-decode-cuda-graph"} <= other_flags(1)


def test_a_wrong_command_is_found_out() -> None:
    flags = {"--dtype": True, "--enable-mixed-chunk": False}
    assert unknown(("--dtype", "float16", "--enable-mixed-chunk"), flags) == []
    assert unknown(("--d-type", "float16"), flags) == ["--d-type"]
    assert unknown(("--dtype", "--enable-mixed-chunk"), flags) == ["--dtype"]
    assert unknown(("--enable-mixed-chunk", "1"), flags) == ["--enable-mixed-chunk"]


@pytest.mark.registry
@pytest.mark.slow
def test_vllm_takes_its_command() -> None:
    tree = load_tree(ROOT)
    bench = bench_of(tree.by_name["vllm"], tree.evidence["vllm"])
    assert bench.environment is not None, bench.refusal
    command = commands()["VLLM"]
    tried = (command, (*command, "--enforce-eager"), (*command, "--max-num-sequences", "8"))
    lines = [CommandLine(words, {}) for words in tried]
    *good, bad = ask_parsers(bench.environment.python, lines, command_memory(bench.environment))
    assert [answer.outcome for answer in good] == [ACCEPTED] * len(good), good
    assert bad.outcome == REJECTED, "a parser that takes anything proves nothing"


@pytest.mark.registry
def test_sglang_has_the_flags_of_its_command() -> None:
    artifact = next(
        each for each in closure((SGLANG,), "3.12").artifacts if each.distribution == SGLANG.distribution
    )
    flags = sglang_fields(artifact_folder(artifact))
    command = commands()["SGLANG"]
    assert command[:3] == ("python", "-m", "sglang.launch_server")
    assert not unknown(command[3:], flags)
    assert other_flags(1) <= set(flags)
