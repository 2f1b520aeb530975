"""Windows of searches that nobody made, for tests of signals."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from embassay.config.values import MonitorConfig
from embassay.monitor.base import BaselineSample, WatchedSet
from embassay.monitor.searches import Searches
from embassay.sets.monitoring.marks import KINDS
from embassay.sets.monitoring.table import BaselineRow
from embassay.space import Space

DIMENSIONS = 16
SET = SimpleNamespace(name="docs")
SPACE = Space("some/model", "1", DIMENSIONS)


def searches(count, **columns):
    """So many, of different queries that found ten hits, in 20 ms; `columns` say what is else."""
    usual = {"seq": np.arange(1, count + 1), "query": np.arange(count), "hits": 10, "took_ms": 20.0, "dense": 0.5}
    usual |= {"asked": np.arange(count)} | columns
    made = {name: np.zeros(count, kind) for name, kind in KINDS.items()}
    for name, values in usual.items():
        made[name][:] = values
    return Searches(**made)


def directions(count, topic=0, seed=0):
    """Vectors around one of `DIMENSIONS` topics."""
    random = np.random.default_rng(seed)
    return (np.eye(DIMENSIONS)[topic] * 2 + random.standard_normal((count, DIMENSIONS)) * 0.3).astype(np.float32)


def sample(searches, vectors=None, judged=None):
    found = np.zeros((0, DIMENSIONS), np.float32) if vectors is None else vectors
    return BaselineSample(SET, SPACE, searches, found, judged, MonitorConfig())


def watched(window, vectors=None, *, known=None, baseline=None, before=None, **rest):
    """A set whose window that is; `vectors` are those of its searches."""
    kept = np.zeros((0, DIMENSIONS), np.float32) if vectors is None else vectors
    row = None if baseline is None else BaselineRow("docs", SPACE.digest, 1.0, "", {}, baseline.tobytes())
    return WatchedSet(
        SET,
        SPACE,
        window,
        lambda: (window.seq[: len(kept)], kept),
        MonitorConfig(),
        1e9,
        known or {},
        baseline=row,
        before=lambda: before,
        **rest,
    )
