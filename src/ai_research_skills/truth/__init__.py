"""A small Llama trained here: weights that were never quantized, to compare quantizers on.

Checkpoints that one can download have often been on a 4-bit grid once, and then a 4-bit quantizer costs nothing
on them. This one is trained on the spot, in full precision, on text that lies on every machine with Python.

    truth = load_truth(discover())
    judge = Judge(truth.model, windows(truth.corpus.held_out, length=96, count=160))
"""

from ai_research_skills.truth.corpus import Corpus, standard_library
from ai_research_skills.truth.recipe import LARGE, SMALL, Recipe
from ai_research_skills.truth.training import Truth, load_truth, train

__all__ = ["LARGE", "SMALL", "Corpus", "Recipe", "Truth", "load_truth", "standard_library", "train"]
