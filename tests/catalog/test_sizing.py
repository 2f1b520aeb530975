"""What an index takes: arithmetic that can be done by hand."""

from __future__ import annotations

import pytest

from embassay.catalog.catalog import shipped
from embassay.catalog.machine import Machine
from embassay.catalog.sizing import Load, size_index, too_slow

CARDS = shipped().models
SMALL = CARDS["BAAI/bge-small-en-v1.5"]
MINILM = CARDS["sentence-transformers/all-MiniLM-L6-v2"]


def test_bytes_of_ten_million_vectors():
    sizing = size_index(MINILM, Load(10_000_000, 5, 60), Machine())
    assert dict(sizing.vectors) == {"float32": 15_360_000_000, "int8": 3_840_000_000, "binary": 480_000_000}
    assert sizing.chosen.name.startswith("IVF")
    assert sizing.chosen.memory_bytes == 10_000_000 * (48 + 16)
    assert sizing.chosen.search_ms == pytest.approx(5.3 + 640 * 4096 * 8.7e-6)
    assert sizing.memory_gb == 1, "640 MB and 91 MB of weights, times 1.3"
    assert sizing.disk_bytes == pytest.approx(10_000_000 * (1536 + 560) * 1.9)


def test_few_vectors_are_scanned_exactly():
    sizing = size_index(MINILM, Load(50_000), Machine())
    assert sizing.chosen.name == "exact scan of float32" and sizing.chosen.cores == 2
    assert sizing.chosen.search_ms == pytest.approx(50_000 * 384 * 4 / 10e9 * 1e3)


def test_more_queries_need_more_cores_and_never_fewer():
    cores = [size_index(MINILM, Load(1_000_000, qps, 200), Machine()).chosen.cores for qps in (1, 20, 100, 500)]
    assert cores == sorted(cores) and cores[0] == 2 and cores[-1] > cores[0]


def test_what_no_machine_meets_is_said():
    assert too_slow(MINILM, Load(10_000_000, 5, 60), Machine()) == ""
    assert "5 a second within 3 ms" in too_slow(MINILM, Load(10_000_000, 5, 3), Machine())
    assert "5e+06 a second" in too_slow(MINILM, Load(1_000, 5_000_000, 100), Machine())
    assert "200 ms to embed" in too_slow(CARDS["openai/text-embedding-3-small"], Load(1_000, 1, 150), Machine())
    assert too_slow(CARDS["openai/text-embedding-3-small"], Load(1_000, 1, 250), Machine()) == ""
    assert "not known" in too_slow(CARDS["allenai/scibert_scivocab_uncased"], Load(1_000), Machine())


def test_a_gpu_takes_embedding_off_the_cores():
    large = CARDS["intfloat/e5-mistral-7b-instruct"]
    assert too_slow(large, Load(10_000, 1, 100), Machine()) and not too_slow(
        large, Load(10_000, 1, 100), Machine(), gpu=True
    )


def test_more_dimensions_take_longer():
    small, large = (
        size_index(CARDS[name], Load(5_000_000, 1, 5000), Machine()) for name in (SMALL.id, "BAAI/bge-large-en-v1.5")
    )
    assert all(a.search_ms < b.search_ms for a, b in zip(small.kinds, large.kinds, strict=True))
