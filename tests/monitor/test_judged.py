"""Sampled judgments by a chat model: off by default, each paid once, below a cap, and held against what was before."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest

from embassay.config.reading import load_config
from embassay.config.values import Config, EmbeddingsConfig, MonitorConfig, QueryLogConfig, SampledJudging
from embassay.errors import ConfigError
from embassay.home import open_home
from embassay.monitor import sampling
from embassay.monitor.monitor import Monitor
from embassay.monitor.signals import judged
from embassay.session import Session
from embassay.sets.monitoring.judgments import Judgment
from tests.evaluate.judge.chat_server import chat_body, message
from tests.monitor.windows import searches, watched
from tests.servers import Answer, Server, serving

PRICES = {"usd_per_million_tokens": 1.0, "usd_per_million_tokens_out": 10.0, "max_reply_tokens": 100}
WORDS = ["rotate the key", "restart a worker", "deploy at night", "proxy settings", "log in again"]


def saying(request, text):
    """The answer of a service that counts tokens as they are."""
    body = chat_body(text)
    body["usage"] = {"prompt_tokens": len(message(request)) // 4, "completion_tokens": 8}
    return Answer(body)


def grading(grade):
    return lambda request: saying(request, f'{{"grade": {grade(message(request))}}}')


def price(server):
    """What the answers of a server cost."""
    return sum(len(message(one)) // 4 * 1.0 + 8 * 10.0 for one in server.received) / 1e6


@contextmanager
def home_of(docs, url, *, share=1.0, cap_usd=1.0, queries="kept", spend_cap_usd=None, **chat):
    config = Config(
        query_log=QueryLogConfig(queries=queries),
        embeddings=EmbeddingsConfig(spend_cap_usd=spend_cap_usd),
        monitor=MonitorConfig(judge=SampledJudging(share=share, cap_usd=cap_usd)),
        chat={"model_id": "judge-1", "base_url": f"{url}/v1", "api_key": "k", "retries": 0} | PRICES | chat,
    )
    file = docs.parent / "cache" / "cache.db"
    with Session(config, cache_file=file) as session, open_home(docs.parent / ".embassay", session=session) as home:
        if not home.holds("default"):
            home.index([docs], model="hash/64")
        yield home


def ask(home, count):
    for at in range(count):
        home.search(f"{WORDS[at % 5]} number {at}")


def reading(home, *, clock=time.time):
    found = [one.reading for one in Monitor(home, "default", clock=clock).read(("daily",)) if one.signal == "judged"]
    return found[0] if found else None


def test_it_is_off_by_default_and_asks_nobody(docs):
    assert MonitorConfig().judge.share == 0
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url, share=0.0) as home:
        ask(home, 12)
        assert reading(home) is None and not server.received


def test_each_search_is_judged_once_and_the_cost_is_counted(docs):
    with serving(grading(lambda asked: 2 if "key" in asked.split("Query: ")[1].splitlines()[0] else 0)) as server:
        with home_of(docs, server.url) as home:
            ask(home, 20)
            one = reading(home)
            assert one.state == "ok" and one.value == pytest.approx(4 / 20)
            assert (
                "4 of 20 searches" in one.evidence
                and "by judge-1" in one.evidence
                and "20 were judged now" in one.evidence
            )
            assert one.figures["usd"] == pytest.approx(price(server))
            assert f"${price(server):.4f} of at most $1" in one.evidence
            assert 0 < one.figures["low"] < one.value < one.figures["high"] < 1
            assert not any(word in one.evidence for word in ("rotate", "worker"))
            entries = home.session.models.ledger.entries(sampling.Term())
            assert [(e.purpose, e.role, e.requests) for e in entries if e.usd] == [("monitor judge", "chat", 20)]
            passages = message(server.received[0]).split("[1] ")[1]
            texts = [" ".join(chunk.indexed.split()) for chunk in home.set("default").chunks()]
            assert "[2] " in passages and any(text[:30] in passages for text in texts)
        with home_of(docs, server.url) as home:
            again = reading(home)
            assert again.value == one.value and again.figures["asked"] == 0 and again.figures["usd"] == 0
            assert again.figures["month_usd"] == pytest.approx(price(server)) and len(server.received) == 20
            assert home.query_log.clear() == 20
            assert reading(home).figures["judged"] == 0, "a judgment goes with its search"


def test_a_share_is_drawn_by_chance_and_the_same_by_everybody():
    waiting = [(at, f"search{at}") for at in range(1000)]
    few = sampling.draw(waiting, 0.02)
    assert 8 < len(few) < 35 and few == sampling.draw(waiting[::-1], 0.02)
    assert len(sampling.draw(waiting, 1.0)) == sampling.MOST
    left = [one for one in waiting if one not in few]
    assert not sampling.draw(left, 0.02), "what was not drawn is not drawn the next time"


def test_it_stops_at_the_cap_and_goes_on_when_it_is_raised(docs):
    most = 0.005
    with serving(grading(lambda _: 2)) as server:
        with home_of(docs, server.url, cap_usd=most) as home:
            ask(home, 30)
            one = reading(home)
            assert 0 < len(server.received) < 30 and one.figures["month_usd"] <= most
            assert "The cap is reached" in one.evidence
            sent = len(server.received)
            assert reading(home).figures["asked"] == 0 and len(server.received) == sent
        with home_of(docs, server.url) as home:
            assert reading(home).figures["asked"] == 30 - sent and len(server.received) == 30


def test_the_cap_of_all_spending_holds_too(docs):
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url, spend_cap_usd=0.005) as home:
        ask(home, 30)
        one = reading(home)
        assert 0 < len(server.received) < 30 and "spend cap of $0.005" in one.evidence


def test_without_a_price_no_cap_can_be_kept_and_nothing_is_asked(docs):
    with home_of(docs, "https://chat.invalid", usd_per_million_tokens=None) as home:
        ask(home, 12)
        one = reading(home)
        assert one.state == "unknown" and "the price of chat model judge-1 is not known" in one.evidence
        assert "usd_per_million_tokens" in one.remedy.in_shell()


def test_nonsense_is_said_and_what_was_judged_is_kept(docs):
    with serving(lambda one: saying(one, "I would rather not say.")) as server, home_of(docs, server.url) as home:
        ask(home, 15)
        one = reading(home)
        assert one.state == "unknown" and "name no grade" in one.evidence and len(server.received) == sampling.NONSENSE
        server.handle = grading(lambda _: 2)
        assert reading(home).figures["judged"] == 12, "those are not asked about again"


@pytest.mark.parametrize("fault", [Answer(b"<html>", 200), Answer({"error": {"message": "no"}}, 500)])
def test_a_service_that_fails_is_told_as_such(docs, fault):
    good, answers = grading(lambda _: 2), []

    def failing(request):
        answers.append(request)
        return good(request) if len(answers) <= 4 else fault

    with serving(failing) as server, home_of(docs, server.url) as home:
        ask(home, 14)
        one = reading(home)
        assert one.state == "unknown" and one.figures["asked"] == 4
        server.handle = good
        later = reading(home)
        assert later.state == "ok" and later.figures["judged"] == 14 and later.figures["asked"] == 10


def test_a_service_that_is_down(docs):
    server = Server(grading(lambda _: 2))
    server.close()
    with home_of(docs, server.url) as home:
        ask(home, 12)
        one = reading(home)
        assert one.state == "unknown" and "judge-1" in one.evidence


def test_two_monitors_at_once_pay_once(docs):
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url) as home:
        ask(home, 30)
        with home_of(docs, server.url) as other:
            both = [threading.Thread(target=reading, args=(one,)) for one in (home, other)]
            for one in both:
                one.start()
            for one in both:
                one.join()
        asked = [message(one) for one in server.received]
        assert len(asked) == len(set(asked)) == 30
        assert reading(home).figures["judged"] == 30


def test_a_log_of_hashes_cannot_be_judged(docs):
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url, queries="hashed") as home:
        ask(home, 12)
        one = reading(home)
        assert one.state == "unknown" and "keeps hashes" in one.evidence and not server.received
        assert "query_log" in one.remedy.in_shell()


def test_a_search_that_found_nothing_is_not_asked_about(docs):
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url) as home:
        for at in range(12):
            home.search(f"zebra{at}", mode="lexical")
        one = reading(home)
        assert one.value == 0 and one.figures["usd"] == 0 and not server.received


def test_hits_that_are_gone_are_not_judged(docs):
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url) as home:
        ask(home, 12)
        for file in docs.rglob("*.md"):
            file.write_text("# Another\n\nAnother text.\n")
        home.index([docs])
        assert reading(home).figures["judged"] == 0 and not server.received


def test_a_file_that_nobody_agreed_to_has_nothing_sent(docs, tmp_path, monkeypatch):
    with serving(grading(lambda _: 2)) as server, home_of(docs, server.url) as home:
        ask(home, 12)
    monkeypatch.chdir(docs.parent)
    (docs.parent / "embassay.yaml").write_text("monitor: {judge: {share: 1.0}}\n")
    with pytest.raises(ConfigError, match="sent to a chat model"):
        load_config().judging()
    (docs.parent / "embassay.yaml").write_text("monitor: {judge: {share: 1.5}}\n")
    with pytest.raises(ConfigError, match="from 0 to 1"):
        load_config()


def judgments(grades, first=0.0, feedback=()):
    return [
        Judgment(first + at, grade, "m", at < len(feedback), at < len(feedback) and feedback[at])
        for at, grade in enumerate(grades)
    ]


def said(judgments, **rest):
    made = sampling.JudgedSearches("m", judgments, 0, 0.0, 0.0, 1.0, 0.0)
    (one,) = judged.read(watched(searches(0), judged=lambda: made, **rest))
    return one


NOW = 1e9 - 1000


def test_a_share_that_fell_alerts_and_one_that_went_up_does_not():
    good, bad = [2] * 45 + [1] * 5, [2] * 25 + [0] * 25
    fell = said(judgments(good + bad, NOW))
    assert fell.state == "alert" and fell.value == 0.5 and fell.figures["usual"] == 0.9
    assert "90% of 50 before" in fell.evidence and "monitor report" in fell.remedy.in_shell()
    assert said(judgments(bad + good, NOW)).state == "ok"
    assert said(judgments(good + good, NOW)).state == "ok"
    assert said(judgments(good + bad, NOW), tolerance=fell.tolerated_at).state != "alert"


def test_few_judgments_say_nothing():
    assert said(judgments([0] * 9, NOW)).state == "unknown"
    assert said(judgments([0] * 30, NOW)).state == "ok"
    assert said(judgments([0] * 30, 0.0)).state == "unknown", "they are too old"


def test_agreement_with_people():
    grades = [2] * 10 + [0] * 10
    people = [True] * 9 + [False] + [False] * 8 + [True] * 2
    one = said(judgments(grades, NOW, people))
    assert one.figures["agreement"] == pytest.approx(17 / 20) and one.figures["kappa"] == pytest.approx(0.7)
    assert "85% of 20 searches with feedback (Cohen's kappa 0.70)" in one.evidence
    few = said(judgments(grades, NOW, people[:9]))
    assert "not enough" in few.evidence and "kappa" not in few.figures
    same = said(judgments([2] * 20, NOW, [True] * 20))
    assert same.figures["kappa"] is None and "cannot be told" in same.evidence


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ('{"grade": 2}', 2),
        ('```json\n{"grade": "1"}\n```', 1),
        ("0", 0),
        ("Grade: 2, since [1] answers it.", 2),
        ('{"grade": 2} or {"grade": 0}', None),
        ('{"grade": 3}', None),
        ('{"grade": 1.5}', None),
        ("", None),
        ("There are 2 passages.", None),
    ],
)
def test_grades(answer, grade):
    assert sampling.grade_in(answer) == grade
