"""Nothing is sent that the budget does not cover."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import HashEmbedder
from embassay.embedders.wrap.budget import Budget, Order, Paid
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.wrap.capped import Capped
from embassay.errors import ConfigError, ProviderDown, SpendCapReached, TextTooLong
from embassay.space import Space
from tests.embedders.fakes import Counting, counting


def test_spending_stops_before_the_cap_and_goes_on_later(cache):
    texts = [f"a sentence of some words, number {i}" for i in range(1000)]
    made = 0
    for _ in range(20):
        inner = counting(price=100.0)
        budget = Budget(0.5)
        try:
            made = sum(len(b) for b in Cached(Capped(inner, budget), Keeper(cache)).stream(texts, "document"))
        except SpendCapReached as error:
            assert 0.4 < budget.spent <= 0.5
            assert "Raise spend_cap_usd" in str(error)
            continue
        break
    assert made == 1000
    assert cache.stats().entries == 1000


def test_a_cap_needs_a_price():
    unknown = counting()
    unknown._price = None
    with pytest.raises(ConfigError, match="price of hash/64 is not known"):
        Capped(unknown, Budget(1)).embed(["a"], "query")
    assert unknown.texts == []


def test_a_split_text_is_reserved_with_all_its_prompts():
    class Prompted(Counting):
        @property
        def space(self) -> Space:
            return replace(self.inner.space, document_prompt="a prompt of very many words " * 4)

    inner = Prompted(HashEmbedder(64), price=1000.0, limit=40)
    budget = Budget(0.02)
    with pytest.raises(SpendCapReached):
        Capped(inner, budget).embed(["word " * 300], "document", "split")
    assert inner.texts == []


def test_a_refused_text_that_is_billed_all_the_same_does_not_make_others_dear():
    inner = counting(price=1000.0)
    inner.refuses = "BAD"
    capped = Capped(inner, budget := Budget(4.0))
    long = "BAD " + "word " * 300
    (block,) = capped.stream(["a", long], "document")
    assert list(block.refused) == [1] and budget.spent > 0.2
    (block,) = capped.stream(["word " * 300], "document")
    assert block.vectors.any(), "it costs a tenth of what is left"


def test_a_budget_knows_what_is_left():
    budget = Budget(1.0)
    assert budget.promise(0.6)
    assert not budget.promise(0.5)
    assert budget.remaining == pytest.approx(0.4)
    budget.release(0.6)
    with budget.charge(Order("m", "document", 0.6)) as charge:
        assert budget.remaining == pytest.approx(0.4) and budget.spent == 0
        charge.settle(Paid(0.1))
        charge.settle(Paid(0.5))
    assert (budget.spent, budget.remaining) == (pytest.approx(0.1), pytest.approx(0.9))
    with pytest.raises(SpendCapReached, match=r"m: the spend cap of \$1 is reached \(\$0.1000 spent\)"):
        budget.charge(Order("m", "document", 0.95))
    with budget.charge(Order("m", "document", 0.9)):
        pass
    assert budget.remaining == pytest.approx(0), "whether it was served, nobody can tell"


def test_room_is_waited_for_while_a_request_is_under_way():
    budget = Budget(1.0)
    first = budget.charge(Order("m", "document", 0.9))
    threading.Timer(0.2, first.settle, [Paid(0.1)]).start()
    budget.charge(Order("m", "document", 0.8)).settle(Paid(0.8))
    assert budget.spent == pytest.approx(0.9)


def test_what_was_under_way_when_a_stream_ended_counts_as_spent():
    """Whether it was sent, nobody can tell."""
    inner = counting(price=100.0)
    budget = Budget(10.0)
    stream = Capped(inner, budget).stream((f"text {i}" for i in range(1000)), "document")
    settled = next(stream).usage.usd
    assert budget.spent == pytest.approx(settled)
    inner.fails = True
    with pytest.raises(ProviderDown):
        next(stream)
    assert budget.spent > settled * 1.9
    assert budget.spent + budget.remaining == pytest.approx(budget.usd)


@pytest.mark.parametrize("at", [3, 120, 260])
def test_the_position_of_a_long_text_is_that_of_the_caller(at):
    texts = [f"text {i}" for i in range(300)]
    texts[at] = "word " * 30
    with pytest.raises(TextTooLong) as caught:
        list(Capped(counting(price=1.0, limit=20), Budget(100.0)).stream(texts, "document", "error"))
    assert caught.value.position == at
