"""Clusters of vectors, and how well they agree with labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.types import Vectors

    Integers = npt.NDArray[np.int64]
    Shares = npt.NDArray[np.float64]

RUNS, ITERATIONS = 5, 30
"""How often k-means is started anew, of which the tightest result counts, and how many steps it takes each time."""


def k_means(rows: Vectors, count: int) -> Integers:
    """The number of the cluster of each row, shape (rows,).

    There are at most `count` clusters; of several runs from k-means++ starts the tightest is returned.
    """
    import warnings

    from scipy.cluster.vq import kmeans2

    best, least = np.zeros(len(rows), np.int64), np.inf
    for run in range(RUNS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty cluster of one run loses against the others
            centres, made = kmeans2(rows, min(count, len(rows)), iter=ITERATIONS, minit="++", seed=run)
        loose = float(((rows - centres[made]) ** 2).sum())
        if loose < least:
            best, least = made.astype(np.int64), loose
    return best


def contingency(clusters: Integers, labels: Integers, label_count: int) -> Integers:
    """How many rows each cluster has of each label, shape (clusters, `label_count`)."""
    table = np.zeros((int(clusters.max()) + 1, label_count), np.int64)
    np.add.at(table, (clusters, labels), 1)
    return table


def purity(table: Integers) -> float:
    """The share of rows that have the most frequent label of their cluster, from a contingency table."""
    return float(table.max(axis=1).sum() / table.sum())


def v_measure(table: Integers) -> float:
    """The harmonic mean of homogeneity and completeness, from a contingency table of clusters by labels.

    Rosenberg and Hirschberg, EMNLP 2007.
    """
    total = table.sum()
    joint = table[table > 0] / total
    clusters, labels = table.sum(axis=1) / total, table.sum(axis=0) / total
    information = _entropy(clusters) + _entropy(labels) - _entropy(joint)
    entropy = _entropy(clusters) + _entropy(labels)
    return float(2 * information / entropy) if entropy > 0 else 1.0


def _entropy(shares: Shares) -> float:
    """The entropy of a distribution, in nats."""
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())
