"""Sentence pairs, against scipy."""

import pytest
from scipy import stats

from embassay.evaluate.data.pairs import SentencePairs
from embassay.evaluate.score.embedding import embed_all
from embassay.evaluate.score.pairs import score_pairs
from embassay.models.registry import Registry
from tests.embedders.fakes import Lengths
from tests.evaluate.sentences import STS


@pytest.fixture(scope="module")
def words():
    with Registry() as registry:
        yield registry.get("hash/256")


def test_pairs(minilm):
    first, second, scores = zip(*STS, strict=True)
    found = score_pairs(minilm, SentencePairs("sts", first, second, scores))
    a, b = (embed_all(minilm, list(texts), "query", lambda _: None)[0] for texts in (first, second))
    cosine = (a * b).sum(axis=1)
    assert found.spearman == pytest.approx(stats.spearmanr(cosine, scores).statistic, abs=1e-6)
    assert found.pearson == pytest.approx(stats.pearsonr(cosine, scores).statistic, abs=1e-6)
    assert found.spearman > 0.9 and found.spearman_interval[0] <= found.spearman <= found.spearman_interval[1]


def test_pairs_are_compared_as_the_space_says(words):
    first, second, scores = zip(*STS, strict=True)
    lengths = Lengths(words)
    a, b = (lengths.embed(texts, "query").vectors for texts in (first, second))
    expected = stats.pearsonr((a * b).sum(axis=1), scores).statistic
    pairs = SentencePairs("sts", first, second, scores)
    assert score_pairs(lengths, pairs).pearson == pytest.approx(expected, abs=1e-5)
    assert score_pairs(words, pairs).pearson != pytest.approx(expected, abs=1e-2)


def test_tied_scores_share_their_rank(words):
    pairs = SentencePairs("p", ["a b", "a b", "c d", "x y"], ["a b", "b a", "c e", "q r"], [1.0, 1.0, 0.5, 0.0])
    found = score_pairs(words, pairs)
    a, b = (embed_all(words, list(texts), "query", lambda _: None)[0] for texts in (pairs.first, pairs.second))
    assert found.spearman == pytest.approx(stats.spearmanr((a * b).sum(axis=1), pairs.scores).statistic, abs=1e-6)
