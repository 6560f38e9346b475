"""Configuration files on a page, held against the keys that a pinned release knows in such a file.

A block is recognised by keys that only one kind of file has, if the release that reads it is pinned. A key that the
release does not know is drift; values are not looked at. A block of no known kind is left as it is.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ai_research_skills.catalog.example import Example
from ai_research_skills.catalog.skill import Pin
from ai_research_skills.checks.resolving import config_probe
from ai_research_skills.checks.resolving.memory import Memory
from ai_research_skills.checks.resolving.remark import Remark, Verdict
from ai_research_skills.checks.resolving.suggestions import nearest
from ai_research_skills.checks.running.isolated import run_inside

TIMEOUT = 300
"""Seconds for the keys of all kinds of file; most of them go into importing."""

Known = Mapping[str, Any]


@dataclass(frozen=True)
class Schema:
    """One kind of configuration file.

    Attributes:
        name: Its name in `config_probe.SCHEMAS`.
        distribution: The release that reads it.
        recognises: Whether a mapping is such a file.
        kind: The key whose value says which fields there are.
        refuses: Whether another key is a fault. Where the release keeps any key that it finds, nobody can tell.
        free: Keys below which anything may stand.
        sources: What of the release's files names keys, where the release cannot be installed.
    """

    name: str
    distribution: str
    recognises: Callable[[Mapping[str, Any]], bool]
    kind: str = ""
    refuses: bool = True
    free: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()


def _has_all(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: all(key in data for key in keys)


def _has_any(*keys: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: any(key in data for key in keys)


def _both(
    first: Callable[[Mapping[str, Any]], bool], second: Callable[[Mapping[str, Any]], bool]
) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: first(data) and second(data)


SCHEMAS = (
    Schema(
        "deepspeed",
        "deepspeed",
        _has_any("zero_optimization", "train_micro_batch_size_per_gpu"),
        free=frozenset({"params", "different_groups"}),
        sources=("*config*.py", "*constants*.py"),
    ),
    Schema(
        "accelerate",
        "accelerate",
        _both(
            _has_any("compute_environment", "distributed_type"),
            _has_any("num_processes", "num_machines", "mixed_precision", "fsdp_config", "deepspeed_config"),
        ),
    ),
    Schema("peft", "peft", _has_all("peft_type"), kind="peft_type"),
    Schema(
        "transformers",
        "transformers",
        _has_all("model_type", "architectures"),
        kind="model_type",
        refuses=False,
    ),
    Schema("generation", "transformers", _has_all("transformers_version", "eos_token_id"), refuses=False),
    Schema("llamafactory", "llamafactory", _both(_has_any("stage", "template"), _has_any("finetuning_type"))),
    Schema(
        "axolotl",
        "axolotl",
        _both(_has_any("base_model"), _has_any("datasets", "adapter", "micro_batch_size", "sequence_len")),
        sources=("utils/schemas/**/*.py", "integrations/**/args.py"),
        free=frozenset({"model_kwargs", "optim_args", "lr_scheduler_kwargs", "chat_template_kwargs", "env"}),
    ),
    Schema(
        "lm_eval", "lm-eval", _both(_has_all("task"), _has_any("doc_to_text", "dataset_path", "output_type"))
    ),
    Schema("trl", "trl", _both(_has_all("model_name_or_path"), _has_any("dataset_name", "datasets"))),
)
"""The kinds of file that are known here, the more telling first."""


@dataclass(frozen=True)
class AskedConfig:
    """A data block that is a configuration file of a pinned release."""

    example: Example
    schema: Schema
    data: Mapping[str, Any]

    @property
    def question(self) -> str:
        """The name under which the probe knows what is asked."""
        kind = f":{self.data[self.schema.kind]}" if self.schema.kind else ""
        return f"{self.schema.name}{kind}"


@dataclass(frozen=True)
class ConfigAnswer:
    """Whether the release's keys were known and all keys of the block are among them, and what is wrong."""

    is_read: bool
    remarks: tuple[Remark, ...]


