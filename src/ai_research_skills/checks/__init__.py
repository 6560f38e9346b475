"""Holding what people wrote against what is true, and writing down what was found."""
