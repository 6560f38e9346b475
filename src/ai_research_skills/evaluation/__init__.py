"""What a change of weights or activations costs a model, with error bars.

    judge = Judge(model, windows(held_out, length=96, count=160))
    weights = linear_weights(model)
    with replaced(model, {name: quantize(weight) for name, weight in weights.items()}):
        print(judge(model).divergence)

Everything is paired: a changed model is compared with the unchanged one on the same text, so what varies from
text to text cancels.
"""

from ai_research_skills.evaluation.intervals import Interval, bootstrap
from ai_research_skills.evaluation.language import Judge, Score, windows
from ai_research_skills.evaluation.layers import layer_inputs, linear_weights, replaced
from ai_research_skills.evaluation.retrieval import Pair, docstring_pairs, reciprocal_ranks

__all__ = [
    "Interval",
    "Judge",
    "Pair",
    "Score",
    "bootstrap",
    "docstring_pairs",
    "layer_inputs",
    "linear_weights",
    "reciprocal_ranks",
    "replaced",
    "windows",
]
