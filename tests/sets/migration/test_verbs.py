"""The verbs of a migration, from one process and from several: begun, looked at, paused, gone on with, given up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import embassay
from embassay.config.reading import load_config
from embassay.errors import MigrationPaused, MigrationState, SetInUse, SetNotFound, UsageError
from embassay.session import Session
from embassay.sets.migration.check import Check
from tests.servers import hash_openai, serving

OLD, NEW, COUNT = "hash/64", "hash/128", 600
RECORDS = [{"id": f"r{n}", "text": f"Record {n} is about rotating key number {n}."} for n in range(COUNT)]
PRICE = 1000.0
"""USD for a million tokens: a text of a dozen tokens costs about a cent."""


@pytest.fixture
def home(tmp_path):
    with embassay.open(tmp_path / ".embassay") as opened:
        opened.set("docs").upsert(RECORDS, model=OLD)
        yield opened


def waited(found, seconds=20.0):
    until = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def test_a_set_is_migrated_and_the_status_says_so(home):
    docs = home.set("docs")
    with pytest.raises(MigrationState, match="has no migration"):
        docs.migration()
    found = docs.migrate(NEW)
    assert (found.state, found.chunks, found.total, found.embedded) == ("ready", COUNT, COUNT, COUNT)
    assert found.usd == 0 and not found.at_work and found.next.in_shell() == "Switch with: embassay switch docs"
    assert docs.migration() == found
    assert docs.migrate(NEW).embedded == COUNT, "a second run embeds nothing"
    assert home.migrate(NEW, set="docs").state == "ready"
    with pytest.raises(MigrationState, match="is being migrated already"):
        docs.migrate("hash/256")


def test_what_is_given_up_is_gone(home):
    docs = home.set("docs")
    docs.migrate(NEW)
    folder = home.folder / "vectors"
    assert len([*folder.glob("*.lance")]) == 2
    docs.abort_migration()
    assert len([*folder.glob("*.lance")]) == 1 and home._sets.state.roster.leftovers() == []
    assert docs.search("rotate", k=1).hits
    with pytest.raises(MigrationState, match="is not being migrated"):
        docs.abort_migration()
    assert docs.migrate("hash/256").state == "ready"


def test_one_is_paused_from_elsewhere_and_gone_on_with(home, tmp_path):
    with embassay.open(tmp_path / ".embassay") as other, ThreadPoolExecutor(1) as pool:
        working = pool.submit(home.set("docs").migrate, NEW, rate=150.0)
        docs = other.set("docs")
        waited(lambda: other._sets.state.migrations.of("docs") and docs.migration().at_work)
        waited(lambda: docs.migration().chunks)
        with pytest.raises(SetInUse, match="another worker"):
            docs.resume_migration()
        assert docs.pause_migration().state == "paused"
        with pytest.raises(MigrationPaused, match="was paused") as raised:
            working.result()
        assert raised.value.cause == "paused" and "--resume" in raised.value.remedy.in_shell()
        paused = docs.migration()
        assert (paused.state, paused.reason, paused.at_work) == ("paused", "asked to", False)
        assert 0 < paused.chunks < COUNT
        assert docs.pause_migration().state == "paused", "twice is once"
        done = docs.resume_migration(rate=0.0)
        assert done.state == "ready" and done.embedded == COUNT


def test_one_that_is_given_up_while_it_is_at_work_ends(home, tmp_path):
    with embassay.open(tmp_path / ".embassay") as other, ThreadPoolExecutor(1) as pool:
        working = pool.submit(home.set("docs").migrate, NEW, rate=60.0)
        waited(lambda: other._sets.state.migrations.of("docs") and other.set("docs").migration().at_work)
        other.set("docs").abort_migration()
        with pytest.raises(MigrationState, match=r"is (aborted|gone)"):
            working.result()
    assert home._sets.state.roster.leftovers() == []


def test_two_begin_at_once_and_one_of_them_works(tmp_path, home):
    start, found = threading.Barrier(2), []

    def begin():
        with embassay.open(tmp_path / ".embassay") as own:
            start.wait()
            try:
                found.append(own.set("docs").migrate(NEW, rate=400.0).state)
            except (MigrationState, SetInUse, embassay.errors.HomeError) as error:
                found.append(error.code)

    with ThreadPoolExecutor(2) as pool:
        for one in [pool.submit(begin) for _ in range(2)]:
            one.result()
    assert "ready" in found and set(found) - {"ready"} <= {"set_in_use", "migration_state", "home_error"}
    assert home.set("docs").migration().chunks == COUNT


def test_checks_that_do_not_hold_fail_it_and_it_can_be_verified_again(home):
    docs = home.set("docs")
    holds = False

    def gate(sets, live, new):
        return [Check("gate", holds, "nDCG@10 is 0.1, it must be 0.9.", {"ndcg": 0.1})]

    found = docs.migrate(NEW, gate=gate)
    assert found.state == "failed" and "nDCG@10" in found.reason
    assert found.report["checks"][-1]["figures"]["ndcg"] == 0.1 and "--abort" in found.next.in_shell()
    holds = True
    assert docs.resume_migration(gate=gate).state == "ready"


@pytest.mark.parametrize("name", ["../docs", "a/b", "a\0b", "x" * 300])
def test_names_of_no_set_are_said(home, name):
    with pytest.raises((SetNotFound, UsageError)):
        home.set(name).migrate(NEW)
    with pytest.raises(SetNotFound):
        home.set(name).migration()


@pytest.mark.parametrize("options", [{"rate": -1.0}, {"rate": float("nan")}, {"max_spend": -1}])
def test_what_is_no_rate_and_no_money_is_refused(home, options):
    with pytest.raises(UsageError):
        home.set("docs").migrate(NEW, **options)
    assert home._sets.state.migrations.of("docs") == []


def priced(server, tmp_path, more=""):
    file = tmp_path / "embassay.yaml"
    file.write_text(
        f"embeddings: {{{more} models: {{served: {{provider: openai, model_id: m, base_url: '{server.url}/v1', "
        f"api_key: k, usd_per_million_tokens: {PRICE}, max_tokens: 512, batch_size: 8, concurrency: 2}}}}}}"
    )
    return Session(load_config(file, env={}), cache_file=tmp_path / ".embassay" / "cache.db")


def test_a_cap_holds_over_all_runs_and_pauses(home, tmp_path, monkeypatch):
    """Without verification, which has texts made again on purpose."""
    monkeypatch.setattr("embassay.sets.migration.moving.verifiers", lambda *_, **__: [])
    with serving(hash_openai()) as server, priced(server, tmp_path) as session:
        with embassay.Home(home._sets.folder, session) as own:
            docs = own.set("docs")
            with pytest.raises(MigrationPaused, match=r"the cap of \$2 of this work is reached") as raised:
                docs.migrate("served", max_spend=2.0)
            assert raised.value.cause == "spend_cap_reached" and "--max-spend" in raised.value.remedy.in_shell()
            found = docs.migration()
            assert found.state == "paused" and 0 < found.chunks < COUNT and 1 < found.usd <= 2.0
            with pytest.raises(MigrationPaused):
                docs.resume_migration()
            assert docs.migration().usd <= 2.0
            done = docs.resume_migration(max_spend=80.0)
            assert done.state == "ready" and done.usd == pytest.approx(own.session.models.ledger.used(whole())[0])
        sent = Counter(text for request in server.received for text in request.json["input"])
    assert max(count for text, count in sent.items() if text.startswith("Record")) == 1, "nothing is paid for twice"


def test_the_cap_of_the_configuration_holds_besides(home, tmp_path):
    with serving(hash_openai()) as server, priced(server, tmp_path, "spend_cap_usd: 0.4,") as session:
        with embassay.Home(home._sets.folder, session) as own:
            with pytest.raises(MigrationPaused, match=r"the spend cap of \$0.4 a month is reached"):
                own.set("docs").migrate("served", max_spend=5.0)
            assert own.set("docs").migration().usd <= 0.4


def whole():
    from embassay.models.ledger import Term

    return Term(since="2000-01-01")
