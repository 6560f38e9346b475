"""Configuration files on a page, held against the keys that a release knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.resolving.config_schemas import ask_schemas, asked_config
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from tests.checks.made_up_release import make_environment

PACKAGES = {
    "peft/__init__.py": """
from dataclasses import dataclass
from enum import Enum


class PeftType(Enum):
    LORA = "LORA"


@dataclass
class LoraConfig:
    peft_type: str = "LORA"
    r: int = 8
    lora_alpha: int = 8


PEFT_TYPE_TO_CONFIG_MAPPING = {PeftType.LORA: LoraConfig}
""",
    "accelerate/__init__.py": "",
    "accelerate/commands/__init__.py": "",
    "accelerate/commands/launch.py": """
import argparse


def launch_command_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fsdp_version")
    return parser
""",
    "accelerate/commands/config/__init__.py": "",
    "accelerate/commands/config/config_args.py": """
from dataclasses import dataclass, field


@dataclass
class ClusterConfig:
    distributed_type: str
    num_processes: int
    mixed_precision: str = "no"
    fsdp_config: dict = field(default_factory=dict)


@dataclass
class SageMakerConfig:
    profile: str
""",
}

DEEPSPEED = {
    "deepspeed/runtime/constants.py": 'TRAIN_MICRO = "train_micro_batch_size_per_gpu"\nOPTIMIZER = "optimizer"\nP = "params"\n',
    "deepspeed/runtime/zero/config.py": 'ZERO = "zero_optimization"\n\n\nclass Zero:\n    stage: int = 0\n',
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment") / "venv"
    interpreter = make_environment(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    write(packages, PACKAGES)
    return interpreter


def block(language: str, source: str) -> Example:
    return Example(Path("SKILL.md"), language, "", "Use", 0, 0, source)


def pins(*names: str) -> list[Pin]:
    return [Pin(distribution=name, version="1.0") for name in names]


def held(python: Path, example: Example, *names: str, sources: tuple[Path, ...] = ()) -> tuple[Remark, ...]:
    asked = asked_config(example, pins(*names))
    assert asked
    (answer,) = ask_schemas(python, [asked], None, sources)
    assert answer.is_read is not bool(answer.remarks)
    return answer.remarks


ADAPTER = '{"peft_type": "LORA",\n "r": 8,\n "%s": 16}'
MACHINE = "distributed_type: FSDP\nnum_processes: 8\nfsdp_config:\n  %s: 2\n"
ZERO = '{"train_micro_batch_size_per_gpu": 1, "optimizer": {"params": {"anything": 1}},\n "zero_optimization": {"%s": 3}}'


@pytest.mark.parametrize(
    ("distribution", "language", "text", "right", "wrong", "line"),
    [
        ("peft", "json", ADAPTER, "lora_alpha", "lora_alhpa", 3),
        ("accelerate", "yaml", MACHINE, "fsdp_version", "fsdp_verison", 4),
    ],
)
def test_a_key_that_the_release_does_not_know_is_drift(
    python: Path, distribution: str, language: str, text: str, right: str, wrong: str, line: int
) -> None:
    assert not held(python, block(language, text % right), distribution)
    (remark,) = held(python, block(language, text % wrong), distribution)
    assert (remark.verdict, remark.line) == (Verdict.DRIFT, line)
    assert (wrong in remark.text, remark.suggestion) == (True, f"`{wrong}` → `{right}`")


def test_a_release_that_cannot_be_installed_is_read_from_its_source(python: Path, tmp_path: Path) -> None:
    write(tmp_path, DEEPSPEED)
    assert not held(python, block("json", ZERO % "stage"), "deepspeed", sources=(tmp_path,))
    (remark,) = held(python, block("json", ZERO % "stagee"), "deepspeed", sources=(tmp_path,))
    assert (remark.verdict, remark.line, remark.suggestion) == (Verdict.DRIFT, 2, "`stagee` → `stage`")


def test_without_the_release_nobody_can_tell(python: Path) -> None:
    (remark,) = held(python, block("json", ZERO % "stage"), "deepspeed")
    assert remark.verdict is Verdict.UNVERIFIED


@pytest.mark.parametrize(
    ("language", "source", "distribution"),
    [
        ("json", ADAPTER % "lora_alpha", "accelerate"),
        ("json", '{"r": 8}', "peft"),
        ("json", "[1]", "peft"),
        ("json", "{", "peft"),
        ("yaml", "a: [", "accelerate"),
        ("text", ADAPTER % "lora_alpha", "peft"),
    ],
)
def test_other_data_is_left_as_it_is(language: str, source: str, distribution: str) -> None:
    assert asked_config(block(language, source), pins(distribution)) is None
