"""A chat model as a reranker: windows from the back, and whatever it says."""

from __future__ import annotations

import re

import pytest

from embassay.errors import BadReply, ConfigError, ProviderDown, SpendCapReached
from embassay.reranking.rerankers.llm import numbers_in
from tests.reranking.making import session
from tests.reranking.services import overlap
from tests.servers import Answer, serving

QUERY = "how do I rotate a key"


def saying(text: str, **usage: int):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return Answer({"id": "1", "choices": [choice], "usage": usage or {"prompt_tokens": 300, "completion_tokens": 20}})


def passages(request) -> int:
    return len(re.findall(r"^\[\d+\] ", request.json["messages"][0]["content"], re.MULTILINE))


def test_the_best_of_all_is_carried_to_the_front_through_windows_that_overlap(server, tmp_path):
    texts = [f"nothing of use {n}" for n in range(44)] + ["how do I rotate a key"]
    with session("llm", server.url, tmp_path) as models:
        made = models.rerank(QUERY, texts)
    assert made.order[0] == 44 and made.scores.max() == 1.0
    assert [passages(one) for one in server.received] == [20, 20, 20, 15]
    assert made.usage.requests == 4


def test_places_are_scores_that_go_down(server, tmp_path):
    texts = ["a key", "how do I rotate a key", "rotate a key", "apples"]
    with session("llm", server.url, tmp_path) as models:
        made = models.rerank(QUERY, texts)
    assert made.order == sorted(range(4), key=lambda at: -overlap(QUERY, texts[at]))
    assert made.scores[made.order].tolist() == [1.0, 0.75, 0.5, 0.25]


def test_one_text_and_none_need_no_model(server, tmp_path):
    with session("llm", server.url, tmp_path) as models:
        assert models.rerank(QUERY, ["a key"]).scores.tolist() == [1.0]
        assert models.rerank(QUERY, []).scores.shape == (0,)
        assert models.rerank(QUERY, ["", "a key", " "]).order == [1, 0, 2]
    assert not server.received


@pytest.mark.parametrize(
    ("answer", "order"),
    [
        ("[3] > [1] > [2]", [2, 0, 1]),
        ("3 > 1 > 2", [2, 0, 1]),
        ("<think>[1] > [2] > [3], or [2]?</think>\n[3] > [2] > [1]", [2, 1, 0]),
        ("<think>[1] > [2]", None),
        ("I read [1], [2] and [3]. The order is [2] > [3] > [1].", [1, 2, 0]),
        ("```json\n[2, 1, 3]\n```", [1, 0, 2]),
        ("The best passage is 2.", [1, 0, 2]),
        ("[2]\n[3]\n[1]", [1, 2, 0]),
        ("[2] > [2] > [9] > [0] > [1]", [1, 0, 2]),
        ("1. [3]\n2. [1]\n3. [2]", None),
        ("I cannot say.", None),
        ("", None),
    ],
)
def test_whatever_it_says_no_passage_is_lost(answer, order, tmp_path):
    with serving(lambda request: saying(answer)) as server, session("llm", server.url, tmp_path) as models:
        if order is None and not numbers_in(re.sub(r"<think>.*", "", answer)):
            with pytest.raises(BadReply, match="names none of the 3 passages"):
                models.rerank(QUERY, ["a", "b", "c"])
            return
        made = models.rerank(QUERY, ["a", "b", "c"])
    assert sorted(made.order) == [0, 1, 2]
    assert order is None or made.order == order


def test_a_list_that_was_ranked_is_kept_as_a_list(server, tmp_path):
    with session("llm", server.url, tmp_path) as models:
        texts = ["a key", "rotate a key", "apples"]
        first = models.rerank(QUERY, texts)
        again = models.rerank(QUERY, texts)
        assert again.scores.tolist() == first.scores.tolist() and again.cached.all() and len(server.received) == 1
        models.rerank(QUERY, texts[:2])
        assert len(server.received) == 2, "the places of another list say nothing of this one"


def test_long_passages_are_cut_and_flagged(server, tmp_path):
    with session("llm", server.url, tmp_path, passage_tokens=20) as models:
        made = models.rerank(QUERY, ["key " * 500, "a key"])
    assert made.truncated.tolist() == [True, False]
    assert len(server.received[0].body) < 2_500


def test_messages_are_counted_below_the_cap(server, tmp_path):
    prices = {"usd_per_million_tokens": 1000.0, "usd_per_million_tokens_out": 1000.0, "max_reply_tokens": 100}
    with session("llm", server.url, tmp_path, spend=1.2, **prices) as models:
        made = models.rerank(QUERY, ["a key", "apples"])
        assert 0 < made.usage.usd < 1.2
        with pytest.raises(SpendCapReached):
            for n in range(9):
                models.rerank(QUERY, [f"key {n}", "apples"])


def test_without_a_price_no_message_is_sent_below_a_cap(tmp_path):
    with session("llm", "", tmp_path, spend=1.0, base="") as models, pytest.raises(ConfigError, match="price"):
        models.rerank(QUERY, ["a key", "apples"])


def test_windows_have_to_overlap(tmp_path):
    with pytest.raises(ConfigError, match="step is 30, it must be from 1 to the window of 20"):
        with session("llm", "http://127.0.0.1:9", tmp_path, step=30) as models:
            models.rerank(QUERY, ["a", "b"])


def test_a_model_that_is_down_is_an_error_of_ours(tmp_path):
    down = Answer(b"", 503)
    with serving(lambda request: down) as server, session("llm", server.url, tmp_path, deadline=1) as models:
        with pytest.raises(ProviderDown):
            models.rerank(QUERY, ["a", "b"])
