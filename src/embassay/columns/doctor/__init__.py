"""Whose vectors are these: a table of vectors held against its texts and a model, read only."""
