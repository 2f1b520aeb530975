"""A vector for each token of a text: held against the pooled vectors, which golden tests hold against the reference."""

import numpy as np
import pytest

from embassay.embedders.providers.local import open_local
from embassay.engine.heads.arrays import NumpyArrays
from embassay.engine.heads.pooled import pooled
from embassay.engine.heads.tokens import TokenHead
from embassay.engine.load import load
from embassay.engine.sources import usual_source
from embassay.errors import DigestMismatch, ModelUnsupported
from embassay.vectors import unit_rows
from tests.tiny import CASES, write_model

TEXTS = ["rotate the key", "a", "the key is old"]


@pytest.fixture
def folder(tmp_path):
    return write_model(tmp_path / "tiny", CASES["bert"])


@pytest.mark.parametrize("case", CASES)
def test_states_that_are_pooled_give_the_vectors_of_the_model(tmp_path, case):
    embedder = open_local(str(write_model(tmp_path / case, CASES[case])), precision="f32")
    spec = embedder.model.spec
    runtime = usual_source(spec).runtime(TokenHead(spec.id), "f32", embedder.tokens.max_tokens)
    prompt = embedder.space.document_prompt
    for text in TEXTS:
        (encoded,) = embedder.tokens.encode([prompt + text])
        states = runtime.once([encoded.ids])
        made = pooled(NumpyArrays(), states, np.ones((1, len(encoded.ids)), np.float32), spec.head)
        np.testing.assert_allclose(made, embedder.embed([text], "document").vectors, atol=1e-5)


def test_each_token_has_its_state_at_length_one_and_special_tokens_have_none(folder):
    model = load(str(folder), "f32")
    spec = model.spec
    runtime = usual_source(spec).runtime(TokenHead(spec.id), "f32", model.max_tokens)
    for text, made in zip(TEXTS, model.token_engine.embed(TEXTS), strict=True):
        (encoded,) = model.tokens.encode([text])
        assert made.ids.tolist() == list(encoded.ids[1:-1])
        expected = unit_rows(runtime.once([encoded.ids])[0][1:-1])
        np.testing.assert_allclose(made.vectors, expected, atol=1e-5)


def test_texts_of_any_length_in_any_order_are_the_same_as_alone(folder):
    engine = load(str(folder), "f32").token_engine
    texts = ["rotate the key " * count for count in (1, 9, 2, 40, 3, 1, 7) * 30]
    for text, made in zip(texts, engine.stream(texts), strict=True):
        (alone,) = engine.embed([text])
        assert made.ids.tolist() == alone.ids.tolist()
        np.testing.assert_allclose(made.vectors, alone.vectors, atol=1e-5)


def test_a_text_beyond_the_limit_is_read_in_windows_or_cut(folder):
    engine = load(str(folder), "f32").token_engine  # whose limit is 24 tokens, two of them special
    long = "rotate the key " * 20
    (made,) = engine.embed([long])
    assert len(made.ids) == 60 and made.vectors.shape == (60, engine.width)
    (second,) = engine.embed([" ".join(long.split()[22:44])])
    np.testing.assert_allclose(made.vectors[22:44], second.vectors, atol=1e-5)
    (head,) = engine.embed([long], whole=False)
    np.testing.assert_allclose(head.vectors, made.vectors[:22], atol=1e-5)


def test_a_prompt_is_read_and_has_no_vectors(folder):
    engine = load(str(folder), "f32").token_engine
    (made,), (bare,) = engine.embed(["the key"], "rotate "), engine.embed(["the key"])
    (joined,) = engine.embed(["rotate the key"])
    assert made.ids.tolist() == bare.ids.tolist()
    np.testing.assert_allclose(made.vectors, joined.vectors[1:], atol=1e-5)
    assert not np.allclose(made.vectors, bare.vectors, atol=1e-3)


def test_texts_without_tokens(folder):
    engine = load(str(folder), "f32").token_engine
    assert engine.embed([]) == []
    assert [one.vectors.shape for one in engine.embed(["", " "])] == [(0, engine.width)] * 2


def test_weights_that_were_exchanged_since_they_were_hashed_are_refused(folder, tmp_path):
    """The graph of tokens may be built long after that of the pooled vectors, from files that are read again."""
    model = load(str(folder), "f32")
    model.engine  # noqa: B018 -- hashed, and built once
    other = write_model(tmp_path / "other", CASES["bert"], seed=8)
    (other / "model.safetensors").replace(folder / "model.safetensors")
    with pytest.raises(DigestMismatch, match="changed while it was in use"):
        model.token_engine  # noqa: B018


def test_a_file_that_pools_by_itself_has_no_tokens():
    with pytest.raises(ModelUnsupported, match="one vector a text"):
        TokenHead("m").pooled_already(NumpyArrays(), np.zeros((1, 4), np.float32))
