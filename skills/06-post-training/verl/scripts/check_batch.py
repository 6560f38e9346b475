#!/usr/bin/env python3
"""Check the batch sizes of a verl 0.9.1 run before it costs GPU time.

Reads hydra overrides from the command line or out of launch scripts and reports sizes that do not divide, keys that
`main_ppo` of 0.9.1 accepts and ignores, and group estimators with a single response. Standard library only.

Exit status: 0 nothing found, 1 findings, 2 usage.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULTS: dict[str, str] = {
    "algorithm.adv_estimator": "gae",
    "algorithm.use_kl_in_reward": "False",
    "actor_rollout_ref.actor.megatron.context_parallel_size": "1",
    "actor_rollout_ref.actor.megatron.pipeline_model_parallel_size": "1",
    "actor_rollout_ref.actor.megatron.tensor_model_parallel_size": "1",
    "actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size": "1",
    "actor_rollout_ref.actor.ppo_max_token_len_per_gpu": "16384",
    "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu": "null",
    "actor_rollout_ref.actor.ppo_mini_batch_size": "256",
    "actor_rollout_ref.actor.use_dynamic_bsz": "False",
    "actor_rollout_ref.actor.use_kl_loss": "False",
    "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu": "null",
    "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu": "null",
    "actor_rollout_ref.rollout.checkpoint_engine.backend": "naive",
    "actor_rollout_ref.rollout.n": "1",
    "actor_rollout_ref.rollout.name": "???",
    "actor_rollout_ref.rollout.nnodes": "0",
    "actor_rollout_ref.rollout.tensor_model_parallel_size": "2",
    "data.max_prompt_length": "512",
    "data.max_response_length": "512",
    "data.train_batch_size": "1024",
    "model_engine": "dp",
    "trainer.n_gpus_per_node": "8",
    "trainer.nnodes": "1",
    "trainer.v1.separate_async.parameter_sync_step": "4",
    "trainer.v1.trainer_mode": "sync",
}
"""Values of verl 0.9.1 for the keys that matter here."""

IGNORED = ("custom_reward_function.", "reward_model.", "sandbox_fusion.")
NEEDS_A_GROUP = {"grpo", "grpo_vectorized", "rloo", "rloo_vectorized", "grpo_passk", "opo", "gpg", "gdpo"}
_OVERRIDE = re.compile(r"""(?<![\w./-])(\+{0,2})([A-Za-z_][\w]*(?:\.[\w]+)*)=("[^"]*"|'[^']*'|[^\s"'\\]+)""")
_VARIABLE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)=(\S+)\s*$")
_REFERENCE = re.compile(r"\$\{?([A-Za-z_]\w*)(?::-([^}]*))?\}?")


@dataclass(frozen=True)
class Override:
    """One override and where it stands."""

    key: str
    value: str
    place: str


@dataclass(frozen=True)
class Finding:
    """What is wrong, and the place of the override that it is about."""

    place: str
    text: str


def overrides_in(text: str, name: str) -> Iterator[Override]:
    """The overrides in a launch script; shell variables with a plain value are put in."""
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        if (match := _VARIABLE.match(line)) and match[1] != "model_engine":
            variables[match[1]] = _expanded(match[2].strip("\"'"), variables)
            continue
        for plus, key, value in _OVERRIDE.findall(line):
            if "." in key or key == "model_engine" or plus:
                yield Override(key, _expanded(value.strip("\"'"), variables), f"{name}:{number}")


def _expanded(value: str, variables: dict[str, str]) -> str:
    return _REFERENCE.sub(lambda found: variables.get(found[1], found[2] or found[0]), value)


class Run:
    """The values of a run: overrides over defaults."""

    def __init__(self, overrides: Iterable[Override]) -> None:
        self.given = {override.key: override for override in overrides}

    def place(self, key: str) -> str:
        return self.given[key].place if key in self.given else f"default of {key}"

    def text(self, key: str) -> str:
        return self.given[key].value if key in self.given else DEFAULTS[key]

    def flag(self, key: str) -> bool:
        return self.text(key).lower() == "true"

    def number(self, key: str) -> int | None:
        try:
            return int(self.text(key))
        except ValueError:
            return None


