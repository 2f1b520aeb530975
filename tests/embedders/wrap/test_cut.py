"""Matryoshka: vectors cut to fewer dimensions."""

from __future__ import annotations

import numpy as np
import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.cut import Cut, check_dimensions, cut
from embassay.errors import DimensionsRefused
from tests.embedders.fakes import Lengths


def test_cut_vectors_are_the_renormalised_head(minilm):
    whole = minilm.embed(["rotate the key"], "query").vectors
    made = Cut(minilm, 64).embed(["rotate the key"], "query")
    head = whole[:, :64] / np.linalg.norm(whole[:, :64])
    assert np.allclose(made.vectors, head, atol=1e-6)
    assert made.space.transform == "matryoshka"
    assert made.space.dimensions == 64
    assert Cut(minilm, 384).space == minilm.space
    normed = (whole - whole.mean()) / np.sqrt(whole.var() + 1e-5)
    expected = normed[:, :64] / np.linalg.norm(normed[:, :64])
    assert np.allclose(cut(whole, 64, layer_norm=True), expected, atol=1e-5)


def test_a_layer_normalisation_before_the_cut_is_part_of_the_space():
    plain, normed = (Cut(HashEmbedder(64), 16, layer_norm=on) for on in (False, True))
    assert plain.space.transform == "matryoshka" and normed.space.transform == "layer-norm+matryoshka"
    assert not np.allclose(plain.embed(["a"], "query").vectors, normed.embed(["a"], "query").vectors)


def test_the_head_keeps_its_length_where_lengths_count():
    """Training fitted the dot products of the heads as they are."""
    whole = Lengths(HashEmbedder(64))
    made = Cut(whole, 16).embed(["a", "b"], "document")
    assert (made.vectors == whole.embed(["a", "b"], "document").vectors[:, :16]).all()
    assert (made.space.similarity, made.space.normalised, made.space.dimensions) == ("dot", False, 16)


def test_models_that_were_not_trained_for_it_are_refused():
    from embassay.catalog.catalog import shipped

    models = shipped().models
    with pytest.raises(DimensionsRefused, match=r"not trained to be cut \(Matryoshka\). Allowed: 384\."):
        check_dimensions("minilm", 128, models["sentence-transformers/all-MiniLM-L6-v2"])
    with pytest.raises(DimensionsRefused, match=r"Allowed: 64, 128, 256, 512, 768\."):
        check_dimensions("nomic", 100, models["nomic-ai/nomic-embed-text-v1.5"])
    with pytest.raises(DimensionsRefused, match="any from 1 to 1536"):
        check_dimensions("3-small", 3072, models["openai/text-embedding-3-small"])
    with pytest.raises(DimensionsRefused, match="nothing is known"):
        check_dimensions("x", 3, None)
    check_dimensions("3-small", 1, models["openai/text-embedding-3-small"])
