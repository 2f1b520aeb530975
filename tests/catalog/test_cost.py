"""What a folder costs, by hand."""

from __future__ import annotations

import pytest

from embassay.catalog.cost import EmbeddingSpeed, Workload, estimate_cost


def test_cost_by_hand():
    work = Workload(documents=10, chunks=1000, tokens=500_000, text_bytes=2_000_000)
    hosted = estimate_cost(
        "m", work, dimensions=1536, price=0.02, monthly_change=0.1, token_error=0.25,
        speed=EmbeddingSpeed(None, 100, 300_000, 2, how="x"),
    )  # fmt: skip
    assert hosted.first.usd == pytest.approx(0.01)
    assert hosted.first.seconds == pytest.approx(10 * 0.5 / 2)
    assert (hosted.monthly.chunks, hosted.monthly.tokens) == (100, 50_000)
    assert hosted.monthly.usd == pytest.approx(0.001)
    local = estimate_cost(
        "l", work, dimensions=384, price=0.0, monthly_change=0.0, speed=EmbeddingSpeed(10_000.0, how="measured")
    )
    assert (local.first.seconds, local.first.usd, local.monthly.chunks) == (50.0, 0.0, 0)
    limited = EmbeddingSpeed(None, 1000, None, 8, tokens_per_minute=100_000)
    assert limited.seconds(1000, 500_000) == 300
