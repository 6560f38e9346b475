"""Run inside a skill's environment: the keys that a release knows in its configuration files. Standard library only.

What is known of a kind of file is a mapping with one of two entries: `fields`, each with what is known below it or
None if anything may stand there; or `anywhere`, names that may stand at any depth.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import dataclasses
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Known = dict[str, Any]


def _flat(names: Iterable[str]) -> Known:
    return {"fields": dict.fromkeys(sorted(set(names)))}


def _options(parser: argparse.ArgumentParser) -> set[str]:
    """The names under which a parser keeps its options."""
    return {action.dest for action in parser._actions if action.dest != "help"}


def _launch_options() -> set[str]:
    launch = importlib.import_module("accelerate.commands.launch")
    return _options(launch.launch_command_parser())


def accelerate_config() -> Known:
    """The fields of a machine or of SageMaker; what is below goes to the launcher's options."""
    args = importlib.import_module("accelerate.commands.config.config_args")
    kinds = (args.ClusterConfig, args.SageMakerConfig)
    known = _flat(field.name for kind in kinds for field in dataclasses.fields(kind))
    below = _flat(_launch_options())
    for name in ("deepspeed_config", "fsdp_config", "parallelism_config"):
        known["fields"][name] = below
    return known


def trl_config() -> Known:
    """What any script of TRL takes, and what it hands on to the launcher."""
    folder = Path(str(importlib.import_module("trl.scripts").__file__)).parent
    names = {"env", "accelerate_config", *_launch_options()}
    for file in sorted(folder.glob("[!_]*.py")):
        module = importlib.import_module(f"trl.scripts.{file.stem}")
        if hasattr(module, "make_parser"):
            names |= _options(module.make_parser())
    return _flat(names)


def llamafactory_config() -> Known:
    """What training, chatting, exporting and evaluating take."""
    parser = importlib.import_module("llamafactory.hparams.parser")
    kinds = {
        kind for group in ("_TRAIN_ARGS", "_INFER_ARGS", "_EVAL_ARGS") for kind in getattr(parser, group)
    }
    with contextlib.suppress(ImportError, AttributeError):
        kinds.add(importlib.import_module("llamafactory.hparams").RayArguments)
    return _flat(field.name for kind in kinds for field in dataclasses.fields(kind))


def peft_config(kind: str) -> Known:
    """The fields of the configuration of one `peft_type`."""
    mapping = importlib.import_module("peft").PEFT_TYPE_TO_CONFIG_MAPPING
    config = next(config for name, config in mapping.items() if str(name.value) == kind)
    return _flat(field.name for field in dataclasses.fields(config))


def transformers_config(model_type: str) -> Known:
    """The settings of one `model_type`."""
    transformers = importlib.import_module("transformers")
    config = transformers.CONFIG_MAPPING[model_type]
    names = {"torch_dtype", "auto_map", "quantization_config", *config.attribute_map, *config().to_dict()}
    for kind in config.__mro__[:-1]:
        names |= set(inspect.signature(kind).parameters) | set(vars(kind).get("__annotations__", {}))
    return _flat(names)


def generation_config() -> Known:
    config = importlib.import_module("transformers").GenerationConfig()
    return _flat({*config.to_dict(), *vars(config)})


def lm_eval_task() -> Known:
    """The fields of a task, and the keys that the reader of the file takes out before."""
    for place in ("lm_eval.config.task", "lm_eval.api.task"):
        with contextlib.suppress(ImportError):
            task = importlib.import_module(place).TaskConfig
            break
    names = {field.name for field in dataclasses.fields(task)}
    return _flat(
        {*names, "include", "class", "group", "group_alias", "tag", "task_alias", "aggregate_metric_list"}
    )


def deepspeed_config() -> Known:
    return fields_in_files(_folder("deepspeed"), ("*config*.py", "*constants*.py"))


def axolotl_config() -> Known:
    return fields_in_files(_folder("axolotl"), ("utils/schemas/**/*.py", "integrations/**/args.py"))


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0])


def fields_in_files(folder: Path, patterns: Iterable[str]) -> Known:
    """Every name that could be a key, read from source files: annotated fields, their aliases and string constants.

    More than the release takes, so that only a name that stands nowhere in them counts as unknown.
    """
    files = sorted({file for pattern in patterns for file in folder.rglob(pattern)})
    names = {name for file in files for name in _names_in(file)}
    return {"anywhere": sorted(names)}


def _names_in(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value


SCHEMAS: Mapping[str, Callable[..., Known]] = {
    "accelerate": accelerate_config,
    "axolotl": axolotl_config,
    "deepspeed": deepspeed_config,
    "generation": generation_config,
    "llamafactory": llamafactory_config,
    "lm_eval": lm_eval_task,
    "peft": peft_config,
    "transformers": transformers_config,
    "trl": trl_config,
}


def known_keys(schema: str) -> Known | None:
    """What is known of `schema`, which is a name of `SCHEMAS`, with a kind after a colon where it has kinds."""
    name, _, kind = schema.partition(":")
    try:
        return SCHEMAS[name](*([kind] if kind else []))
    except (Exception, SystemExit):
        return None


def main() -> None:
    given_file, found_file = sys.argv[1:]
    given = json.loads(Path(given_file).read_text(encoding="utf-8"))
    sys.path[0] = ""
    found = {schema: known_keys(schema) for schema in given}
    Path(found_file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
