"""What a service says it billed is believed within what real tokenizers can make of a text."""

from __future__ import annotations

import pytest

from embassay.embedders.texts.bill import ABSURD, PERSISTENT, BillCheck, Counted, whole_number
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import BillingMismatch

PROSE = "The panel votes on the proposal in the second week of March, once all members have read the report. " * 40
TRUTH = {
    "cl100k_base, English": ("Old keys stay valid for a day after they are rotated.", 12),
    "BERT, German": ("Die Versicherungsgesellschaft zahlt nicht.", 13),
    "BERT, Russian": ("Старые ключи действуют ещё один день", 24),
    "Tekken, Russian": ("Старые ключи действуют ещё один день", 9),
    "digits one by one": ("4711 0815 2026 1999", 19),
    "bytes of emoji": ("🙂🙃🙂🙃", 16),
}
"""As the tokenizers themselves count, without special tokens."""


def counted(text: str) -> Counted:
    return Counted.of([text], EstimatedTokens(1 << 20).count([text])[0])


@pytest.mark.parametrize("name", TRUTH)
def test_real_tokenizers_are_plausible(name):
    text, tokens = TRUTH[name]
    band = counted(text)
    assert band.least <= tokens <= band.most
    assert BillCheck("m", 1.0).settle(tokens, band).counts == tokens


def test_a_band_is_not_so_wide_that_it_takes_anything():
    band = counted(PROSE)
    assert 0.6 < band.least / band.tokens < 0.7
    assert 1.7 < band.most / band.tokens < 1.8


@pytest.mark.parametrize("said", [0, 1])
def test_too_little_is_not_what_counts(said):
    band = counted(PROSE)
    settled = BillCheck("m", 1.0).settle(said, band)
    assert settled.tokens == settled.counts == band.tokens


@pytest.mark.parametrize("times", [3, 10, 100])
def test_too_much_counts_as_said(times):
    band = counted(PROSE)
    settled = BillCheck("m", 1.0).settle(times * band.tokens, band)
    assert settled.tokens == settled.counts == times * band.tokens


IMPOSSIBLE = [-1, -300_000, float("nan"), float("inf"), -float("inf"), 1e308, 10**40, 7.5, "7", "many", True, [7], {}]


@pytest.mark.parametrize("said", IMPOSSIBLE, ids=repr)
def test_numbers_that_none_can_be(said):
    band, bill = counted(PROSE), BillCheck("m", 1.0)
    settled = bill.settle(said, band)
    assert settled.tokens is None and settled.counts == band.most
    with pytest.raises(
        BillingMismatch, match=r"m: it says that it billed .* can be no number of tokens.*usage: ignored"
    ):
        bill.check()
    bill.check()  # it is told once: the next request may be better


@pytest.mark.parametrize("said", IMPOSSIBLE, ids=repr)
def test_nobody_cares_where_nothing_is_paid_for(said):
    bill = BillCheck("m", 0.0)
    assert bill.settle(said, counted(PROSE)).tokens is None
    bill.check()


@pytest.mark.parametrize("times", [0, 3])
def test_numbers_that_part_for_good(times):
    band, bill = counted(PROSE), BillCheck("m", 1.0)
    for _ in range(PERSISTENT - 1):
        bill.settle(times * band.tokens, band)
        bill.check()
    bill.settle(times * band.tokens, band)
    with pytest.raises(BillingMismatch, match="no count is that far off") as caught:
        bill.check()
    told = caught.value.to_dict()
    assert told["billed"] == 3 * times * band.tokens and told["counted"] == 3 * band.tokens
    assert [action["value"] for action in told["actions"]] == ["trusted", "ignored"]


def test_one_odd_number_among_many_is_an_accident():
    band, bill = counted(PROSE), BillCheck("m", 1.0)
    for said in (band.tokens, 0, *[band.tokens] * 20):
        bill.settle(said, band)
        bill.check()


def test_every_other_reply_bills_ten_times_as_much():
    band, bill = counted(PROSE), BillCheck("m", 1.0)
    for said in (band.tokens, 10 * band.tokens, band.tokens):
        bill.settle(said, band)
    with pytest.raises(BillingMismatch):
        bill.check()


def test_what_the_user_accepts():
    band = counted(PROSE)
    trusted, ignored = BillCheck("m", 1.0, "trusted"), BillCheck("m", 1.0, "ignored")
    for _ in range(10):
        assert trusted.settle(0, band).counts == 0
        assert ignored.settle(0, band).counts == band.most
        assert ignored.settle(-5, band).counts == band.most
    trusted.check()
    ignored.check()
    trusted.settle(-5, band)
    with pytest.raises(BillingMismatch):
        trusted.check()


def test_whole_numbers():
    assert [whole_number(said) for said in (7, 7.0, 0, None, False, 7.5)] == [7, 7, 0, None, None, None]
    assert ABSURD > 100
