"""Models by what else they are used for: how alike two sentences are, and which texts belong together.

Sentence pairs: the rank correlation of cosine and human score, as STS benchmarks report it (Reimers, Beyer and
Gurevych, COLING 2016). Labelled texts: k-nearest-neighbour accuracy, and purity and V-measure (Rosenberg and
Hirschberg, EMNLP 2007) of k-means clusters.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import json_lines, malformed
from embassay.evaluate.score.embedding import embed_all

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.embedders.base import Embedder
    from embassay.types import Vectors

    Labels = npt.NDArray[np.int64]

NEIGHBOURS = 5
ROUNDS, ITERATIONS = 5, 30
"""k-means runs from different starts, of which the tightest counts, and steps of each."""
BLOCK = 1024
"""Rows compared at once."""
PAIR = "two sentences and a score, between tabs or commas"
LABELLED = "a text and its label, between tabs or commas"
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Sentence pairs with the scores that people gave them."""

    name: str
    first: Sequence[str]
    second: Sequence[str]
    scores: Sequence[float]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts, each with one label."""

    name: str
    texts: Sequence[str]
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class PairScores:
    """Correlation of cosine and human score."""

    spearman: float
    pearson: float
    spearman_interval: tuple[float, float]
    """95 %, by bootstrap over pairs."""
    pairs: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"spearman_interval": list(self.spearman_interval)}


@dataclass(frozen=True, slots=True)
class LabelScores:
    """How well labels can be told from vectors."""

    knn_accuracy: float
    """Share of test texts whose nearest training texts have their label by majority."""
    purity: float
    """Share of test texts whose cluster has mostly their label; as many clusters as labels."""
    v_measure: float
    texts: int
    trained: int
    labels: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_pairs(file: Path) -> Pairs:
    """CSV, TSV or JSON lines of sentence1, sentence2, score; the header is optional. Raises JudgedSetError."""
    first, second, scores = [], [], []
    for number, row in _rows(file, ("sentence1", "sentence2", "score"), PAIR):
        try:
            scores.append(float(row[2]))
            if not math.isfinite(scores[-1]):
                raise ValueError
        except ValueError:
            raise malformed(file, number, "a number as the score", row[2]) from None
        first.append(row[0])
        second.append(row[1])
    if len(scores) < 3 or len(set(scores)) < 2:
        raise JudgedSetError(f"{file} has {len(scores)} pairs; a correlation needs three, with different scores.")
    return Pairs(file.stem, first, second, scores)


def read_labelled(file: Path) -> Labelled:
    """CSV, TSV or JSON lines of text and label (or category); the header is optional. Raises JudgedSetError."""
    rows = [row for _, row in _rows(file, ("text", "label"), LABELLED)]
    if len({label for _, label in rows}) < 2:
        raise JudgedSetError(f"{file} has fewer than two labels.", remedy=f"Expected {LABELLED}.")
    return Labelled(file.stem, [text for text, _ in rows], [label for _, label in rows])


def score_pairs(embedder: Embedder, pairs: Pairs, advance: Callable[[int], None] = lambda _: None) -> PairScores:
    """Both sentences are embedded as queries: neither is a document. Raises ModelError, ProviderError."""
    from scipy.stats import pearsonr, rankdata

    a = embed_all(embedder, pairs.first, "query", advance)[0]
    b = embed_all(embedder, pairs.second, "query", advance)[0]
    cosine, human = np.einsum("ij,ij->i", a, b).astype(np.float64), np.asarray(pairs.scores, np.float64)
    drawn = np.random.default_rng(0).integers(0, len(human), (RESAMPLES, len(human)))
    resampled = [_correlation(rankdata(cosine[at]), rankdata(human[at])) for at in drawn]
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    return PairScores(
        _correlation(rankdata(cosine), rankdata(human)),
        float(pearsonr(cosine, human).statistic) if cosine.std() else 0.0,
        (float(low), float(high)),
        len(human),
    )


def _correlation(a: Any, b: Any) -> float:
    """Pearson's; 0 where one of them is constant."""
    a, b = a - a.mean(), b - b.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length else 0.0


