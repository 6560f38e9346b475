"""Level 3 of the evidence ladder: a page is a program, run in an environment made of the pins."""
