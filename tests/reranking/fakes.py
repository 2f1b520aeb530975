"""A reranker of this process, which scores by shared words, and waits or fails where a test says so."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from embassay.reranking.base import Reranked, Reranker
from tests.reranking.services import overlap


class Overlap(Reranker):
    def __init__(self, name: str = "overlap", failing: Exception | None = None, scores: Sequence[float] | None = None):
        self._name, self.failing, self.fixed = name, failing, scores
        self.asked: list[tuple[str, list[str]]] = []
        self.let = threading.Event()
        self.let.set()
        self.closed = 0

    @property
    def name(self) -> str:
        return self._name

    def score(self, query: str, texts: Sequence[str]) -> Reranked:
        self.asked.append((query, list(texts)))
        self.let.wait(20)
        if self.failing:
            raise self.failing
        scores = [overlap(query, text) for text in texts] if self.fixed is None else self.fixed
        counts = np.array([len(text.split()) for text in texts], np.int64)
        return Reranked(np.array(scores, np.float32), counts, np.zeros(len(texts), np.bool_), self._name)

    def close(self) -> None:
        self.closed += 1
