"""What becomes of command lines: taken by their own parsers, drifted, or left open with a reason."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pytest

from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.releases.uv_command import find_uv
from ai_research_skills.checks.resolving import own_parser
from ai_research_skills.checks.resolving.containers import command_in_container
from ai_research_skills.checks.resolving.remark import Verdict
from ai_research_skills.checks.resolving.shell import Shell, ShellFindings, resolve_shell, settle
from tests.checks.made_up_release import make_environment

PROGRAMS = {
    "grouped": """
        import click

        @click.group()
        @click.option("--verbose", is_flag=True)
        def main(verbose):
            raise RuntimeError("the group ran")

        @main.command()
        @click.argument("data", type=click.Path(exists=True))
        @click.option("--rate", type=float)
        @click.option("--key", envvar="KEY", required=True)
        def train(data, rate, key):
            raise RuntimeError("the command ran")

        main()
    """,
    "launcher": """
        import argparse, subprocess, sys

        parser = argparse.ArgumentParser()
        parser.add_argument("--gpus", type=int)
        _, rest = parser.parse_known_args()
        subprocess.run([sys.executable, *rest])
    """,
    "strict": """
        import argparse, subprocess

        parser = argparse.ArgumentParser()
        parser.add_argument("--gpus", type=int)
        _, rest = parser.parse_known_args()
        subprocess.run(["true"])
    """,
    "gpu_only": """
        import argparse
        from no_such_driver.kernels import attention

        parser = argparse.ArgumentParser()
        parser.add_argument("--gpus", type=int)
        parser.parse_args()
    """,
    "reading": """
        import argparse

        parser = argparse.ArgumentParser()
        parser.add_argument("data", type=argparse.FileType())
        parser.parse_args()
    """,
    "old_style": """
        import optparse

        parser = optparse.OptionParser()
        parser.add_option("--gpus", type=int)
        parser.parse_args()
    """,
    "mapped": """
        import dataclasses, json, sys
        from transformers.hf_argparser import HfArgumentParser

        @dataclasses.dataclass
        class Arguments:
            model: str = ""
            bf16: bool = False

            def __post_init__(self):
                if self.bf16:
                    raise ValueError("Your setup doesn't support bf16/gpu.")
                if not self.model:
                    raise ValueError("Please provide `model`.")

        with open(sys.argv[1]) as file:
            values = json.load(file)
        HfArgumentParser([Arguments]).parse_dict(values)
    """,
    "wordless": "print('this one looks at its arguments by hand')",
}
"""Modules that are started with `python -m`."""

HF_ARGPARSER = """
import dataclasses


class HfArgumentParser:
    def __init__(self, dataclass_types):
        self.dataclass_types = dataclass_types

    def parse_dict(self, args, allow_extra_keys=False):
        return [kind(**args) for kind in self.dataclass_types]
