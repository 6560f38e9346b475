"""Check the layout of a Megatron-LM launch file and estimate the memory of a rank.

Reads the options of `pretrain_gpt.py` or `pretrain_hybrid.py` from a shell script or a file of options, holds them
against the rules of Megatron-LM (megatron-core 0.19.2: `validate_args`, `TransformerConfig`, `initialize_model_parallel`)
and prints every finding at once, with its line. Nothing is imported but the standard library.

The estimate takes every layer as a mixture of experts if --num-experts is given (--moe-layer-freq is not read), stages as
equal, and counts attention, dense and expert layers of a hybrid pattern only.

Exit status: 0 nothing found, 1 findings, 2 the file cannot be read or an option has no usable value.
"""

from __future__ import annotations

import argparse
import math
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

GIB = 2**30
INTEGERS = [
    "num-layers",
    "hidden-size",
    "ffn-hidden-size",
    "num-attention-heads",
    "num-query-groups",
    "kv-channels",
    "seq-length",
    "max-position-embeddings",
    "micro-batch-size",
    "global-batch-size",
    "tensor-model-parallel-size",
    "pipeline-model-parallel-size",
    "context-parallel-size",
    "expert-model-parallel-size",
    "expert-tensor-parallel-size",
    "num-layers-per-virtual-pipeline-stage",
    "num-virtual-stages-per-pipeline-rank",
    "decoder-first-pipeline-num-layers",
    "decoder-last-pipeline-num-layers",
    "num-experts",
    "moe-ffn-hidden-size",
    "moe-shared-expert-intermediate-size",
    "vocab-size",
    "make-vocab-size-divisible-by",
    "nnodes",
    "nproc-per-node",
    "microbatch-group-size-per-virtual-pipeline-stage",
]
TEXTS = ("normalization", "hybrid-layer-pattern", "recompute-granularity", "position-embedding-type")
SWITCHES = [
    "sequence-parallel",
    "bf16",
    "fp16",
    "use-distributed-optimizer",
    "overlap-grad-reduce",
    "overlap-param-gather",
    "swiglu",
    "group-query-attention",
    "untie-embeddings-and-output-weights",
    "disable-bias-linear",
    "no-overlap-p2p-communication",
    "use-megatron-fsdp",
]


class Unusable(Exception):
    """The input cannot be understood; the text says where and why."""


@dataclass
class Launch:
    """The options that matter here, each with the line that set it."""

    path: str
    values: dict[str, int | str | bool] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, default: int = 0) -> int:
        value = self.values.get(name, default)
        return value if isinstance(value, int) else default

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        return value if isinstance(value, str) else default

    def has(self, name: str) -> bool:
        return name in self.values

    def at(self, *names: str) -> str:
        """The place of the first of `names` that was given."""
        for name in names:
            if name in self.lines:
                return f"{self.path}:{self.lines[name]}"
        return self.path


def words_of(text: str, path: str) -> list[tuple[int, str]]:
    """The shell words of `text` with their lines; line ends with a backslash or inside an array are only spaces."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip().removesuffix("\\")
        if stripped.count('"') % 2 or stripped.count("'") % 2:
            stripped = stripped.replace('"', " ").replace("'", " ")  # a string over several lines
        try:
            words = shlex.split(stripped, comments=True)
        except ValueError as error:
            raise Unusable(f"{path}:{number}: {error}") from error
        found += [(number, word) for word in words]
    return found


def expanded(word: str, variables: dict[str, str]) -> str:
    """`word` with `$NAME`, `${NAME}` and `${NAME:-default}` replaced as far as the file defines them."""

    def value(match: re.Match[str]) -> str:
        name, default = match["name"] or match["plain"], match["default"]
        return variables.get(name, match[0] if default is None else default)

    return re.sub(r"\$(?:\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}|(?P<plain>\w+))", value, word)


def read_launch(path: Path) -> Launch:
    """The launch that `path` describes.

    Raises:
        Unusable: The file is not readable, or an option has no value, or one that is no number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {error}") from error
    launch = Launch(str(path))
    words = words_of(text, str(path))
    for position, (line, word) in enumerate(words):
        assignment = re.fullmatch(r"(?:--?\w+=)?(\w+)=([^(]*)", word)
        if assignment and not word.startswith("-"):
            launch.environment[assignment[1]] = expanded(assignment[2], launch.environment)
        elif word.lstrip("(").startswith("--"):
            name, _, given = word.lstrip("(").removeprefix("--").rstrip(")").partition("=")
            name = {"nproc_per_node": "nproc-per-node"}.get(name, name)
            following = words[position + 1][1].rstrip(")") if position + 1 < len(words) else ""
            take_option(launch, name, given or following, line)
    return launch