def score_labels(
    embedder: Embedder, train: Labelled, test: Labelled, advance: Callable[[int], None] = lambda _: None
) -> LabelScores:
    """Neighbours of `test` are looked for in `train`; `test` is clustered. Raises JudgedSetError, ModelError."""
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
    found = nearest(known, train_labels, asked, len(names))
    clusters = k_means(asked, len(set(test.labels)))
    table = np.zeros((int(clusters.max()) + 1, len(names)), np.int64)
    np.add.at(table, (clusters, test_labels), 1)
    return LabelScores(
        float((found == test_labels).mean()),
        float(table.max(axis=1).sum() / table.sum()),
        v_measure(table),
        len(asked),
        len(known),
        len(names),
    )


def nearest(known: Vectors, labels: Labels, asked: Vectors, count: int, k: int = NEIGHBOURS) -> Labels:
    """The label that most of the k nearest rows of `known` have, by the sum of their cosines."""
    found = np.empty(len(asked), np.int64)
    k = min(k, len(known))
    for start in range(0, len(asked), BLOCK):
        cosine = asked[start : start + BLOCK] @ known.T
        best = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
        votes = np.zeros((len(cosine), count))
        rows = np.arange(len(cosine))
        for place in range(k):
            np.add.at(votes, (rows, labels[best[:, place]]), np.maximum(cosine[rows, best[:, place]], 1e-6))
        found[start : start + BLOCK] = votes.argmax(axis=1)
    return found


def k_means(rows: Vectors, count: int, seed: int = 0) -> Labels:
    """Cluster of each row; the tightest of several runs from k-means++ starts."""
    import warnings

    from scipy.cluster.vq import kmeans2

    best, least = np.zeros(len(rows), np.int64), np.inf
    for run in range(ROUNDS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty cluster of one run loses against the others
            centres, made = kmeans2(rows, min(count, len(rows)), iter=ITERATIONS, minit="++", seed=seed + run)
        loose = float(((rows - centres[made]) ** 2).sum())
        if loose < least:
            best, least = made.astype(np.int64), loose
    return best


def v_measure(table: Labels) -> float:
    """Of a contingency table, clusters by labels: the harmonic mean of homogeneity and completeness."""
    total = table.sum()
    joint = table[table > 0] / total
    clusters, labels = table.sum(axis=1) / total, table.sum(axis=0) / total
    information = _entropy(clusters) + _entropy(labels) - _entropy(joint)
    entropy = _entropy(clusters) + _entropy(labels)
    return float(2 * information / entropy) if entropy > 0 else 1.0


def _entropy(shares: Any) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


_OTHER_NAMES = {"label": ("category", "intent", "class"), "text": ("sentence",), "score": ("similarity",)}


def _rows(file: Path, names: tuple[str, ...], expected: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) in the order of `names`."""
    if file.suffix in (".jsonl", ".ndjson"):
        for number, found in json_lines(file, expected):
            cells = [_cell(found, name) for name in names]
            if None in cells:
                raise malformed(file, number, f"an object with {', '.join(names)}", found)
            yield number, [str(cell) for cell in cells]
        return
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            tabs = "\t" in first  # between tabs a quote is a quote
            reader = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(stream)
            yield from _table(file, reader, names, expected)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise JudgedSetError(f"{file} cannot be read: {reason}.") from error


def _table(file: Path, reader: Any, names: tuple[str, ...], expected: str) -> Iterator[tuple[int, list[str]]]:
    order = list(range(len(names)))
    for at, row in enumerate(reader):
        if not row:
            continue
        if at == 0 and (header := _header(row, names)):
            order = header
            continue
        if len(row) <= max(order) or not all(row[column].strip() for column in order):
            raise malformed(file, reader.line_num, expected, " | ".join(row))
        yield reader.line_num, [row[column] for column in order]


def _header(row: Sequence[str], names: tuple[str, ...]) -> list[int]:
    """Columns of `names`, if the row names all of them."""
    lower = [cell.strip().lower() for cell in row]
    found = [next((lower.index(n) for n in (name, *_OTHER_NAMES.get(name, ())) if n in lower), -1) for name in names]
    return [] if -1 in found else found


def _cell(row: dict[str, Any], name: str) -> Any:
    return next((row[n] for n in (name, *_OTHER_NAMES.get(name, ())) if n in row), None)
