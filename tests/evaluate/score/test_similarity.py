"""Sentence pairs and labelled texts, against scipy, scikit-learn and hand-made cases."""

import csv
import random

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import v_measure_score
from sklearn.neighbors import KNeighborsClassifier

from embassay.errors import JudgedSetError
from embassay.evaluate.score.embedding import embed_all
from embassay.evaluate.score.similarity import (
    Labelled,
    Pairs,
    k_means,
    nearest,
    read_labelled,
    read_pairs,
    score_labels,
    score_pairs,
    v_measure,
)
from embassay.models.registry import Registry

STS = [
    ("A cat sits on the mat.", "A cat is sitting on a mat.", 4.8),
    ("A man plays the guitar.", "Somebody is playing a guitar.", 4.0),
    ("She cooks dinner.", "She is preparing a meal.", 3.9),
    ("The train is late.", "The bus was cancelled.", 1.8),
    ("He reads a book.", "The stock market fell.", 0.1),
    ("Dogs bark at night.", "A recipe for apple pie.", 0.0),
]


@pytest.fixture(scope="module")
def words():
    with Registry() as registry:
        yield registry.get("hash/256")


def write_table(file, rows, header=None, delimiter=","):
    with file.open("w", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(([header] if header else []) + [list(r) for r in rows])
    return file


def test_pairs(minilm):
    first, second, scores = zip(*STS, strict=True)
    found = score_pairs(minilm, Pairs("sts", first, second, scores))
    a, b = (embed_all(minilm, list(texts), "query", lambda _: None)[0] for texts in (first, second))
    cosine = (a * b).sum(axis=1)
    assert found.spearman == pytest.approx(stats.spearmanr(cosine, scores).statistic, abs=1e-6)
    assert found.pearson == pytest.approx(stats.pearsonr(cosine, scores).statistic, abs=1e-6)
    assert found.spearman > 0.9 and found.spearman_interval[0] <= found.spearman <= found.spearman_interval[1]


def test_tied_scores_share_their_rank(words):
    pairs = Pairs("p", ["a b", "a b", "c d", "x y"], ["a b", "b a", "c e", "q r"], [1.0, 1.0, 0.5, 0.0])
    found = score_pairs(words, pairs)
    a, b = (embed_all(words, list(texts), "query", lambda _: None)[0] for texts in (pairs.first, pairs.second))
    assert found.spearman == pytest.approx(stats.spearmanr((a * b).sum(axis=1), pairs.scores).statistic, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "header", "delimiter"),
    [
        ("a.csv", None, ","),
        ("b.tsv", ("sentence1", "sentence2", "score"), "\t"),
        ("c.csv", ("id", "score", "sentence2", "sentence1"), ","),
    ],
)
def test_pairs_from_files(tmp_path, name, header, delimiter):
    rows = [("7", s, b, a) for a, b, s in STS] if header and header[0] == "id" else STS
    found = read_pairs(write_table(tmp_path / name, rows, header, delimiter))
    assert (found.first[0], found.second[0], found.scores[0]) == STS[0] and len(found.scores) == len(STS)


def test_json_lines(tmp_path):
    file = tmp_path / "l.jsonl"
    file.write_text('{"text": "a", "category": "x"}\n{"text": "b", "category": 7}\n')
    assert read_labelled(file).labels == ["x", "7"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,1\nc,d\n", r"p\.csv:2: expected two sentences and a score"),
        ("a,b,1\nc,d,high\n", r"p\.csv:2: expected a number as the score, found 'high'"),
        ("a,b,1\nc,d,1\ne,f,1\n", "different scores"),
        ("a,b,1\n", "needs three"),
        ('a,"b\n', "expected"),
        ("a,,1\n", r"p\.csv:1"),
    ],
)
def test_malformed_pairs(tmp_path, text, message):
    file = tmp_path / "p.csv"
    file.write_text(text)
    with pytest.raises(JudgedSetError, match=message):
        read_pairs(file)


def test_quotes_between_tabs_are_quotes(tmp_path):
    file = tmp_path / "p.tsv"
    file.write_text("".join(f"{chr(34) if n in (5, 25) else ''}one {n}\ttwo {n}\t{n % 5}\n" for n in range(40)))
    assert len(read_pairs(file).scores) == 40


@pytest.mark.parametrize("score", ["nan", "inf", "1e999"])
def test_scores_are_numbers(tmp_path, score):
    file = tmp_path / "p.csv"
    file.write_text(f"a,b,1\nc,d,{score}\ne,f,2\n")
    with pytest.raises(JudgedSetError, match=r"p\.csv:2: expected a number"):
        read_pairs(file)


def test_labels_need_two_and_the_same(tmp_path, words):
    with pytest.raises(JudgedSetError, match="fewer than two labels"):
        read_labelled(write_table(tmp_path / "l.csv", [("a", "x"), ("b", "x")]))
    with pytest.raises(JudgedSetError, match="1 labels of test are not in train, first 'z'"):
        score_labels(words, Labelled("train", ["a", "b"], ["x", "y"]), Labelled("test", ["a", "b"], ["x", "z"]))


def test_nearest_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(400, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = generator.integers(0, 4, 400)
    ours = nearest(rows[:300], labels[:300], rows[300:], 4, k=1)
    theirs = KNeighborsClassifier(1, metric="cosine").fit(rows[:300], labels[:300]).predict(rows[300:])
    assert (ours == theirs).all()


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


def test_banking77(shared, minilm):
    """Below the whole, to be quick: 8 intents, 40 texts of each to learn from."""
    train, test = (read_labelled(shared / "banking77" / f"{name}.csv") for name in ("train", "test"))
    assert (len(train.texts), len(test.texts), len(set(train.labels))) == (10_003, 3_080, 77)
    chosen = sorted(set(train.labels))[::10]

    def some(data, count):
        rows = [(t, label) for label in chosen for t, own in zip(data.texts, data.labels, strict=True) if own == label]
        picked = random.Random(0).sample(rows, count)
        return Labelled("part", [t for t, _ in picked], [label for _, label in picked])

    found = score_labels(minilm, some(train, 320), some(test, 160))
    assert found.knn_accuracy > 0.9 and found.purity > 0.8 and found.v_measure > 0.8 and found.labels == 8
