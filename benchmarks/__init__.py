"""Measured bars: each module prints our figure, the peer's and their ratio from one run.

    python -m benchmarks.engine [--json]        also .search .ingest .quality .cli

`make bench` runs them all, with the peer (sentence-transformers on torch) in an environment of its own.
Figures come from alternating rounds, because machines drift; only ratios are worth quoting.
"""
