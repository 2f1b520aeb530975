"""Every supported architecture against vectors made by sentence-transformers (tests/make_golden.py)."""

import json
from pathlib import Path

import numpy as np
import pytest

from embassay.embedders.providers.local import open_local
from tests.tiny import CASES, TEXTS, write_model

GOLDEN = Path(__file__).parents[1] / "golden"
LEAST = {"f32": 0.99999, "bf16": 0.998, "int8": 0.98}
"""A random-weight model of width 32 is far harsher on int8 than a trained one: its channels have no structure."""


def cosines(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("precision", LEAST)
def test_same_vectors_as_the_reference(name, precision, tmp_path):
    golden = json.loads((GOLDEN / f"{name}.json").read_text())["vectors"]
    embedder = open_local(str(write_model(tmp_path / name, CASES[name])), precision=precision)
    for role in ("query", "document"):
        made = embedder.embed(TEXTS, role).vectors
        assert cosines(made, golden[role]).min() >= LEAST[precision]
        if precision == "f32":
            np.testing.assert_allclose(made, golden[role], atol=2e-4)


@pytest.mark.parametrize("name", ["bert", "mpnet", "bert-prompts"])
def test_stream_and_single_agree_with_batch(name, tmp_path):
    embedder = open_local(str(write_model(tmp_path / name, CASES[name])), precision="f32")
    texts = [text[: 1 + i % 40] for i, text in enumerate(TEXTS * 50)]
    batch = embedder.embed(texts, "document")
    blocks = list(embedder.stream(iter(texts), "document"))
    np.testing.assert_allclose(np.concatenate([b.vectors for b in blocks]), batch.vectors, atol=1e-5)
    assert [n for b in blocks for n in b.tokens] == batch.tokens
    single = np.concatenate([embedder.embed([text], "document").vectors for text in texts[:12]])
    np.testing.assert_allclose(single, batch.vectors[:12], atol=1e-5)


def test_relative_buckets_follow_the_paper():
    from embassay.engine.graph import relative_buckets

    distances = np.array([0, 1, -1, 7, 8, -8, 127, 128, 500, -500])
    assert relative_buckets(distances, 32).tolist() == [0, 17, 1, 23, 24, 8, 31, 31, 31, 15]