def take_option(launch: Launch, name: str, given: str, line: int) -> None:
    """Keep the option if it is one of those that matter here."""
    if name in SWITCHES:
        launch.values[name], launch.lines[name] = True, line
        return
    if name not in INTEGERS and name not in TEXTS:
        return
    value = expanded(given, launch.environment)
    if not value or value.startswith("--"):
        raise Unusable(f"{launch.path}:{line}: --{name} has no value")
    if name in TEXTS:
        launch.values[name] = value
    elif value.isdecimal():
        launch.values[name] = int(value)
    else:
        raise Unusable(
            f"{launch.path}:{line}: --{name} is {value!r}, not a number; define the variable in the file"
        )
    launch.lines[name] = line


@dataclass(frozen=True)
class Sizes:
    """The sizes of the model and of the groups, with Megatron's defaults filled in."""

    world: int
    tp: int
    pp: int
    cp: int
    ep: int
    etp: int
    dp: int
    layers: int
    hidden: int
    ffn: int
    heads: int
    groups: int
    channels: int
    seq: int
    micro: int
    batch: int
    virtual: int
    vocab: int
    experts: int


def pattern_of(launch: Launch) -> str:
    """The main part of the hybrid pattern, without multi-token prediction."""
    return launch.text("hybrid-layer-pattern").split("/")[0]