def findings(run: Run) -> list[Finding]:
    """Everything that is wrong with the run, in order of weight."""
    return [*_unread(run), *_engine(run), *_separate(run), *_groups(run), *_sizes(run)]


def _unread(run: Run) -> Iterator[Finding]:
    for override in run.given.values():
        if override.key.startswith(IGNORED):
            old = override.key
            yield Finding(override.place, f"`{old}` is accepted and not read by main_ppo: use `reward.` keys")
        if override.key == "actor_rollout_ref.rollout.mode" and override.value == "sync":
            yield Finding(override.place, "rollout.mode=sync was removed: delete it")


def _engine(run: Run) -> Iterator[Finding]:
    key = "actor_rollout_ref.rollout.name"
    if run.text(key) == "???":
        yield Finding(run.place(key), "`actor_rollout_ref.rollout.name` is mandatory: vllm or sglang")
    key = "actor_rollout_ref.rollout.tensor_model_parallel_size"
    gpus, parallel = _gpus(run), run.number(key)
    if gpus and parallel and gpus % parallel:
        yield Finding(
            run.place(key), f"{gpus} GPUs do not divide by the rollout's tensor parallel size {parallel}"
        )


def _separate(run: Run) -> Iterator[Finding]:
    """What the constructor of the separate asynchronous trainer asserts."""
    mode, rollout = "trainer.v1.trainer_mode", "actor_rollout_ref.rollout."
    if run.text(mode) != "separate_async":
        return
    if run.number(f"{rollout}nnodes") == 0:
        yield Finding(run.place(mode), "separate_async needs rollout.nnodes above 0")
    if run.text(f"{rollout}checkpoint_engine.backend") == "naive":
        yield Finding(run.place(mode), "separate_async needs a checkpoint_engine.backend such as nccl")
    batch, mini = (
        run.number("data.train_batch_size"),
        run.number("actor_rollout_ref.actor.ppo_mini_batch_size"),
    )
    steps = run.number("trainer.v1.separate_async.parameter_sync_step")
    if batch and mini and steps and batch != mini * steps:
        text = f"separate_async needs train_batch_size ({batch}) = parameter_sync_step ({steps}) x mini-batch ({mini})"
        yield Finding(run.place("data.train_batch_size"), text)


def _groups(run: Run) -> Iterator[Finding]:
    estimator, samples = run.text("algorithm.adv_estimator"), run.number("actor_rollout_ref.rollout.n")
    if estimator in NEEDS_A_GROUP and samples == 1:
        place = run.place("actor_rollout_ref.rollout.n")
        yield Finding(place, f"adv_estimator={estimator} with rollout.n=1 has no group to compare with")


def _gpus(run: Run) -> int | None:
    per_node, nodes = run.number("trainer.n_gpus_per_node"), run.number("trainer.nnodes")
    return per_node * nodes if per_node and nodes else None


def data_parallel(run: Run) -> int | None:
    """The number of data-parallel ranks of the actor; None if it cannot be told."""
    gpus, actor = _gpus(run), "actor_rollout_ref.actor."
    if run.text("model_engine") == "megatron":
        names = ("tensor_model", "pipeline_model", "context")
        keys = [f"{actor}megatron.{name}_parallel_size" for name in names]
    else:
        keys = [f"{actor}fsdp_config.ulysses_sequence_parallel_size"]
    for key in keys:
        size = run.number(key)
        if not gpus or not size or gpus % size:
            return None
        gpus //= size
    return gpus


