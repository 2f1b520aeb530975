"""Rerankers: a query and texts in, scores out; `base.py` is the contract, and `rerankers/` has one file for each."""
