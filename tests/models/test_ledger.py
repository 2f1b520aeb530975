"""The ledger: one cap over processes and periods, and what killed processes leave behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.providers.hash import hashed
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.wrap.budget import Order, Paid
from embassay.errors import LedgerError, SpendCapReached
from embassay.events import Events, Warned
from embassay.models.cache import VectorCache
from embassay.models.ledger import KEPT_DAYS, Ledger, Payer, Term, day_of
from embassay.models.owner import is_gone, this_process
from embassay.models.registry import Registry
from tests.servers import Answer, Received, openai_body, serving

PRICE = 1000.0
"""USD per million tokens."""
NOVEMBER = 1795651200.0
"""2026-11-26, noon (UTC)."""
US = Payer("run", "index")
ORDER = Order("openai/m", "document", 0.4, 2, (b"11111111", b"22222222"))
ALL = Term(since="2026-11-01")


class Billing:
    """A service that counts what it bills, and how many texts it was ever sent twice."""

    def __init__(self, delay: float = 0.0) -> None:
        self.usd, self.largest, self.delay = 0.0, 0.0, delay
        self.texts: list[str] = []
        self.got = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, request: Received) -> Answer:
        texts = request.json["input"]
        tokens = sum(EstimatedTokens(512).count(texts))
        usd = tokens * PRICE / 1e6
        with self._lock:
            self.usd += usd
            self.largest = max(self.largest, usd)
            self.texts += texts
        self.got.set()
        return Answer(openai_body(hashed(texts, 64), tokens=tokens), delay=self.delay)


def config(url: str, cap: float | None, per: str = "month", **more: Any) -> Config:
    served = {
        "provider": "openai", "model_id": "m", "base_url": f"{url}/v1", "usd_per_million_tokens": PRICE,
        "batch_size": 10, "max_tokens": 512, "canaries": False, "cache_enabled": False, "retries": 2, **more,
    }  # fmt: skip
    return Config(embeddings=EmbeddingsConfig(models={"served": served}, spend_cap_usd=cap, spend_cap_per=per))


SPEND = """
import json, sys
import msgspec
from pathlib import Path
from embassay.config.values import Config, EmbeddingsConfig
from embassay.errors import SpendCapReached
from embassay.models.registry import Registry
config = Config(embeddings=msgspec.json.decode(sys.argv[1], type=EmbeddingsConfig))
made, stopped = 0, False
with Registry(config, cache_file=Path(sys.argv[2])) as models:
    texts = (f"The panel of process {sys.argv[3]} votes on proposal {i}." for i in range(int(sys.argv[4])))
    try:
        for block in models.get("served").stream(texts, "document"):
            made += len(block)
    except SpendCapReached as error:
        stopped = True
