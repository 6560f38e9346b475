"""An inference engine for `ai_research_skills.llama`: paged cache, continuous batching, prefixes, drafts, HTTP.

    engine = Engine(ModelRunner(model, blocks=256), Scheduler(BlockManager(256)))
    answers = engine.generate([tokenizer.chat("What is the capital of France?")], Sampling(max_tokens=8))

Whatever it does to save time, greedy answers are those of `llama.generate`, token for token.
"""

from ai_research_skills.engine.blocks import BlockManager
from ai_research_skills.engine.engine import Engine, Runner, Step
from ai_research_skills.engine.paged import Layout, PagedCache, Span
from ai_research_skills.engine.policies import FairShare, FirstCome, Policy, Priority, ShortestFirst
from ai_research_skills.engine.prefix import PrefixTree
from ai_research_skills.engine.request import Constraint, Draft, Reason, Request, Sampling
from ai_research_skills.engine.runner import ModelRunner
from ai_research_skills.engine.sampler import Row, adjusted, distributions, draw, next_tokens
from ai_research_skills.engine.scheduler import Chunk, Scheduler
from ai_research_skills.engine.speculative import Drafter, ModelDrafter, PromptLookup, shallow, verify

__all__ = [
    "BlockManager",
    "Chunk",
    "Constraint",
    "Draft",
    "Drafter",
    "Engine",
    "FairShare",
    "FirstCome",
    "Layout",
    "ModelDrafter",
    "ModelRunner",
    "PagedCache",
    "Policy",
    "PrefixTree",
    "Priority",
    "PromptLookup",
    "Reason",
    "Request",
    "Row",
    "Runner",
    "Sampling",
    "Scheduler",
    "ShortestFirst",
    "Span",
    "Step",
    "adjusted",
    "distributions",
    "draw",
    "next_tokens",
    "shallow",
    "verify",
]
