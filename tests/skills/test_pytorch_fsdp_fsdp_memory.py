"""The memory estimator of the skill pytorch-fsdp: run as a user does, and held against torch's own tracker."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "skills/08-distributed-training/pytorch-fsdp/scripts/fsdp_memory.py"
SMALL = {
    "hidden_size": 256,
    "intermediate_size": 1024,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 6,
    "vocab_size": 2048,
}
TRACKER = """
import json, sys
import torch, torch.nn as nn, torch.distributed as dist
from torch.distributed._tools.fsdp2_mem_tracker import FSDPMemTracker
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.testing._internal.distributed.fake_pg import FakeStore

config = json.loads(sys.argv[1])
dim, inner, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
width = dim // config["num_attention_heads"] * config["num_key_value_heads"]

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = [nn.Linear(dim, out, bias=False) for out in (dim, width, width)]
        self.o = nn.Linear(dim, dim, bias=False)
        self.gate, self.up = [nn.Linear(dim, inner, bias=False) for _ in range(2)]
        self.down = nn.Linear(inner, dim, bias=False)
        self.norm, self.norm2 = nn.RMSNorm(dim), nn.RMSNorm(dim)
    def forward(self, x):
        h = self.norm(x)
        x = x + self.o(self.q(h) * (self.k(h).sum(-1, keepdim=True) + self.v(h).sum(-1, keepdim=True)))
        h = self.norm2(x)
        return x + self.down(self.gate(h) * self.up(h))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.layers = nn.ModuleList([Block() for _ in range(config["num_hidden_layers"])])
        self.norm, self.head = nn.RMSNorm(dim), nn.Linear(dim, vocab, bias=False)
    def forward(self, ids):
        x = self.emb(ids)
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))

dist.init_process_group("fake", rank=0, world_size=8, store=FakeStore())
mesh = init_device_mesh("cpu", (8,))
policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
model = Net()
for layer in model.layers:
    fully_shard(layer, mesh=mesh, mp_policy=policy)
fully_shard(model, mesh=mesh, mp_policy=policy)
optimizer = torch.optim.AdamW(model.parameters(), foreach=True)
ids = torch.randint(0, vocab, (1, 4))
tracker = FSDPMemTracker(model, optimizer)
tracker.track_inputs((ids,))
with tracker:
    for step in range(2):
        model(ids).float().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 0:
            tracker.reset_mod_stats()
snapshot = tracker.get_tracker_snapshot("peak")[torch.device("cpu")]
print(json.dumps({getattr(kind, "name", kind): size for kind, size in snapshot.items()}))
"""


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(path), *options], check=False, capture_output=True, text=True
    )


def gib(output: str) -> dict[str, float]:
    rows = [
        line.rsplit(None, 2) for line in output.splitlines() if line.endswith("GiB") and "limit" not in line
    ]
    return {name.strip(): float(size) for name, size, _ in rows}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(SMALL))
    return path


def test_counts_llama_2_7b(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(
            {
                "hidden_size": 4096,
                "intermediate_size": 11008,
                "num_attention_heads": 32,
                "num_hidden_layers": 32,
                "vocab_size": 32000,
            }
        )
    )
    result = run(path, "--ranks", "8")
    assert result.returncode == 0
    assert "6,738,415,616 parameters" in result.stdout  # the size of Llama-2-7B
    parts = gib(result.stdout)
    assert parts["sharded parameters"] == pytest.approx(6738415616 * 4 / 8 / 2**30, abs=0.001)
    assert parts["optimizer states"] == pytest.approx(2 * parts["sharded parameters"], abs=0.002)


def test_limit_and_usage(config: Path, tmp_path: Path) -> None:
    assert run(config, "--ranks", "8", "--limit-gib", "1000").returncode == 0
    above = run(config, "--ranks", "8", "--limit-gib", "0.001")
    assert above.returncode == 1 and "above the limit" in above.stdout
    assert run(config, "--ranks", "0").returncode == 2
    assert run(config).returncode == 2
    broken = tmp_path / "broken.json"
    broken.write_text('{\n"hidden_size": 4,,\n}')
    result = run(broken, "--ranks", "8")
    assert result.returncode == 2 and f"{broken}:2: not JSON" in result.stderr
    broken.write_text("{}")
    assert "'hidden_size' must be a positive integer" in run(broken, "--ranks", "8").stderr


def test_more_ranks_and_keeping_parameters(config: Path) -> None:
    few, many = (gib(run(config, "--ranks", str(n)).stdout) for n in (2, 16))
    assert many["sharded parameters"] < few["sharded parameters"]
    assert many["unsharded parameters"] == few["unsharded parameters"]
    kept = gib(run(config, "--ranks", "16", "--keep-unsharded").stdout)
    assert kept["peak"] > many["peak"]


def test_agrees_with_the_tracker_of_torch(config: Path) -> None:
    pytest.importorskip("torch", minversion="2.13")
    pytest.importorskip("numpy")
    tracked = subprocess.run(
        [sys.executable, "-c", TRACKER, json.dumps(SMALL)], check=False, capture_output=True, text=True
    )
    assert tracked.returncode == 0, tracked.stderr[-2000:]
    measured = {name: size / 2**30 for name, size in json.loads(tracked.stdout.splitlines()[-1]).items()}
    parts = gib(run(config, "--ranks", "8").stdout)
    assert parts["sharded parameters"] == pytest.approx(measured["SHARDED_PARAM"], abs=0.0006)
    assert parts["optimizer states"] == pytest.approx(measured["OPT"], abs=0.0006)
    assert parts["peak"] == pytest.approx(measured["Total"] - measured["ACT"], rel=0.15)
