"""Records handed over by a program are a source as files are: indexed by the same writer, incremental, safe to kill."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

import embassay
from tests.sets.build.records import index_records, many
from tests.sets.indexed import rows

RECORDS = {
    "ticket 1": "The proxy server answers no request.",
    "ticket 2": "Rotate the key of the index before Friday.",
    "ticket 3": "A model of code in a vector space.",
}


def test_records_are_indexed_and_found(home, model):
    report = index_records(home, RECORDS, model)
    assert (report.files, report.unchanged, report.removed, report.quarantined) == (3, 0, 0, ())
    assert report.embedded == report.chunks == len(rows(home))
    hit = home.search("rotate the key", k=1, mode="lexical").hits[0]
    assert hit.chunk.path == "ticket 2" and hit.chunk.text in RECORDS["ticket 2"]
    assert home.status()[0].documents == 3


def test_only_what_changed_is_embedded(home, model):
    index_records(home, RECORDS, model)
    before = rows(home)
    assert index_records(home, RECORDS, model).embedded == 0
    changed = {**RECORDS, "ticket 1": "It answers again.", "ticket 4": "text"}
    del changed["ticket 3"]
    report = index_records(home, changed, model)
    assert (report.files, report.unchanged, report.removed, report.quarantined) == (2, 1, 1, ())
    after = rows(home)
    assert report.embedded == len(after.keys() - before.keys()) > 0
    assert {chunk.path for chunk, _ in after.values()} == set(changed)
    kept = {key: row for key, row in before.items() if row[0].path == "ticket 2"}
    assert kept and {key: row for key, row in after.items() if key in before} == kept


def test_killed_at_random_moments_the_next_run_gives_the_same_rows(docs, model):
    rng = random.Random(7)
    folder, count, version = docs.parent / ".embassay", 150, 0
    for kill in range(8):
        if kill % 3 == 2:
            count, version = count - 1, kill
        command = [sys.executable, "-m", "tests.sets.build.records", str(folder), model, str(count), str(version)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.3, 2.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with embassay.open(folder) as home:
        index_records(home, many(count, version), model)
        killed = rows(home)
    with embassay.open(docs.parent / ".fresh") as home:
        index_records(home, many(count, version), model)
        assert rows(home) == killed


@pytest.mark.parametrize("parameters", [{"rows": 1}, {"seconds": 0.0}, {"fold": 1}])
def test_checkpoints_of_any_size_give_the_same_rows(home, docs, model, parameters):
    index_records(home, RECORDS, model)
    with embassay.open(docs.parent / ".other") as other:
        index_records(other, RECORDS, model, **parameters)
        assert rows(other) == rows(home)
