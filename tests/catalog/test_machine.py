"""Arithmetic of models and of their vectors."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.machine import Machine, flops_per_token, forms

CARDS = shipped().models


def test_forms_and_their_cost():
    full, cut, int8, binary = forms(CARDS["openai/text-embedding-3-small"], Machine(bandwidth=1e10))
    assert (full.bytes_per_million, cut.dimensions, int8.bytes_per_million, binary.bytes_per_million) == (
        6_144_000_000, 256, 1_536_000_000, 192_000_000,
    )  # fmt: skip
    assert full.search_ms_per_million == pytest.approx(614.4)
    assert [f.name for f in forms(CARDS["BAAI/bge-small-en-v1.5"], Machine())] == ["float32", "int8", "binary"]


def test_arithmetic_of_a_model():
    """23.5 MFLOP a token were measured for all-MiniLM-L6-v2, attention included."""
    assert flops_per_token(CARDS["sentence-transformers/all-MiniLM-L6-v2"]) == pytest.approx(22e6, rel=0.05)
    small, large = (Machine().query_ms(CARDS[f"intfloat/e5-{n}-v2"]) for n in ("small", "large"))
    assert small < 10 < large
