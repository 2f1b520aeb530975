"""What requests of keys cost is theirs: in the ledger, also where several share a request to a service."""

import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from embassay.embedders.providers.hash import hashed
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.wrap.batched import Batching
from embassay.embedders.wrap.budget import Order, Paid
from embassay.embedders.wrap.payers import PAYERS, together
from embassay.models.ledger import Ledger, Payer, Term
from embassay.models.ledger_file import LEDGER
from embassay.models.registry import Registry
from embassay.server.keys.key import Grant
from embassay.server.keys.spend import purpose_of, spent_by_key
from embassay.server.keys.store import KeyStore
from embassay.shared_file import FileKind, SharedFile
from tests.models.test_ledger import PRICE, config
from tests.server.conftest import running
from tests.servers import Answer, openai_body, serving

ALL = Term()
US = Payer("run", "serve")


def by_purpose(ledger):
    return {entry.purpose: entry for entry in ledger.entries(ALL)}


def test_shares():
    assert together([]) == () == together([((), 5.0), ((), 1.0)])
    assert together([((("a", 1.0),), 30.0), ((), 10.0)]) == (("a", 0.75), ("", 0.25))
    assert together([((("a", 0.5), ("b", 0.5)), 2.0), ((("b", 1.0),), 2.0)]) == (("a", 0.25), ("b", 0.75))
    assert together([((("a", 1.0),), 0.0), ((("b", 1.0),), 0.0)]) == (("a", 0.5), ("b", 0.5))


def test_a_request_of_several_is_shared_and_adds_up(tmp_path):
    ledger = Ledger(tmp_path / "ledger.db")
    payers = (("key a", 0.5), ("key b", 0.3), ("", 0.2))
    for _ in range(3):
        key = ledger.reserve(US, Order("m", "document", 2.0, 7), Term(run="run"), None, payers)
        ledger.settle(key, Paid(1.0, 1001, 0.9))
    found = by_purpose(ledger)
    assert {name: round(one.usd, 9) for name, one in found.items()} == {"key a": 1.5, "key b": 0.9, "serve": 0.6}
    assert sum(one.requests for one in found.values()) == 3
    assert sum(one.texts for one in found.values()) == 21
    assert sum(one.tokens for one in found.values()) == 3003
    assert sum(one.reported_usd for one in found.values()) == pytest.approx(2.7)
    assert ledger.used(ALL)[0] == pytest.approx(3.0)


def test_what_is_lost_is_lost_for_all_of_them_and_given_back_to_all(tmp_path, monkeypatch):
    ledger = Ledger(tmp_path / "ledger.db")
    payers = (("key a", 0.75), ("key b", 0.25))
    key = ledger.reserve(US, Order("m", "document", 2.0, 4), Term(run="run"), None, payers)
    monkeypatch.setattr("embassay.models.ledger.this_process", lambda: "another")
    monkeypatch.setattr("embassay.models.ledger.is_gone", lambda *_: True)
    ledger.sweep()
    assert {name: one.lost_usd for name, one in by_purpose(ledger).items()} == {"key a": 1.5, "key b": 0.5}
    ledger.settle(key, Paid(1.0, 100))
    found = by_purpose(ledger)
    assert {name: one.usd for name, one in found.items()} == {"key a": 0.75, "key b": 0.25}
    assert sum(one.lost for one in found.values()) == 0 and sum(one.lost_usd for one in found.values()) == 0


def test_a_ledger_of_before_is_moved_forward(tmp_path):
    old = FileKind(LEDGER.called, LEDGER.application, LEDGER.steps[:1], LEDGER.error, LEDGER.after_damage)
    with SharedFile(tmp_path / "ledger.db", old).writing() as db:
        db.execute("INSERT INTO days VALUES ('2026-11-01', 2.5)")
        db.execute(
            "INSERT INTO flights (at, day, run, purpose, model, role, owner, texts, usd, marks) "
            "VALUES (1e9, '2026-11-01', 'r', 'index', 'm', 'document', 'gone:1:1', 3, 0.5, x'')"
        )
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.used(ALL) == (2.5, 0.5)
    ledger.sweep()
    assert by_purpose(ledger)["index"].lost_usd == 0.5
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


class Slow:
    """A service that bills, the first request of which waits until it is told to go on."""

    def __init__(self):
        self.go, self.began = threading.Event(), threading.Event()
        self.sizes, self.tokens = [], 0

    def __call__(self, request):
        texts = request.json["input"]
        self.sizes.append(len(texts))
        self.began.set()
        self.go.wait(30)
        tokens = sum(EstimatedTokens(512).count(texts))
        self.tokens += tokens
        return Answer(openai_body(hashed(texts, 64), tokens=tokens))


def test_texts_of_several_callers_in_one_request(tmp_path):
    service = Slow()
    with serving(service) as server:
        settings = config(server.url, None, concurrency=1, batch_size=100)
        with Registry(settings, cache_file=tmp_path / "c.db", payer=US, batching=Batching()) as models:
            model = models.get("served")

            def ask(payer, count, number=0):
                PAYERS.set(((payer, 1.0),) if payer else ())
                return model.embed([f"the text {number} {i} of {payer or 'nobody'}" for i in range(count)], "document")

            with ThreadPoolExecutor(8) as pool:
                first = pool.submit(ask, "", 1)
                assert service.began.wait(30)
                rest = [pool.submit(ask, f"key {name}", 3, number) for number, name in enumerate("aabb")]
                while model.waiting["document"] < 4 * 3 * (2 + len("the text 0 0 of key a") // 4):
                    time.sleep(0.005)
                service.go.set()
                for one in (first, *rest):
                    one.result()
    assert service.sizes == [1, 12], "those that waited went together"
    found = by_purpose(Ledger(tmp_path / "ledger.db"))
    assert sum(one.usd for one in found.values()) == pytest.approx(service.tokens * PRICE / 1e6)
    assert found["key a"].usd == pytest.approx(found["key b"].usd) and found["serve"].usd > 0
    assert found["key a"].texts + found["key b"].texts == 12


def test_a_server_books_each_request_as_its_key(tmp_path):
    """Two keys and twenty requests at once: each pays for its own texts, and all of it is what the service billed."""
    service = Slow()
    service.go.set()
    with serving(service) as paid, running(tmp_path / ".embassay", config=config(paid.url, None)) as found:
        store = KeyStore(found.home.folder)
        tokens = {name: store.create(name, Grant())[1] for name in ("a", "b")}
        used = Counter()

        def ask(name, i):
            texts = [f"text {i} of {name} number {j}" for j in range(3 if name == "a" else 9)]
            reply = httpx.post(
                f"{found.url}/v1/embeddings",
                json={"input": texts, "model": "served"},
                headers={"authorization": f"Bearer {tokens[name]}"},
                timeout=60,
            )
            used[name] += reply.json()["usage"]["total_tokens"]

        with ThreadPoolExecutor(8) as pool:
            for one in [pool.submit(ask, "ab"[i % 2], i) for i in range(20)]:
                one.result()
        ids = {key.name: key.id for key in store.all()}
        spent = spent_by_key(found.home.folder)
    assert sum(spent.values()) == pytest.approx(service.tokens * PRICE / 1e6)
    for name in "ab":
        assert spent[ids[name]] == pytest.approx(used[name] * PRICE / 1e6, rel=0.15), "shared by estimated tokens"
    assert purpose_of(ids["a"]) in by_purpose(Ledger(tmp_path / ".embassay" / "ledger.db"))
