"""How fast a model embeds: one that runs here is measured on a sample, one that is hosted by what it lets through."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay.catalog.cost import EmbeddingSpeed

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder

SAMPLE_SECONDS = 6.0
"""How long a local model's speed is measured, at most about."""
FIRST_TEXTS = 16
"""Texts that are measured first; each part after them is twice as long as the one before."""
WARM_TEXTS = 8
"""Texts by which a model is loaded before it is measured."""


def speed_of(embedder: Embedder, sample: Sequence[str], seconds: float = SAMPLE_SECONDS) -> EmbeddingSpeed:
    """How fast texts like those of `sample` are embedded as documents. Nothing is sent to a hosted model.

    The sample is streamed, as an index run streams its texts, so that the batches are those of a run. Each part of it
    is streamed to its end, since a stream that is left has computed more than it handed out. Raises ModelError.
    """
    limits = embedder.limits
    if limits is not None:
        how = f"assumes {limits.at_once} full batches at once of half a second each"
        return EmbeddingSpeed(None, limits.inputs, limits.tokens, limits.at_once, limits.tokens_per_minute, how)
    if not sample:
        return EmbeddingSpeed(1.0, how="not measured: there is no text")
    embedder.embed(sample[:WARM_TEXTS], "document")
    tokens = texts = 0
    started, busy = time.perf_counter(), time.process_time()
    took = last = 0.0
    while texts < len(sample) and took + 2 * last < seconds:
        for block in embedder.stream(sample[texts : max(FIRST_TEXTS, 2 * texts)], "document"):
            tokens, texts = tokens + sum(block.tokens), texts + len(block)
        last, took = time.perf_counter() - started - took, time.perf_counter() - started
    worked = time.process_time() - busy
    how = f"measured on {texts} of its chunks on this machine"
    return EmbeddingSpeed(tokens / max(took, 1e-6), how=how, cpu_share=worked / max(took, 1e-6))
