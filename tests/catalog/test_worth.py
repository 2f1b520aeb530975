"""What better answers have to be worth for a dearer model to pay for itself."""

from __future__ import annotations

from datetime import date

import pytest

from embassay.catalog.cost import Cost, EmbeddingSpeed, Workload, estimate_cost
from embassay.catalog.worth import QUERY_TOKENS, monthly_usd, worth
from embassay.errors import UsageError

WORK = Workload(documents=10, chunks=100, tokens=1_000_000, text_bytes=4_000_000)
FAST = EmbeddingSpeed(tokens_per_second=1000.0)


def cost(model: str, price: float | None, prompt: int = 0, as_of: str = "") -> Cost:
    return estimate_cost(
        model, WORK, dimensions=64, price=price, speed=FAST, monthly_change=0.05, query_prompt_tokens=prompt,
        priced=(as_of, ""),
    )  # fmt: skip


def test_a_year_by_hand():
    """A million tokens at first and 50,000 a month at $10 a million, and 12,000 queries of 16 + 4 tokens: $10 + $6 + $2.4."""
    free, dear = worth([cost("free", 0.0), cost("dear", 10.0, prompt=4)], 4.6, 1000)
    assert QUERY_TOKENS == 16
    assert (free.usd, free.extra_usd, free.points_to_pay) == (0, 0, 0)
    assert dear.usd == pytest.approx(18.4) == pytest.approx(dear.extra_usd) and dear.queries_usd == pytest.approx(2.4)
    assert dear.points_to_pay == pytest.approx(4.0) and dear.net_usd is None


def test_a_measured_gain_has_a_return():
    for gain, net in ((5.0, 4.6), (4.0, 0.0), (-1.0, -23.0)):
        _, dear = worth([cost("free", 0.0), cost("dear", 10.0, prompt=4)], 4.6, 1000, {"dear": gain})
        assert dear.net_usd == pytest.approx(net)


def test_a_price_that_is_not_known_is_held_against_nothing():
    known, unknown = worth([cost("known", 1.0), cost("unknown", None)], 1, 10, {"unknown": 3.0})
    assert known.extra_usd == 0
    assert (unknown.usd, unknown.extra_usd, unknown.points_to_pay, unknown.net_usd) == (None, None, None, None)


@pytest.mark.parametrize(
    ("value", "queries", "gains"), [(0, 1, {}), (float("nan"), 1, {}), (1, -1, {}), (1, 1, {"x": 1})]
)
def test_what_makes_no_sense_is_refused(value, queries, gains):
    with pytest.raises(UsageError):
        worth([cost("a", 1.0)], value, queries, gains)


@pytest.mark.parametrize(
    ("as_of", "days"), [("2026-08-06", 112), ("2026-11", 25), ("2026", 329), ("", None), ("lately", None), ("2027", 0)]
)
def test_the_age_of_a_price(as_of, days):
    assert cost("a", 1.0, as_of=as_of).price_age_days(date(2026, 11, 26)) == days


def test_a_month_is_a_twelfth_of_a_year_behind_the_first_index():
    dear = cost("dear", 10.0, prompt=4)
    assert monthly_usd(dear, 1000) == pytest.approx(0.5 + 0.2)
    (year,) = worth([dear], 1.0, 1000)
    assert year.usd == pytest.approx(10 + 12 * 0.7)
    assert monthly_usd(cost("unknown", None), 1000) is None