print(json.dumps([made, stopped]))
"""


def start(url: str, cache: Path, name: int, count: int, **settings: Any) -> subprocess.Popen[str]:
    import msgspec

    given = msgspec.json.encode(config(url, **settings).embeddings).decode()
    arguments = [sys.executable, "-c", SPEND, given, str(cache), str(name), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_eight_processes_keep_one_cap(tmp_path):
    """They have texts for $6 and a cap of $1: it is reached, and not exceeded by more than a request of each."""
    service, cap = Billing(0.02), 1.0
    with serving(service) as server:
        running = [start(server.url, tmp_path / "cache.db", name, 60, cap=cap, cache_enabled=True) for name in range(8)]
        said = [json.loads(one.communicate(timeout=120)[0]) for one in running]
    assert all(one.returncode == 0 for one in running)
    assert any(stopped for _, stopped in said)
    assert cap * 0.8 < service.usd <= cap
    spent, reserved = Ledger(tmp_path / "ledger.db").used(Term(since="2000-01-01"))
    assert spent == pytest.approx(service.usd) and reserved == 0
    kept = VectorCache(tmp_path / "cache.db").stats().entries
    assert len(set(service.texts)) == kept >= sum(made for made, _ in said), "what was paid for is kept"


def test_a_cap_holds_over_the_runs_of_a_period_and_not_for_each(tmp_path):
    service, texts = Billing(), [f"The panel votes on proposal {i}." for i in range(200)]
    with serving(service) as server:
        for _ in range(4):
            with Registry(config(server.url, 0.5), cache_file=tmp_path / "c.db") as models:
                with pytest.raises(SpendCapReached, match=r"\$0.5 a month is reached \(\$0.4\d+ spent since 20"):
                    models.get("served").embed(texts, "document")
        assert service.usd <= 0.5
        with Registry(config(server.url, 0.5, "run"), cache_file=tmp_path / "c.db") as models:
            models.get("served").embed(texts[:10], "document")
        assert service.usd > 0.5, "a run has a cap of its own where that is asked for"


def test_a_killed_process_has_lost_what_was_under_way(tmp_path):
    """It counts as spent, it is told, and so are the texts that are sent again."""
    service = Billing(30.0)
    with serving(service) as server:
        one = start(server.url, tmp_path / "cache.db", 0, 5, cap=5.0)
        assert service.got.wait(60)
        one.send_signal(signal.SIGKILL)
        one.wait(30)
        ledger = Ledger(tmp_path / "ledger.db")
        spent, reserved = ledger.used(Term(since="2000-01-01"))
        assert spent == 0 and reserved >= service.usd
        ledger.sweep()
        assert ledger.used(Term(since="2000-01-01")) == (reserved, 0)
        (entry,) = ledger.entries(Term(since="2000-01-01"))
        assert (entry.lost, entry.lost_usd, entry.texts, entry.repeated) == (1, reserved, 5, 0)
        service.delay = 0.0
        for _ in range(2):
            again = start(server.url, tmp_path / "cache.db", 0, 7, cap=5.0)
            assert json.loads(again.communicate(timeout=60)[0]) == [7, False]
    (entry,) = ledger.entries(Term(since="2000-01-01"))
    assert (entry.requests, entry.texts, entry.lost, entry.repeated) == (3, 19, 1, 5)
    assert 0 < entry.repeated_usd < entry.usd - entry.lost_usd


def test_what_is_spent_without_a_cap_is_written_down(tmp_path):
    service = Billing()
    with serving(service) as server, Registry(config(server.url, None), cache_file=tmp_path / "c.db") as models:
        models.get("served").embed(["one", "two", "three"], "query")
        (entry,) = models.ledger.entries(Term(since="2000-01-01"))
    assert (entry.purpose, entry.model, entry.role, entry.texts) == ("python", "openai/m", "query", 3)
    assert entry.usd == pytest.approx(service.usd) == pytest.approx(entry.reported_usd)
    assert not (tmp_path / "ledger.db").stat().st_mode & 0o077


def test_no_text_is_in_the_file(tmp_path):
    service = Billing()
    with serving(service) as server, Registry(config(server.url, 5.0), cache_file=tmp_path / "c.db") as models:
        models.get("served").embed(["a secret of the house"], "document")
        held = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.db*"))
    assert b"openai/m" in held and b"secret" not in held


@pytest.mark.parametrize("file", ["garbage", "a folder", "a link", "another database"])
def test_a_ledger_that_cannot_be_used(file, tmp_path):
    """Nothing is spent where a cap could not be kept; without one the work goes on, and it is told."""
    ledger = tmp_path / "ledger.db"
    if file == "garbage":
        ledger.write_bytes(os.urandom(5000))
    elif file == "a folder":
        ledger.mkdir()
    elif file == "a link":
        ledger.symlink_to(tmp_path / "elsewhere.db")
    else:
        with sqlite3.connect(ledger) as db:
            db.execute("CREATE TABLE theirs (a)")
    events, heard = Events(), []
    events.subscribe(Warned, heard.append)
    with serving(Billing()) as server:
        with Registry(config(server.url, 5.0), cache_file=tmp_path / "c.db") as models:
            with pytest.raises(LedgerError, match=r"ledger\.db"):
                models.get("served").embed(["a text"], "document")
        assert not server.received
        with Registry(config(server.url, None), cache_file=tmp_path / "c.db", events=events) as models:
            for _ in range(2):
                models.get("served").embed(["a text"], "document")
    assert [one.text.partition(":")[0] for one in heard] == ["what is spent is not written down"]
    assert not (tmp_path / "elsewhere.db").exists()


def test_periods(tmp_path):
    now = NOVEMBER
    ledger = Ledger(tmp_path / "l.db", lambda: now)
    for days in (0, 1, 30):
        now = NOVEMBER - days * 86400
        key = ledger.reserve(US, ORDER, ALL, None)
        ledger.settle(key, Paid(1.0, 10, 0.9))
    now = NOVEMBER
    spent = {per: ledger.used(Term.of(per, "run", now)) for per in ("day", "month", "run")}
    assert spent == {"day": (1.0, 0), "month": (2.0, 0), "run": (3.0, 0)}
    assert ledger.reserve(US, ORDER, Term.of("day", "", now), 1.3) is None
    assert ledger.reserve(US, ORDER, Term.of("day", "", now), 1.4) is not None
    assert ledger.reserve(US, ORDER, Term.of("day", "", now), 1.4) is None, "what is under way counts"


def test_old_days_are_folded(tmp_path):
    now = NOVEMBER - (KEPT_DAYS + 1) * 86400
    ledger = Ledger(tmp_path / "l.db", lambda: now)
    for run in range(50):
        key = ledger.reserve(Payer(f"run{run}", "index"), ORDER, ALL, None)
        ledger.settle(key, Paid(0.25, 10))
    now = NOVEMBER
    ledger.sweep()
    with sqlite3.connect(tmp_path / "l.db") as db:
        assert db.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    (entry,) = ledger.entries(Term(since="2000-01-01"))
    assert (entry.usd, entry.tokens, entry.texts) == (12.5, 500, 100)


def test_a_request_that_was_given_up_too_early_counts_once(tmp_path):
    ledger, other = Ledger(tmp_path / "l.db"), Ledger(tmp_path / "l.db")
    key = ledger.reserve(US, ORDER, ALL, None)
    assert key is not None
    with sqlite3.connect(tmp_path / "l.db") as db:
        db.execute("UPDATE flights SET owner = 'elsewhere:1:1', at = at - 4000")
    other.sweep()
    assert other.used(ALL) == (0.4, 0)
    ledger.settle(key, Paid(0.1, 10))
    (entry,) = ledger.entries(ALL)
    assert ledger.used(ALL) == (pytest.approx(0.1), 0)
    assert (entry.requests, entry.lost, entry.lost_usd, entry.usd) == (1, 0, 0.0, pytest.approx(0.1))


def test_who_is_gone():
    host, number, start = this_process().rsplit(":", 2)
    assert not is_gone(this_process(), 1e9)
    assert is_gone(f"{host}:{number}:{int(start or 1) + 1}", 0) or not start
    assert is_gone(f"{host}:4194305:1", 0)
    assert not is_gone(f"elsewhere:{number}:{start}", 60) and is_gone(f"elsewhere:{number}:{start}", 1e6)
    assert is_gone("nonsense", 1e6)


def test_a_forked_process_opens_the_file_anew(tmp_path):
    ledger = Ledger(tmp_path / "l.db")
    ledger.settle(ledger.reserve(US, ORDER, ALL, None), Paid(0.25))
    child = os.fork()
    if not child:
        ledger.settle(ledger.reserve(US, ORDER, ALL, None), Paid(0.5))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    ledger.settle(ledger.reserve(US, ORDER, ALL, None), Paid(1.0))
    assert ledger.used(ALL) == (1.75, 0)


def test_days():
    assert day_of(NOVEMBER) == "2026-11-26"


def test_a_file_that_many_processes_make_at_once(tmp_path):
    make = "import sys; from pathlib import Path; from embassay.models.ledger_file import LEDGER\n"
    make += "from embassay.shared_file import SharedFile\n"
    make += "for i in range(20):\n"
    make += "    with SharedFile(Path(sys.argv[1], f'{i}.db'), LEDGER).writing() as db:\n"
    make += (
        "        db.execute('INSERT INTO days VALUES (?, 1) ON CONFLICT DO UPDATE SET usd = usd + 1', ('2026-11-26',))"
    )
    running = [subprocess.Popen([sys.executable, "-c", make, str(tmp_path)]) for _ in range(4)]
    assert [one.wait(60) for one in running] == [0] * 4
    for i in range(20):
        assert Ledger(tmp_path / f"{i}.db").used(ALL) == (4, 0)
