"""Behaviour that is added to an embedder by wrapping it."""