def virtual_stages(launch: Launch, layers: int, pp: int) -> int:
    if launch.has("hybrid-layer-pattern"):
        return max(1, (pattern_of(launch).count("|") + 1) // pp)
    if launch.has("num-virtual-stages-per-pipeline-rank"):
        return launch.number("num-virtual-stages-per-pipeline-rank")
    per_stage = launch.number("num-layers-per-virtual-pipeline-stage")
    return max(1, layers // pp // per_stage) if per_stage else 1


def sizes_of(launch: Launch, world: int | None, vocab: int | None) -> Sizes:
    """All sizes.

    Raises:
        Unusable: One that has no default is missing.
    """
    world = world or launch.number("nnodes", 1) * launch.number("nproc-per-node")
    if not world:
        raise Unusable(f"{launch.path}: no --nproc-per-node in the file; give --world-size")
    tp = launch.number("tensor-model-parallel-size", 1)
    pp = launch.number("pipeline-model-parallel-size", 1)
    cp = launch.number("context-parallel-size", 1)
    if 0 in (tp, pp, cp, launch.number("expert-model-parallel-size", 1)):
        raise Unusable(f"{launch.path}: a parallel size is 0")
    layers = launch.number("num-layers")
    if launch.has("hybrid-layer-pattern"):
        layers = len(pattern_of(launch).replace("|", ""))
    for name, value in (
        ("num-layers", layers),
        *(
            (n, launch.number(n))
            for n in ("hidden-size", "num-attention-heads", "seq-length", "micro-batch-size")
        ),
    ):
        if not value:
            raise Unusable(f"{launch.path}: --{name} is missing")
    hidden, heads = launch.number("hidden-size"), launch.number("num-attention-heads")
    ffn = launch.number("ffn-hidden-size") or (
        int(4 * hidden * 2 / 3 / 64) * 64 if launch.has("swiglu") else 4 * hidden
    )
    dp = max(1, world // (tp * pp * cp))
    words = vocab or launch.number("vocab-size")
    multiple = launch.number("make-vocab-size-divisible-by", 128) * tp
    return Sizes(
        world=world,
        tp=tp,
        pp=pp,
        cp=cp,
        ep=launch.number("expert-model-parallel-size", 1),
        etp=launch.number("expert-tensor-parallel-size", tp),
        dp=dp,
        layers=layers,
        hidden=hidden,
        ffn=ffn,
        heads=heads,
        groups=launch.number("num-query-groups", 1) if launch.has("group-query-attention") else heads,
        channels=launch.number("kv-channels") or hidden // heads,
        seq=launch.number("seq-length"),
        micro=launch.number("micro-batch-size"),
        batch=launch.number("global-batch-size") or launch.number("micro-batch-size") * dp,
        virtual=virtual_stages(launch, layers, pp),
        vocab=math.ceil(words / multiple) * multiple,
        experts=launch.number("num-experts"),
    )


def group_findings(launch: Launch, s: Sizes) -> list[str]:
    found = []
    at = launch.at("tensor-model-parallel-size", "pipeline-model-parallel-size", "context-parallel-size")
    if s.world % (s.tp * s.pp * s.cp):
        found.append(f"{at}: world size {s.world} is not divisible by TP x PP x CP = {s.tp * s.pp * s.cp}")
    if s.world % (s.etp * s.ep * s.pp):
        where = launch.at("expert-model-parallel-size", "expert-tensor-parallel-size")
        found.append(
            f"{where}: world size {s.world} is not divisible by expert TP x EP x PP = {s.etp * s.ep * s.pp}"
        )
    if s.batch % (s.micro * s.dp):
        found.append(
            f"{launch.at('global-batch-size', 'micro-batch-size')}: global batch {s.batch} is not divisible by "
            f"micro batch {s.micro} x DP {s.dp} = {s.micro * s.dp}"
        )
    found += schedule_findings(launch, s)
    if s.tp == 1 and launch.has("sequence-parallel"):
        found.append(f"{launch.at('sequence-parallel')}: --sequence-parallel is switched off when TP is 1")
    limited = launch.environment.get("CUDA_DEVICE_MAX_CONNECTIONS")
    if launch.has("use-megatron-fsdp"):
        if limited == "1":
            found.append(f"{launch.path}: --use-megatron-fsdp forbids CUDA_DEVICE_MAX_CONNECTIONS=1")
    elif s.tp * s.cp > 1 and limited != "1" and launch.has("nproc-per-node"):
        found.append(
            f"{launch.path}: TP or CP needs CUDA_DEVICE_MAX_CONNECTIONS=1 before Blackwell; the file does not set it"
        )
    return found


def schedule_findings(launch: Launch, s: Sizes) -> list[str]:
    """What the interleaved schedule asks of the number of microbatches."""
    microbatches = s.batch // (s.micro * s.dp)
    group = launch.number("microbatch-group-size-per-virtual-pipeline-stage", s.pp)
    if s.virtual == 1:
        return []
    at = launch.at("global-batch-size")
    if not s.pp <= group <= microbatches:
        return [
            f"{at}: the interleaved schedule takes groups of {group} microbatches, which must lie between "
            f"PP {s.pp} and the {microbatches} microbatches of a step"
        ]
    if 0 < microbatches % group < s.pp:
        return [
            f"{at}: {microbatches} microbatches leave {microbatches % group} after groups of {group}, fewer than PP {s.pp}"
        ]
    return []


def model_findings(launch: Launch, s: Sizes) -> list[str]:
    found = []
    if s.heads % s.tp:
        found.append(f"{launch.at('num-attention-heads')}: {s.heads} heads are not a multiple of TP {s.tp}")
    if s.groups % s.tp and s.tp % s.groups:
        found.append(
            f"{launch.at('num-query-groups')}: {s.groups} query groups are neither a multiple nor a divisor of "
            f"TP {s.tp}"
        )
    if launch.has("num-query-groups") and not launch.has("group-query-attention"):
        found.append(
            f"{launch.at('num-query-groups')}: --num-query-groups is ignored without --group-query-attention"
        )
    if not launch.has("kv-channels") and s.hidden % s.heads:
        found.append(
            f"{launch.at('hidden-size')}: hidden size {s.hidden} is not divisible by {s.heads} heads"
        )
    if s.ffn % s.tp:
        found.append(f"{launch.at('ffn-hidden-size')}: FFN size {s.ffn} is not divisible by TP {s.tp}")
    if s.cp > 1 and s.seq % (2 * s.cp):
        found.append(
            f"{launch.at('seq-length')}: sequence length {s.seq} is not a multiple of 2 x CP = {2 * s.cp}"
        )
    if launch.has("sequence-parallel") and s.seq // s.cp % s.tp:
        found.append(
            f"{launch.at('seq-length')}: {s.seq // s.cp} tokens of a CP rank are not divisible by TP {s.tp}"
        )
    positions = launch.number("max-position-embeddings")
    if positions < s.seq:
        found.append(
            f"{launch.at('max-position-embeddings')}: --max-position-embeddings {positions} is smaller than the "
            f"sequence length {s.seq}"
        )
    if launch.has("bf16") and launch.has("fp16"):
        found.append(f"{launch.at('fp16')}: --bf16 and --fp16 exclude each other")
    if launch.has("overlap-param-gather"):
        for name in ("use-distributed-optimizer", "overlap-grad-reduce"):
            if not launch.has(name) and not launch.has("use-megatron-fsdp"):
                found.append(f"{launch.at('overlap-param-gather')}: --overlap-param-gather needs --{name}")
    return found


def pipeline_findings(launch: Launch, s: Sizes) -> list[str]:
    found = []
    at = launch.at("num-layers", "hybrid-layer-pattern")
    uneven = launch.has("decoder-first-pipeline-num-layers") or launch.has("decoder-last-pipeline-num-layers")
    per_virtual = launch.number("num-layers-per-virtual-pipeline-stage")
    if launch.has("hybrid-layer-pattern"):
        segments = pattern_of(launch).count("|") + 1
        if segments > 1 and segments % s.pp:
            found.append(f"{at}: {segments} segments of the pattern are not divisible by PP {s.pp}")
        if per_virtual or launch.has("num-virtual-stages-per-pipeline-rank"):
            found.append(
                f"{at}: with a hybrid pattern the virtual stages come from its bars; drop the option"
            )
    elif not uneven and s.layers % s.pp:
        found.append(f"{at}: {s.layers} layers are not divisible by PP {s.pp}")
    elif per_virtual and s.layers // s.pp % per_virtual:
        found.append(
            f"{launch.at('num-layers-per-virtual-pipeline-stage')}: {s.layers // s.pp} layers of a stage are not "
            f"divisible by {per_virtual}"
        )
    if s.virtual > 1 and s.pp <= (2 if launch.has("no-overlap-p2p-communication") else 1):
        found.append(
            f"{launch.at('num-layers-per-virtual-pipeline-stage')}: virtual stages need a larger PP than {s.pp}"
        )
    return found


def expert_findings(launch: Launch, s: Sizes) -> list[str]:
    at = launch.at("expert-model-parallel-size", "num-experts")
    if not s.experts:
        return [f"{at}: --expert-model-parallel-size needs --num-experts"] if s.ep > 1 else []
    found = []
    if s.experts % s.ep:
        found.append(f"{at}: {s.experts} experts are not a multiple of EP {s.ep}")
    if s.tp > 1 and not launch.has("sequence-parallel"):
        found.append(f"{launch.at('num-experts')}: experts with TP {s.tp} need --sequence-parallel")
    return found


def parameters(launch: Launch, s: Sizes) -> tuple[float, float, float]:
    """Parameters of the whole model: sharded by TP without the embedding, replicated over TP, and of experts."""
    gated = 1.5 if launch.has("swiglu") else 1.0
    norm = s.hidden * (1 if launch.text("normalization") == "RMSNorm" else 2)
    projection = s.channels * s.heads
    attention = 2 * s.hidden * projection * (1 + s.groups / s.heads)
    if launch.has("hybrid-layer-pattern"):
        pattern = pattern_of(launch)
        attentions, dense, routed = pattern.count("*"), pattern.count("-"), pattern.count("E")
    else:
        attentions, dense, routed = s.layers, 0 if s.experts else s.layers, s.layers if s.experts else 0
    shared = 2 * s.hidden * launch.number("moe-shared-expert-intermediate-size") * gated
    one_expert = 2 * s.hidden * (launch.number("moe-ffn-hidden-size") or s.ffn) * gated
    sharded = attentions * attention + dense * 2 * s.hidden * s.ffn * gated + routed * shared
    router = s.hidden * s.experts + (0 if launch.has("disable-bias-linear") else s.experts)
    replicated = norm * (attentions + dense + routed) + routed * router + norm
    return sharded, replicated, routed * one_expert * s.experts


def bytes_each(launch: Launch, shards: float) -> float:
    """bf16 weights, fp32 gradients, fp32 copy and Adam's two moments."""
    return 6 + 12 / shards if launch.has("use-distributed-optimizer") else 18


def report(launch: Launch, s: Sizes) -> list[str]:
    sharded, replicated, expert = parameters(launch, s)
    embedding = s.hidden * s.vocab
    copies = 2 if launch.has("untie-embeddings-and-output-weights") else 1
    total = sharded + replicated + expert + copies * embedding
    on_stage = (sharded / s.pp + embedding * (copies if s.pp == 1 else 1)) / s.tp + replicated / s.pp
    experts_here = expert / s.pp / (s.etp * s.ep)
    expert_dp = s.world / (s.etp * s.ep * s.pp)
    state = on_stage * bytes_each(launch, s.dp * s.cp) + experts_here * bytes_each(launch, expert_dp)
    microbatches = s.batch // (s.micro * s.dp)
    flight = min(microbatches, s.pp) if s.virtual == 1 else s.pp * (1 + (s.pp - 1) / (s.pp * s.virtual))
    tokens = s.seq / s.cp * s.micro
    blocks = s.layers / s.pp / (2 if launch.has("hybrid-layer-pattern") else 1)
    if launch.text("recompute-granularity") == "full":
        layer = 2 * tokens * s.hidden
    elif launch.has("sequence-parallel") or s.tp == 1:
        layer = tokens * (18 * s.hidden + 4 * s.ffn) / s.tp
    else:
        layer = tokens * s.hidden * (10 + 24 / s.tp)
    bubble = (s.pp - 1) / max(1, microbatches) / s.virtual
    other = sum(symbol not in "*-E|" for symbol in pattern_of(launch))
    return [
        f"groups: world {s.world} = TP {s.tp} x PP {s.pp} x CP {s.cp} x DP {s.dp}"
        + (f"; experts: TP {s.etp} x EP {s.ep} x PP {s.pp} x DP {expert_dp:g}" if s.experts else ""),
        f"batch: {microbatches} microbatches of {s.micro}; pipeline bubble {bubble:.1%} of the ideal time",
        f"parameters: {total / 1e9:.3f} billion, padded vocabulary {s.vocab}"
        + ("" if s.vocab else " (give --vocab to count the embedding)"),
        f"on the fullest rank: {(on_stage + experts_here) / 1e9:.3f} billion parameters, "
        f"{state / GIB:.2f} GiB of weights, gradients and Adam state",
        f"activations, first stage, flash attention: about {layer * blocks * flight / GIB:.2f} GiB, without embedding and logits",
        *([f"not counted: {other} layers of other kinds than *, - and E"] if other else []),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="launch script, or a file of options")
    parser.add_argument(
        "--world-size", type=int, help="number of GPUs; else nnodes x nproc-per-node of the file"
    )
    parser.add_argument(
        "--vocab", type=int, help="size of the tokenizer's vocabulary; else --vocab-size of the file"
    )
    options = parser.parse_args(arguments)
    try:
        launch = read_launch(options.file)
        sizes = sizes_of(launch, options.world_size, options.vocab)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    found = [
        finding
        for check in (group_findings, model_findings, pipeline_findings, expert_findings)
        for finding in check(launch, sizes)
    ]
    for line in found:
        print(line)
    for line in report(launch, sizes):
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
