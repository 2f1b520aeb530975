"""Embedders: texts and a role in, vectors with their provenance out."""