def _sizes(run: Run) -> Iterator[Finding]:
    actor = "actor_rollout_ref.actor."
    batch_key, mini_key = "data.train_batch_size", f"{actor}ppo_mini_batch_size"
    micro_key = f"{actor}ppo_micro_batch_size_per_gpu"
    batch, mini = run.number(batch_key), run.number(mini_key)
    samples, ranks, micro = (
        run.number("actor_rollout_ref.rollout.n"),
        data_parallel(run),
        run.number(micro_key),
    )
    if not (batch and mini and samples):
        yield Finding(run.place(batch_key), "a size is not a plain number: expand the script's variables")
        return
    if ranks is None:
        yield Finding(
            run.place("trainer.n_gpus_per_node"), "the GPUs do not divide by the actor's parallel sizes"
        )
        return
    if batch < mini:
        yield Finding(
            run.place(batch_key), f"train_batch_size ({batch}) is below ppo_mini_batch_size ({mini})"
        )
    elif batch % mini:
        text = f"train_batch_size ({batch}) is no multiple of ppo_mini_batch_size ({mini}): the batch gets padded"
        yield Finding(run.place(batch_key), text)
    if mini * samples % ranks:
        text = f"ppo_mini_batch_size * n = {mini * samples} responses do not divide by {ranks} data-parallel ranks"
        yield Finding(run.place(mini_key), text)
    if run.flag(f"{actor}use_dynamic_bsz"):
        yield from _token_budget(run)
        return
    if micro is None:
        yield Finding(run.place(micro_key), "set ppo_micro_batch_size_per_gpu, or use_dynamic_bsz=True")
    elif mini * samples % ranks == 0 and mini * samples // ranks % micro:
        text = f"{mini * samples // ranks} responses a rank do not divide by ppo_micro_batch_size_per_gpu ({micro})"
        yield Finding(run.place(micro_key), text)
    unit = ranks * (micro or 1) if run.text("model_engine") == "megatron" else _gpus(run) or 1
    if batch * samples % unit:
        yield Finding(
            run.place(batch_key), f"train_batch_size * n = {batch * samples} does not divide by {unit}"
        )
    yield from _log_prob(run)


def _log_prob(run: Run) -> Iterator[Finding]:
    needed = ["rollout"]
    if run.flag("actor_rollout_ref.actor.use_kl_loss") or run.flag("algorithm.use_kl_in_reward"):
        needed.append("ref")
    for name in needed:
        key = f"actor_rollout_ref.{name}.log_prob_micro_batch_size_per_gpu"
        if run.number(key) is None:
            yield Finding(run.place(key), f"set `{key}`, or actor.use_dynamic_bsz=True")


def _token_budget(run: Run) -> Iterator[Finding]:
    key = "actor_rollout_ref.actor.ppo_max_token_len_per_gpu"
    budget = run.number(key)
    prompt, response = run.number("data.max_prompt_length"), run.number("data.max_response_length")
    ulysses = run.number("actor_rollout_ref.actor.fsdp_config.ulysses_sequence_parallel_size") or 1
    if budget and prompt and response and budget * ulysses < prompt + response:
        text = f"ppo_max_token_len_per_gpu ({budget}) x Ulysses ({ulysses}) is below prompt + response"
        yield Finding(run.place(key), f"{text} ({prompt + response})")


def summary(run: Run) -> str:
    """The sizes of a step in one line."""
    batch, samples = run.number("data.train_batch_size"), run.number("actor_rollout_ref.rollout.n")
    mini, ranks = run.number("actor_rollout_ref.actor.ppo_mini_batch_size"), data_parallel(run)
    if not (batch and samples and mini and ranks):
        return "sizes cannot be told"
    a_rank = mini * samples / ranks
    return f"{batch * samples} responses a step, {batch / mini:g} updates, {a_rank:g} responses a rank and update"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Check batch sizes and ignored keys of a verl 0.9.1 run.",
        epilog="Exit status: 0 nothing found, 1 findings, 2 usage.",
    )
    parser.add_argument(
        "what", nargs="+", help="launch scripts, or overrides such as data.train_batch_size=128"
    )
    given: list[Override] = []
    for word in parser.parse_args(arguments).what:
        path = Path(word)
        if "=" in word and not path.is_file():
            found = list(overrides_in(word, "command line"))
            if not found:
                parser.error(f"`{word}` is no override")
            given += found
            continue
        try:
            given += overrides_in(path.read_text(encoding="utf-8"), word)
        except (OSError, UnicodeDecodeError) as error:
            parser.error(f"cannot read `{word}`: {error}")
    run = Run(given)
    found_faults = findings(run)
    for fault in found_faults:
        print(f"{fault.place}: {fault.text}")
    print(summary(run))
    return 1 if found_faults else 0


if __name__ == "__main__":
    sys.exit(main())
