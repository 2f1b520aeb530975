"""Clusters, against scikit-learn and made clouds."""

import numpy as np
import pytest
from sklearn.metrics import v_measure_score

from embassay.evaluate.score.clusters import k_means, v_measure


def test_v_measure_is_that_of_scikit_learn():
    generator = np.random.default_rng(1)
    clusters, labels = generator.integers(0, 5, 200), generator.integers(0, 3, 200)
    table = np.zeros((5, 3), np.int64)
    np.add.at(table, (clusters, labels), 1)
    assert v_measure(table) == pytest.approx(v_measure_score(labels, clusters), abs=1e-9)
    assert v_measure(np.diag([3, 4, 5])) == pytest.approx(1.0)


def test_clusters_of_separate_clouds():
    generator = np.random.default_rng(2)
    centres = np.eye(4, 8, dtype=np.float32)
    rows = (centres.repeat(50, axis=0) + generator.normal(0, 0.05, (200, 8))).astype(np.float32)
    found = k_means(rows, 4)
    assert all(len(set(found[at * 50 : at * 50 + 50])) == 1 for at in range(4)) and len(set(found)) == 4
