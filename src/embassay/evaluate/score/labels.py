"""How well labels can be told from vectors: by the nearest labelled neighbours, and by clustering without labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.errors import JudgedSetError
from embassay.evaluate.data.labels import LabelledTexts
from embassay.evaluate.score.clusters import contingency, k_means, purity, v_measure
from embassay.evaluate.score.embedding import embed_all

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.embedders.base import Embedder
    from embassay.types import Vectors

    Integers = npt.NDArray[np.int64]

NEIGHBOURS = 5
BLOCK = 1024
"""Rows that are compared with all others at once."""


@dataclass(frozen=True, slots=True)
class LabelScores:
    """How well a model's vectors tell labels apart."""

    knn_accuracy: float
    """Share of the test texts whose nearest training texts have their label by majority."""
    purity: float
    """Share of the test texts whose cluster has mostly their label; there are as many clusters as labels."""
    v_measure: float
    texts: int
    trained: int
    labels: int

    def to_dict(self) -> dict[str, object]:
        """The scores as the JSON output has them."""
        return asdict(self)


def score_labels(
    embedder: Embedder,
    train: LabelledTexts,
    test: LabelledTexts,
    advance: Callable[[int], None] = lambda _: None,
) -> LabelScores:
    """Score a model on labelled texts: neighbours of `test` are looked for in `train`, and `test` is clustered.

    `advance` is told how many texts have been embedded since it was last called. Raises JudgedSetError for labels of
    `test` that `train` lacks, ModelError, ProviderError.
    """
    names = sorted({*train.labels, *test.labels})
    strangers = sorted(set(test.labels) - set(train.labels))
    if strangers:
        raise JudgedSetError(
            f"{len(strangers)} labels of {test.name} are not in {train.name}, first {strangers[0]!r}.",
            remedy="Train and test have to share their labels.",
        )
    number = {name: at for at, name in enumerate(names)}
    known = embed_all(embedder, train.texts, "query", advance)[0]
    asked = embed_all(embedder, test.texts, "query", advance)[0]
    train_labels = np.array([number[label] for label in train.labels])
    test_labels = np.array([number[label] for label in test.labels])
    found = neighbours_label(known, train_labels, asked, len(names))
    table = contingency(k_means(asked, len(set(test.labels))), test_labels, len(names))
    return LabelScores(
        float((found == test_labels).mean()), purity(table), v_measure(table), len(asked), len(known), len(names)
    )


def neighbours_label(
    known: Vectors, labels: Integers, asked: Vectors, label_count: int, k: int = NEIGHBOURS
) -> Integers:
    """For each row of `asked` the label that most of its `k` nearest rows of `known` have, shape (asked,).

    The nearest have the greatest dot products, which are cosines of rows of length 1; each votes with its own, unless
    that is negative.
    """
    found = np.empty(len(asked), np.int64)
    k = min(k, len(known))
    for start in range(0, len(asked), BLOCK):
        products = asked[start : start + BLOCK] @ known.T
        best = np.argpartition(-products, k - 1, axis=1)[:, :k]
        votes = np.zeros((len(products), label_count))
        rows = np.arange(len(products))
        for place in range(k):
            np.add.at(votes, (rows, labels[best[:, place]]), np.maximum(products[rows, best[:, place]], 1e-6))
        found[start : start + BLOCK] = votes.argmax(axis=1)
    return found
