"""A chat model below the run's spend cap."""

from __future__ import annotations

import pytest

from embassay.chat.capped import CappedChat
from embassay.chat.client import ChatSettings
from embassay.embedders.wrap.budget import Budget
from embassay.errors import (
    BadReply,
    BillingMismatch,
    ConfigError,
    KeyMissing,
    ProviderDown,
    ProviderError,
    SpendCapReached,
)
from tests.evaluate.judge.test_generate import chat_body
from tests.servers import Answer, Received, serving

PRICES = (1.0, 10.0)
"""USD per million tokens in and out."""


def settings(url: str, **more) -> ChatSettings:
    given = {"api_key": "sk-test-key-0000", "max_reply_tokens": 100, "retries": 0, **more}
    return ChatSettings(model_id="m", base_url=f"{url}/v1", **given)


def test_what_an_answer_took_is_taken_off():
    budget = Budget(1.0)
    with serving(lambda _: Answer(chat_body("a question?"))) as server:
        chat = CappedChat(settings(server.url), budget, PRICES)
        said = chat.say("ask me something")
        chat.close()
    assert said.text == "a question?" and said.tokens_in and said.tokens_out
    assert budget.spent == pytest.approx((said.tokens_in * PRICES[0] + said.tokens_out * PRICES[1]) / 1e6)
    assert budget.remaining == pytest.approx(1.0 - budget.spent)


def test_nothing_is_sent_beyond_the_cap():
    budget = Budget(0.0005)  # less than a hundred tokens out at their highest price
    with serving(lambda _: Answer(chat_body("a question?"))) as server:
        chat = CappedChat(settings(server.url), budget, PRICES)
        with pytest.raises(SpendCapReached):
            chat.say("ask me something")
        assert not server.received
    assert budget.spent == 0


def test_an_answer_that_does_not_say_what_it_took_has_taken_the_most():
    budget = Budget(1.0)
    body = chat_body("a question?")
    body.pop("usage", None)
    with serving(lambda _: Answer(body)) as server:
        chat = CappedChat(settings(server.url), budget, PRICES)
        chat.say("ask me something")
    assert budget.spent >= 100 * PRICES[1] / 1e6


@pytest.mark.parametrize(
    ("answer", "is_billed"),
    [
        (Answer(chat_body("a question?"), cut=10), True),
        (Answer(b"", status=500), False),
        (Answer({"error": {"message": "Incorrect API key"}}, status=401), False),
        (Answer({"error": {"message": "no such model"}}, status=404), False),
    ],
    ids=["no whole answer", "failed", "no key", "no model"],
)
def test_what_got_no_whole_answer_counts_as_billed_and_what_was_refused_does_not(answer, is_billed):
    budget = Budget(1.0)
    with serving(lambda _: answer) as server:
        chat = CappedChat(settings(server.url), budget, PRICES)
        with pytest.raises(ProviderError):
            chat.say("ask me something")
    assert (budget.spent > 0) == is_billed


def test_what_is_never_sent_costs_nothing(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    budget = Budget(1.0)
    with pytest.raises(KeyMissing):
        CappedChat(ChatSettings(model_id="m", retries=0), budget, PRICES).say("ask me something")
    with pytest.raises(ProviderDown):
        CappedChat(settings("http://127.0.0.1:9"), budget, PRICES).say("ask me something")
    assert budget.spent == 0


def test_an_unreadable_answer_to_a_request_that_was_refused_before_is_billed():
    def handle(request: Received) -> Answer:
        if "temperature" in request.json:
            return Answer({"error": {"message": "Unsupported parameter: temperature"}}, status=400)
        return Answer(b"no JSON")

    budget = Budget(1.0)
    with serving(handle) as server:
        with pytest.raises(BadReply):
            CappedChat(settings(server.url), budget, PRICES).say("ask me something")
        assert len(server.received) == 2
    assert budget.spent > 0


def test_a_cap_needs_a_price(monkeypatch):
    paid = ChatSettings(model_id="m", api_key="sk-test-key-0000")
    with pytest.raises(ConfigError, match="price"):
        CappedChat(paid, Budget(1.0), None)
    CappedChat(paid, None, None)
    CappedChat(settings("http://localhost:1"), Budget(1.0), None)  # a server of one's own bills nothing


@pytest.mark.parametrize("said", [0, -300_000, 1e308, "7", True, 7.5, None, 10**30], ids=repr)
def test_a_cap_holds_whatever_a_service_says(said):
    """Each answer costs 0.001 USD at most: a hundred tokens out."""
    body = chat_body("a question of several words? " * 3)
    body["usage"] = {"prompt_tokens": said, "completion_tokens": said}
    budget = Budget(0.02)
    with serving(lambda _: Answer(body)) as server:
        chat = CappedChat(settings(server.url), budget, PRICES)
        with pytest.raises((SpendCapReached, BillingMismatch)):
            for _ in range(1000):
                chat.say("ask me something")
        assert len(server.received) < 110
    assert 0 < budget.spent <= 0.02


def test_a_service_that_bills_ten_times_as_much_is_stopped():
    body = chat_body("a question?")
    body["usage"] = {"prompt_tokens": 100, "completion_tokens": 1000}
    budget = Budget(1.0)
    with serving(lambda _: Answer(body)) as server:
        chat = CappedChat(settings(server.url), budget, PRICES)
        with pytest.raises(BillingMismatch, match="tokens out: it says that it billed 3,000"):
            for _ in range(1000):
                chat.say("ask me something")
        assert len(server.received) == 3
    assert budget.spent == pytest.approx(3 * (100 * 1.0 + 1000 * 10.0) / 1e6)


def test_an_attempt_without_an_answer_counts_and_the_next_needs_room():
    body = chat_body("a question?")
    body["usage"] = {"prompt_tokens": 5, "completion_tokens": 5}
    budget = Budget(0.002)  # for one answer at its highest price
    with serving(lambda _: Answer(body, cut=10)) as server:
        chat = CappedChat(settings(server.url, retries=5), budget, PRICES)
        with pytest.raises(SpendCapReached):
            chat.say("ask me something")
        assert len(server.received) == 1
    assert 0.001 < budget.spent <= 0.002


@pytest.mark.parametrize("prices", [(float("nan"), 1.0), (1.0, float("inf")), (-1.0, 1.0)], ids=repr)
def test_prices_that_are_none(prices):
    with pytest.raises(ConfigError, match="no sums of money"):
        CappedChat(settings("http://localhost:1"), Budget(1.0), prices)