def asked_config(example: Example, pins: Sequence[Pin]) -> AskedConfig | None:
    """The kind of configuration file that `example` is, if a pinned release reads it."""
    data = _loaded(example)
    pinned = {pin.distribution for pin in pins}
    for schema in SCHEMAS:
        if data and schema.distribution in pinned and schema.recognises(data):
            return AskedConfig(example, schema, data)
    return None


def _loaded(example: Example) -> Mapping[str, Any] | None:
    try:
        match example.language:
            case "json":
                data = json.loads(example.source)
            case "toml":
                data = tomllib.loads(example.source)
            case "yaml" | "yml":
                data = yaml.safe_load(example.source)
            case _:
                return None
    except (ValueError, yaml.YAMLError):
        return None
    return data if isinstance(data, dict) and all(isinstance(key, str) for key in data) else None


def ask_schemas(
    python: Path | None, asked: Sequence[AskedConfig], memory: Path | None, sources: Sequence[Path] = ()
) -> list[ConfigAnswer]:
    """What the releases in `python` know of the keys of each block.

    Args:
        python: The interpreter of the environment of the pins, or None if they are not installed.
        asked: The blocks.
        memory: Where answers are kept, or None.
        sources: Folders with the files of pinned releases that cannot be installed.
    """
    known = _known(python, sorted({one.question for one in asked}), memory) if python else {}
    return [_answer(one, known.get(one.question) or _from_sources(one.schema, sources)) for one in asked]


def _known(python: Path | None, questions: Sequence[str], memory: Path | None) -> Mapping[str, Known | None]:
    if python is None:
        return {}
    kept = Memory(memory, Path(config_probe.__file__).read_text(encoding="utf-8"))
    recalled = {question: kept.recall(question) for question in questions}
    new = [question for question, answer in recalled.items() if answer is None]
    found = (run_inside(python, config_probe.__file__, new, TIMEOUT) or {}) if new else {}
    kept.keep({json.dumps(question): {"known": known} for question, known in found.items()})
    answers = {question: answer["known"] for question, answer in recalled.items() if answer is not None}
    return answers | found


def _from_sources(schema: Schema, sources: Sequence[Path]) -> Known | None:
    for folder in sources:
        if schema.sources and (folder / schema.distribution).is_dir():
            return config_probe.fields_in_files(folder / schema.distribution, schema.sources)
    return None


def _answer(asked: AskedConfig, known: Known | None) -> ConfigAnswer:
    example, schema = asked.example, asked.schema
    if not known or not any(known.values()):
        text = f"the keys that {schema.distribution} knows in this file cannot be asked for here"
        return ConfigAnswer(False, (Remark(example, example.line, Verdict.UNVERIFIED, text),))
    remarks = [
        Remark(
            example,
            _line_of(example, path),
            Verdict.DRIFT if schema.refuses else Verdict.UNVERIFIED,
            f"`{'.'.join(path)}` is no key that {schema.distribution} knows in this file",
            nearest(path[-1], names),
        )
        for path, names in _unknown(asked.data, known, schema.free, ())
    ]
    return ConfigAnswer(not remarks, tuple(remarks))


def _unknown(
    data: Any, known: Known, free: frozenset[str], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Sequence[str]]]:
    """The keys that are not known, each with its path and those that are."""
    if isinstance(data, list):
        for item in data:
            yield from _unknown(item, known, free, path)
    if not isinstance(data, dict):
        return
    names = known.get("anywhere") or list(known["fields"])
    for key, value in data.items():
        here = (*path, str(key))
        if key not in names:
            yield here, names
        elif "anywhere" in known and key not in free:
            yield from _unknown(value, known, free, here)
        elif "fields" in known and known["fields"][key]:
            yield from _unknown(value, known["fields"][key], free, here)


def _line_of(example: Example, path: tuple[str, ...]) -> int:
    """The line of the page on which the last key of `path` stands, after those above it."""
    lines = example.source.splitlines()
    number = 0
    for key in path:
        number = next((place for place in range(number, len(lines)) if key in lines[place]), number)
    return example.line + 1 + number
