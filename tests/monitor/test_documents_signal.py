"""The signal of documents: which are gone, and queries that are further from them than usual."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from embassay.config.values import Config, MonitorConfig, QueryLogConfig
from embassay.evaluate.data.judged import JudgedSet
from embassay.home import open_home
from embassay.monitor.base import WatchedSet
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from embassay.monitor.sampled import sample_set
from embassay.monitor.signals import documents
from embassay.session import Session
from embassay.sets.monitoring.table import BaselineRow
from embassay.types import Document
from tests.monitor.windows import searches

ASKED = [f"page{at % 40} has the words word{at % 40} and word{40 + at}" for at in range(60)]


@contextmanager
def watched(folder):
    """A monitor of a set of 40 files, whose searches are logged."""
    for at in range(40):
        (folder / f"page{at}.md").write_text(f"# Page {at}\n\npage{at} has the words word{at} and word{at + 40}.\n")
    config = Config(query_log=QueryLogConfig(queries="kept"))
    with Session(config) as session, open_home(folder.parent / ".embassay", session=session) as home:
        home.index([folder], model="hash/64")
        yield Monitor(home, "default")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "project" / "pages"
    made.mkdir(parents=True)
    return made


def baseline(monitor, queries=ASKED):
    document = Document("pages/page0.md", "page", "page0")
    texts = {f"q{at}": query for at, query in enumerate(queries)}
    make_baseline(monitor, JudgedSet("some", (document,), texts, {name: {document.id: 1} for name in texts}), "judged")


def readings(monitor):
    return {one.reading.subject: one for one in monitor.read(("daily",)) if one.signal == "documents"}


def test_documents_that_are_gone_are_told_from_those_that_moved_or_have_another_text(folder):
    with watched(folder) as monitor:
        assert "is not known" in readings(monitor)["there"].reading.evidence
        baseline(monitor)
        assert readings(monitor)["there"].reading.state == "ok"
        (folder / "page0.md").rename(folder / "elsewhere.md")
        (folder / "page1.md").write_text("Another text.")
        monitor.home.index([folder])
        one = readings(monitor)["there"].reading
        assert one.state == "ok" and "0 of 40 documents" in one.evidence and "1 have another text" in one.evidence
        for at in range(10, 18):
            (folder / f"page{at}.md").unlink()
        monitor.home.index([folder])
        one = readings(monitor)["there"].reading
        assert one.state == "alert" and "8 of 40 documents" in one.evidence and one.value == pytest.approx(0.2)
        assert "embassay log default" in one.remedy.in_shell()


def test_queries_that_are_further_from_the_documents_than_usual_are_what_nobody_wrote(folder):
    with watched(folder) as monitor:
        near = sample_set(monitor.set, 100).vectors
        random = np.random.default_rng(0)
        asked = np.concatenate([near + random.standard_normal(near.shape) * 0.05 for _ in range(5)])
        row = BaselineRow("default", monitor.space.digest, 1.0, "", {}, asked[:100].astype(np.float32).tobytes())

        def read(vectors):
            seq, window = np.arange(1, 101), searches(100)
            config = MonitorConfig()
            one = WatchedSet(
                monitor.set, monitor.space, window, lambda: (seq[: len(vectors)], vectors), config, 1.0, baseline=row
            )
            return {one.subject: one for one in documents.read(one)}["queries"]

        assert read(asked[100:]).state == "ok"
        foreign = asked[100:].copy()
        foreign[60:] = random.standard_normal((40, near.shape[1]))
        found = read(foreign)
        assert found.state == "alert" and all(seq > 60 for seq in found.examples) and len(found.examples) == 3
        assert found.figures["mmd"] > found.figures["usual_mmd"] and found.value == pytest.approx(0.42, abs=0.08)
        assert read(foreign[:10]).state == "unknown"
