"""Labelled texts, against scikit-learn and on BANKING77."""

import csv
import random

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from embassay.errors import JudgedSetError
from embassay.evaluate.data.labels import LabelledTexts, read_labelled
from embassay.evaluate.score.labels import neighbours_label, score_labels
from embassay.models.registry import Registry


@pytest.fixture(scope="module")
def words():
    with Registry() as registry:
        yield registry.get("hash/256")


def write_table(file, rows, header=None, delimiter=","):
    with file.open("w", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(([header] if header else []) + [list(r) for r in rows])
    return file


def test_labels_need_two_and_the_same(tmp_path, words):
    with pytest.raises(JudgedSetError, match="fewer than two labels"):
        read_labelled(write_table(tmp_path / "l.csv", [("a", "x"), ("b", "x")]))
    with pytest.raises(JudgedSetError, match="1 labels of test are not in train, first 'z'"):
        score_labels(
            words, LabelledTexts("train", ["a", "b"], ["x", "y"]), LabelledTexts("test", ["a", "b"], ["x", "z"])
        )


def test_neighbours_by_dot_product_are_those_of_the_greatest_product():
    generator = np.random.default_rng(0)
    known, asked = (
        generator.normal(size=(n, 8)).astype(np.float32) * generator.uniform(0.1, 9, (n, 1)) for n in (60, 20)
    )
    labels = generator.integers(0, 60, 60)
    nearest = neighbours_label(known.astype(np.float32), labels, asked.astype(np.float32), 60, k=1)
    assert (nearest == labels[(asked @ known.T).argmax(axis=1)]).all()


def test_nearest_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(400, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = generator.integers(0, 4, 400)
    ours = neighbours_label(rows[:300], labels[:300], rows[300:], 4, k=1)
    theirs = KNeighborsClassifier(1, metric="cosine").fit(rows[:300], labels[:300]).predict(rows[300:])
    assert (ours == theirs).all()


def test_banking77(shared, minilm):
    """Below the whole, to be quick: 8 intents, 40 texts of each to learn from."""
    train, test = (read_labelled(shared / "banking77" / f"{name}.csv") for name in ("train", "test"))
    assert (len(train.texts), len(test.texts), len(set(train.labels))) == (10_003, 3_080, 77)
    chosen = sorted(set(train.labels))[::10]

    def some(data, count):
        rows = [(t, label) for label in chosen for t, own in zip(data.texts, data.labels, strict=True) if own == label]
        picked = random.Random(0).sample(rows, count)
        return LabelledTexts("part", [t for t, _ in picked], [label for _, label in picked])

    found = score_labels(minilm, some(train, 320), some(test, 160))
    assert found.knn_accuracy > 0.9 and found.purity > 0.8 and found.v_measure > 0.8 and found.labels == 8
