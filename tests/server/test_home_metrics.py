"""What /metrics shows of monitoring and of money, read from the files of a home."""

import json
import sqlite3
import threading
from contextlib import closing

import httpx
import pytest

from embassay.config.values import Config, EmbeddingsConfig
from embassay.server.metrics import OTHER
from tests.server.conftest import DOCUMENTS, running
from tests.server.test_metrics import read, value

NOW = 1_800_000_000.0


@pytest.fixture
def served(tmp_path):
    with running(tmp_path / ".embassay", config=Config(embeddings=EmbeddingsConfig(spend_cap_usd=7))) as found:
        found.home.set("animals").upsert(DOCUMENTS)
        yield found


def write(home, *readings, alerts=()):
    """Rows as monitoring writes them."""
    with closing(sqlite3.connect(home.folder / "state.db")) as db, db:
        db.executemany(
            "INSERT INTO readings (set_name, space, signal, subject, at, state, value, evidence, figures) "
            "VALUES (?, 'x', ?, ?, ?, ?, ?, 'said', ?)",
            [(*row[:-1], json.dumps(row[-1])) for row in readings],
        )
        db.executemany(
            "INSERT INTO alerts (set_name, space, signal, subject, state, evidence, since, seen) "
            "VALUES (?, 'x', ?, ?, ?, 'said', ?, ?)",
            [(*row, NOW) for row in alerts],
        )


def test_what_was_read_last_of_each_signal_is_shown(served, client):
    write(
        served.home,
        ("animals", "zero-results", "", NOW - 60, "alert", 0.9, {"usual": 0.02}),
        ("animals", "zero-results", "", NOW, "warn", 0.25, {"usual": 0.01, "unknown": None}),
        ("animals", "canary", "document", NOW - 3600, "alert", 0.5, {}),
        ("animals", "canary", "query", NOW - 3600, "ok", 0.999, {}),
        ("plants", "zero-results", "", NOW - 9, "unknown", None, {}),
        alerts=[
            ("animals", "canary", "document", "on", NOW - 3600),
            ("animals", "zero-results", "", "over", NOW - 60),
        ],
    )
    samples = read(client)

    def shown(name, **labels):
        key = (f"embassay_monitor_{name}", *sorted(labels.items()))
        return samples.get(key)

    zero = {"signal": "zero-results", "role": ""}
    assert shown("reading", set="animals", **zero) == 0.25 and shown("state", set="animals", **zero) == 1
    assert shown("figure", set="animals", figure="usual", **zero) == 0.01
    assert shown("figure", set="animals", figure="unknown", **zero) is None
    canary = {"set": "animals", "signal": "canary"}
    assert [shown("reading", role=role, **canary) for role in ("document", "query")] == [0.5, 0.999]
    assert [shown("state", role=role, **canary) for role in ("document", "query")] == [2, 0]
    assert shown("state", set="plants", **zero) == -1 and shown("reading", set="plants", **zero) is None
    assert shown("checked_timestamp_seconds", set="animals") == NOW
    assert shown("checked_timestamp_seconds", set="plants") == NOW - 9
    assert shown("alerts", set="animals") == 1 and shown("alerts", set="plants") == 0
    assert shown("alert_since_timestamp_seconds", role="document", **canary) == NOW - 3600
    assert shown("alert_since_timestamp_seconds", set="animals", **zero) is None
    assert shown("home_readable") == 1
    assert value(samples, "embassay_spend_cap_usd") == 7 and ("embassay_spend_counted_usd",) in samples


def test_a_subject_that_is_no_role_is_no_label_and_the_worst_stands_for_all(served, client):
    documents = [
        ("animals", "gone", f"secret/{at}.md", NOW, "warn" if at else "alert", at, {f"of {at}": at, "all": at})
        for at in range(3)
    ]
    write(served.home, *documents, alerts=[("animals", "gone", f"secret/{at}.md", "on", NOW - at) for at in range(3)])
    text = client.get("/metrics").text
    assert "secret" not in text
    assert 'embassay_monitor_state{role="",set="animals",signal="gone"} 2.0' in text
    assert 'embassay_monitor_reading{role="",set="animals",signal="gone"} 0.0' in text
    assert 'embassay_monitor_alerts{set="animals"} 3.0' in text
    for name, figure in (("all", 0), ("of 0", 0), ("of 1", 1), ("of 2", 2)):
        assert f'embassay_monitor_figure{{figure="{name}",role="",set="animals",signal="gone"}} {figure}.0' in text


def test_labels_have_few_values(served, client):
    write(served.home, *((f"set {at}", f"signal {at}", "", NOW, "ok", 1.0, {f"f{at}": 1.0}) for at in range(300)))
    samples = [key for key in read(client) if key[0].startswith("embassay_monitor_")]
    for label, most in (("set", 101), ("signal", 51), ("figure", 51)):
        values = {dict(key[1:])[label] for key in samples if label in dict(key[1:])}
        assert len(values) == most and OTHER in values


def test_a_home_that_cannot_be_read_is_a_metric_and_no_error(served, client):
    write(served.home, ("animals", "zero-results", "", NOW, "ok", 0.25, {}))
    metrics = served.server.service.of_home
    metrics.fresh = 0.0
    assert value(read(client), "embassay_monitor_home_readable") == 1
    with closing(sqlite3.connect(served.home.folder / "state.db")) as db, db:
        db.execute("UPDATE readings SET figures = 'no JSON'")
    samples = read(client)
    assert value(samples, "embassay_monitor_home_readable") == 0
    assert value(samples, "embassay_monitor_reading", set="animals", signal="zero-results", role="") == 0.25
    with closing(sqlite3.connect(served.home.folder / "state.db")) as db, db:
        db.execute("DROP TABLE readings")
    assert value(read(client), "embassay_monitor_home_readable") == 0


def test_a_disk_that_hangs_holds_up_no_metrics(served, client, monkeypatch):
    goes_on, begun = threading.Event(), []

    def hangs(_tables, **_):
        begun.append(1)
        goes_on.wait(60)
        return []

    monkeypatch.setattr("embassay.sets.monitoring.table.MonitoringTables.alerts", hangs)
    monkeypatch.setattr("embassay.server.home_metrics.PATIENCE", 0.05)
    for _ in range(3):
        assert ("embassay_requests_in_flight",) in read(client)
    assert len(begun) == 1
    goes_on.set()


def test_the_files_are_read_once_in_a_while(served, client):
    read(client)
    write(served.home, ("animals", "zero-results", "", NOW, "ok", 0.25, {}))
    assert value(read(client), "embassay_monitor_checked_timestamp_seconds", set="animals") == 0
    served.server.service.of_home.fresh = 0.0
    assert value(read(client), "embassay_monitor_checked_timestamp_seconds", set="animals") == NOW


def test_a_server_without_a_set_has_nothing_to_say_of_monitoring(tmp_path):
    with running(tmp_path / ".embassay") as found, httpx.Client(base_url=found.url) as client:
        samples = read(client)
    assert value(samples, "embassay_monitor_home_readable") == 1
    assert not [key for key in samples if key[0] == "embassay_monitor_state"]
    assert ("embassay_spend_cap_usd",) not in samples
