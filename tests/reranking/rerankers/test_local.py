"""Cross-encoders as rerankers: which of several labels counts, and what is said of a choice that is missing."""

import json
from pathlib import Path

import numpy as np
import pytest

from embassay.errors import ConfigError, ModelUnsupported
from embassay.reranking.rerankers.local import Settings, open_reranker
from tests.cross_encoders import LIMIT, PASSAGES, QUERY, SHAPES, Shape, write_cross_encoder
from tests.tiny import CASES, write_model

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/cross_encoders.json").read_text())


def opened(folder, shape="bert", **settings):
    write_cross_encoder(folder, SHAPES[shape] if isinstance(shape, str) else shape)
    return open_reranker(Settings(model_id=str(folder), precision="f32", **settings))


def softmax(logits):
    powers = np.exp(np.array(logits))
    return powers / powers.sum(axis=1, keepdims=True)


def test_one_label_scores_as_the_reference(tmp_path):
    reranker = opened(tmp_path / "model")
    made = reranker.score(QUERY, PASSAGES)
    golden = GOLDEN["bert"][QUERY]
    np.testing.assert_allclose(made.scores, golden["scores"], atol=1e-4)
    assert made.scores.dtype == np.float32 and made.scores.shape == (len(PASSAGES),)
    assert made.tokens.tolist() == golden["tokens"]
    assert made.truncated.tolist() == [tokens > LIMIT for tokens in golden["tokens"]]
    assert made.model == reranker.name == str(tmp_path / "model")
    assert not reranker.remote and not reranker.listwise and reranker.price == ""
    assert made.cached is None


@pytest.mark.parametrize(("label", "column"), [("entailment", 1), ("0", 0), ("neutral", 2)])
def test_of_several_labels_the_share_of_one_counts(label, column, tmp_path):
    made = opened(tmp_path / "model", "bert-labels", label=label).score(QUERY, PASSAGES)
    expected = softmax(GOLDEN["bert-labels"][QUERY]["scores"])[:, column]
    np.testing.assert_allclose(made.scores, expected, atol=1e-4)


def test_raw_scores_of_a_label_are_its_logits(tmp_path):
    made = opened(tmp_path / "model", "bert-labels", label="2", scores="raw").score(QUERY, PASSAGES)
    np.testing.assert_allclose(made.scores, np.array(GOLDEN["bert-labels"][QUERY]["scores"])[:, 2], atol=1e-4)


def test_what_the_model_passes_its_scores_through_stays(tmp_path):
    """Several labels of which each has a sigmoid of its own: they are no shares."""
    made = opened(tmp_path / "model", "mpnet-oldest", label="two").score(QUERY, PASSAGES)
    np.testing.assert_allclose(made.scores, np.array(GOLDEN["mpnet-oldest"][QUERY]["scores"])[:, 1], atol=1e-4)


def test_raw_and_sigmoid(tmp_path):
    raw = opened(tmp_path / "model", scores="raw").score(QUERY, PASSAGES).scores
    np.testing.assert_allclose(1 / (1 + np.exp(-raw)), GOLDEN["bert"][QUERY]["scores"], atol=1e-4)
    mapped = opened(tmp_path / "raw", "bert-raw", scores="sigmoid").score(QUERY, PASSAGES).scores
    np.testing.assert_allclose(mapped, 1 / (1 + np.exp(-np.array(GOLDEN["bert-raw"][QUERY]["scores"]))), atol=1e-4)


def test_several_labels_and_none_named(tmp_path):
    with pytest.raises(ConfigError, match=r"3 labels \(contradiction, entailment, neutral\), and does not say which"):
        opened(tmp_path / "model", "bert-labels")


def test_a_label_that_there_is_not(tmp_path):
    with pytest.raises(ConfigError, match=r"no label 'yes'; it has contradiction, entailment, neutral"):
        opened(tmp_path / "model", "bert-labels", label="yes")
    with pytest.raises(ConfigError, match=r"no label '3'"):
        opened(tmp_path / "model", "bert-labels", label="3")


def test_labels_that_no_configuration_names_are_counted_in_the_weights(tmp_path):
    shape = Shape(labels=("a", "b"), config={"id2label": None, "label2id": None})
    reranker = opened(tmp_path / "model", shape)
    with pytest.raises(ConfigError, match=r"2 labels \(LABEL_0, LABEL_1\)"):
        reranker.score(QUERY, PASSAGES)
    assert opened(tmp_path / "model", shape, label="LABEL_1").score(QUERY, ["a"]).scores.shape == (1,)


def test_identity_tells_labels_and_ways_apart(tmp_path):
    made = [
        opened(tmp_path / "model", "bert-labels", label="0"),
        opened(tmp_path / "model", "bert-labels", label="1"),
        opened(tmp_path / "model", "bert-labels", label="1", scores="raw"),
        opened(tmp_path / "model", "bert-labels", label="1", scores="sigmoid"),
        opened(tmp_path / "model", "bert-labels", label="1", max_tokens=20),
    ]
    assert len({one.identity for one in made}) == 5
    assert opened(tmp_path / "model", "bert-labels", label="entailment").identity == made[1].identity


def test_it_can_be_closed_and_used_again(tmp_path):
    reranker = opened(tmp_path / "model")
    before = reranker.score(QUERY, PASSAGES).scores
    for _ in range(3):
        reranker.close()
        np.testing.assert_array_equal(reranker.score(QUERY, PASSAGES).scores, before)


def test_no_passages(tmp_path):
    made = opened(tmp_path / "model").score(QUERY, [])
    assert len(made) == len(made.tokens) == len(made.truncated) == 0


def test_ten_thousand_passages_keep_their_order(tmp_path):
    reranker = opened(tmp_path / "model")
    few = reranker.score(QUERY, PASSAGES).scores
    many = reranker.score(QUERY, [PASSAGES[at % len(PASSAGES)] for at in range(10_000)])
    np.testing.assert_allclose(many.scores, few[np.arange(10_000) % len(PASSAGES)], atol=1e-5)


def test_an_embedder_is_no_reranker(tmp_path):
    folder = write_model(tmp_path / "embedder", CASES["bert"])
    with pytest.raises(ModelUnsupported, match="is no cross-encoder"):
        open_reranker(Settings(model_id=str(folder)))


def test_settings_of_vectors_are_refused():
    with pytest.raises(ValueError, match="dimensions is a setting of embedding models"):
        Settings(model_id="x", dimensions=3)