"""
"""As much of `transformers.hf_argparser` as makes a dataclass of a mapping."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment") / "venv"
    interpreter = make_environment(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    shutil.copytree(Path(click.__file__).parent, packages / "click")
    for name, text in PROGRAMS.items():
        lines = text.splitlines()
        (packages / f"{name}.py").write_text(
            "\n".join(line[8:] for line in lines) if len(lines) > 1 else text
        )
    (packages / "transformers").mkdir()
    (packages / "transformers/__init__.py").touch()
    (packages / "transformers/hf_argparser.py").write_text(HF_ARGPARSER)
    return interpreter


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def block(source: str, language: str = "bash") -> Example:
    return Example(Path("SKILL.md"), language, "", "Use", 0, 0, source)


def found(
    python: Path, source: str, before: Sequence[Example] = (), memory: Path | None = None
) -> ShellFindings:
    shell = Shell(python, find_uv() or "uv", (Pin(distribution="toolbox", version="1.0"),), memory)
    findings = ShellFindings()
    resolve_shell(block(source), before, shell, findings)
    settle(findings, shell)
    return findings


def by_line(findings: ShellFindings) -> Mapping[int, Verdict]:
    return {remark.line: remark.verdict for remark in findings.remarks}


TAKEN = """
python -m grouped --verbose train no/such/folder --rate 0.1 --key x
python -m grouped train here
python -m gpu_only --gpus 2
python -m reading no_such_file.txt
python -m old_style --gpus 2 more
python -m venv --clear .venv
toolbox serve --help
CUDA_VISIBLE_DEVICES=0 nohup toolbox serve M --port 80 > log.txt 2>&1 &
uv run --no-sync toolbox serve M --port 80
bash -c 'toolbox serve M'
for port in 80 81; do toolbox serve M; done
"""

REFUSED = """
python -m grouped --verbos train here --key x
python -m grouped trian here --key x
python -m grouped train here --key x --rat 1
python -m grouped train here --key x --rate fast
python -m grouped train --key x
python -m gpu_only --gpsu 2
python -m strict --gpus 2 --nodse 3
python -m old_style --gpsu 2
python -m venv --cler .venv
toolbox serve M --prot $PORT
python -m toolbox.old_cli
nohup toolbox serve M --prot 80 | tee log.txt
uv run --no-snyc toolbox serve M
uv run --no-sync toolbox serve M --prot 80
uv pip list --outdatde
uv snyc
bash -c 'toolbox serve M --prot 80'
echo $(toolbox serve M --prot 80)
"""

OPEN = """
python -m launcher --gpus 2 train.py --rate 1
python -m wordless --anything
python -m no_such_module
./configure
deepspeed train.py
conda install toolbox
npm install toolbox
toolbox serve <model>
toolbox serve M ...
uvx --from toolbox==1.0 elsewhere --check
python
--port 80
"""


def test_what_parsers_take_is_resolved(python: Path) -> None:
    findings = found(python, TAKEN)
    keyless = 3
    assert by_line(findings) == {keyless: Verdict.UNVERIFIED}, findings.remarks


def test_what_parsers_refuse_is_drift(python: Path) -> None:
    findings = found(python, REFUSED)
    lines = range(2, len(REFUSED.splitlines()) + 1)
    assert by_line(findings) == dict.fromkeys(lines, Verdict.DRIFT), findings.remarks


def test_what_nobody_can_answer_stays_open(python: Path) -> None:
    findings = found(python, OPEN)
    lines = range(2, len(OPEN.splitlines()) + 1)
    assert by_line(findings) == dict.fromkeys(lines, Verdict.UNVERIFIED), findings.remarks


def test_a_program_for_python_is_read_wherever_it_stands(python: Path) -> None:
    findings = found(
        python, "python -u -c 'import a'\npython - <<'END'\nimport b\nEND\npython <<END\n$x\nEND\n"
    )
    assert [(piece.source, piece.line) for piece in findings.pieces] == [("import a", 1), ("import b\n", 3)]
    assert by_line(findings) == {5: Verdict.UNVERIFIED}


def test_a_block_with_prompts_is_judged_but_not_resolved(python: Path) -> None:
    remarks = found(python, "$ toolbox serve M --prot 80\nstarted\n").remarks
    assert [remark.verdict for remark in remarks] == [Verdict.UNVERIFIED, Verdict.DRIFT]


def test_a_file_that_a_command_writes_is_the_one_that_the_next_reads(python: Path) -> None:
    write = "cat > my/serve.json <<'END'\n{\"%s\": 80}\nEND\ntoolbox serve M --config my/serve.json\n"
    assert not found(python, write % "port").remarks
    assert by_line(found(python, write % "prot")) == {4: Verdict.DRIFT}


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ('{"model": "m"}', None),
        ('{"model": "m", "bf16": true}', None),
        ('{"modle": "m", "bf16": true}', Verdict.DRIFT),
    ],
)
def test_keys_are_held_although_this_machine_cannot_serve_the_values(
    python: Path, values: str, verdict: Verdict | None
) -> None:
    remarks = by_line(found(python, f"cat > run.json <<'END'\n{values}\nEND\npython -m mapped run.json\n"))
    assert remarks == ({} if verdict is None else {4: verdict})


def test_a_second_look_starts_nothing(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "toolbox serve M --port 80\npython -m wordless\nuv pip list\nuv pip install toolbox==1.0\n"
    first = found(python, source, memory=tmp_path)

    def started(*_: object, **__: object) -> None:
        raise AssertionError("something was started")

    monkeypatch.setattr(own_parser, "run_inside", started)
    monkeypatch.setattr("subprocess.run", started)
    second = found(python, source, memory=tmp_path)
    assert by_line(second) == by_line(first)


def test_without_the_releases_their_commands_stay_open(python: Path) -> None:
    shell = Shell(None, find_uv() or "uv", (Pin(distribution="toolbox", version="1.0"),))
    findings = ShellFindings()
    resolve_shell(
        block("pip install toolbox==1.0\ntoolbox serve M\npython -m toolbox\nls"), (), shell, findings
    )
    settle(findings, shell)
    assert by_line(findings) == {2: Verdict.UNVERIFIED, 3: Verdict.UNVERIFIED}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("docker run --gpus all -p 8000:8000 vllm/vllm-openai:v1 --model M", "vllm serve --model M"),
        ("docker run --rm --entrypoint vllm vllm/vllm-openai bench", "vllm bench"),
        ("docker run -it --shm-size=1g lmsysorg/sglang:latest python3 -m x", "python3 -m x"),
        ("docker run ubuntu ls", None),
        ("docker ps", None),
    ],
)
def test_the_arguments_of_a_known_image_are_those_of_its_release(line: str, expected: str | None) -> None:
    command = command_in_container(line.split())
    assert command == (tuple(expected.split()) if expected else None)
