"""Judged sets, metrics, and what a model or a pipeline scores on them."""
