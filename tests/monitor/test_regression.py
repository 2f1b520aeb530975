"""The regression set: what is lost is told with the queries that lost it, and what stays is no alarm."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from embassay.evaluate.data.judged import JudgedSet
from embassay.home import open_home
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from embassay.monitor.signals import regression
from embassay.types import Document

WORDS = "otter heron salmon badger kestrel lynx marten osprey pike stoat vole wren".split()


@contextmanager
def watched(tmp_path):
    """A set of one file for each word, asked for each word."""
    folder = tmp_path / "project" / "docs"
    folder.mkdir(parents=True)
    for word in WORDS:
        (folder / f"{word}.md").write_text(f"The {word} lives beside the river and is seen at dawn.")
    with open_home(tmp_path / "project" / ".embassay") as home:
        home.index([folder], model="hash/64")
        yield Monitor(home, "default"), folder


def judged(words=WORDS) -> JudgedSet:
    documents = tuple(Document(f"docs/{word}.md", word, word) for word in words)
    queries = {f"q-{word}": f"where is the {word}" for word in words}
    return JudgedSet("rivers", documents, queries, {f"q-{word}": {f"docs/{word}.md": 1} for word in words})


def reading(monitor):
    checked = monitor.check(("daily",))
    (found,) = (one.reading for one in checked.readings if one.signal == "regression")
    return found


def test_what_is_as_it_was_is_no_alarm(tmp_path):
    with watched(tmp_path) as (monitor, _):
        make_baseline(monitor, judged(), "judged")
        found = reading(monitor)
        assert (found.state, found.figures["p"], found.figures["lost"]) == ("ok", 1.0, 0.0)
        for name in ("ndcg", "in_top", "score", "bytes"):
            assert found.figures[name] == pytest.approx(found.figures[f"{name}_before"])
        assert found.value == found.figures["ndcg"] == pytest.approx(1.0, abs=0.2)
        assert found.figures["mean_ms"] > 0 and found.figures["p95_ms"] >= found.figures["mean_ms"] * 0.5


def test_documents_that_are_removed_alarm_and_the_queries_are_named(tmp_path):
    with watched(tmp_path) as (monitor, folder):
        make_baseline(monitor, judged(), "judged")
        for word in WORDS[:4]:
            (folder / f"{word}.md").unlink()
        monitor.home.index([folder])
        found = reading(monitor)
        assert found.state == "alert" and found.figures["lost"] == 4
        assert [*found.texts] == [f"where is the {word}" for word in sorted(WORDS[:4])[: regression.NAMED]]
        assert "4 had one there" in found.evidence
        assert "where is" not in found.evidence and "Of 4 of these no answer is in the set" in found.evidence
        assert found.remedy.in_shell().endswith("embassay doctor --set default")
        (alert,) = (one for one in monitor.home.monitoring.alerts("default") if one.signal == "regression")
        monitor.dismiss(alert.id)
        assert reading(monitor).state != "alert", "the same loss is no alarm any more"


def test_a_ranking_that_got_worse_says_what_to_look_at(tmp_path):
    with watched(tmp_path) as (monitor, folder):
        make_baseline(monitor, judged(), "judged")
        for word in WORDS:
            for at in range(4):
                (folder / f"other-{word}-{at}.md").write_text(f"Where is the {word}? The {word}, the {word}.")
        monitor.home.index([folder])
        found = reading(monitor)
        assert found.state == "alert" and found.figures["p"] < regression.CERTAIN
        assert "no answer is in the set" not in found.evidence
        assert found.remedy.in_shell().endswith("embassay judge label judged default")


def test_one_query_of_many_that_is_worse_is_no_alert(tmp_path):
    with watched(tmp_path) as (monitor, folder):
        make_baseline(monitor, judged(), "judged")
        (folder / "wren.md").unlink()
        monitor.home.index([folder])
        found = reading(monitor)
        assert found.state == "warn" and [*found.texts] == ["where is the wren"]


def test_at_most_a_hundred_are_saved_and_none_without_judged_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(regression, "MOST", 5)
    with watched(tmp_path) as (monitor, _):
        found = reading(monitor)
        assert found.state == "unknown" and "monitor baseline --judged DIR --set default" in found.remedy.in_shell()
        first = make_baseline(monitor, judged(), "judged").parts["regression"]["queries"]
        again = make_baseline(monitor, judged(), "judged").parts["regression"]["queries"]
        assert [one["id"] for one in first] == [one["id"] for one in again] and len(first) == 5
        assert reading(monitor).state == "ok"


def test_a_baseline_that_somebody_has_changed_is_no_failure(tmp_path):
    with watched(tmp_path) as (monitor, _):
        make_baseline(monitor, judged(), "judged")
        tables = monitor.home.monitoring
        row = tables.baseline("default", monitor.space.digest)
        row.parts["regression"]["queries"][0].pop("text")
        tables.keep_baseline(row)
        assert reading(monitor).state == "unknown"
