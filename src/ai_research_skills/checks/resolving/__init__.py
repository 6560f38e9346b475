"""Level 2 of the evidence ladder: what an example uses exists in the pinned releases."""
