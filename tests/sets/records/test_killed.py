"""A process that is killed at any step of a call leaves records that the next call repairs."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from embassay.sets.examine import problems
from tests.sets.indexed import rows

MORTAL = """
import os, signal, sys
import embassay
from embassay.sets.build.writer import Writer
from embassay.sets.state import State
from embassay.stores.backends import _lance_store as lance_store
from embassay.stores.backends._lance_store import LanceStore

folder, step = sys.argv[1:]
Writer.__init__.__kwdefaults__["seconds"] = 1e9  # a busy machine would make a checkpoint between the two records
if "delete" in step:
    lance_store.SWAPPED_ROWS = 0  # as in a large table, where old rows are deleted behind the new ones

def dies(kind, name):
    inner = getattr(kind, name)
    def mortal(*given, **named):
        if step == "before " + name:
            os.kill(os.getpid(), signal.SIGKILL)
        result = inner(*given, **named)
        if step == "after " + name:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(kind, name, mortal)

dies(State, "put"), dies(LanceStore, "upsert"), dies(LanceStore, "delete")
with embassay.open(folder) as home:
    home.set("faq").upsert([{"id": "1", "text": "changed"}, {"id": "3", "text": "new"}])
"""
OLD = [{"id": "1", "text": "Rotate a key."}, {"id": "2", "text": "The report is due."}]
NEW = [{"id": "1", "text": "changed"}, {"id": "3", "text": "new"}]


def texts(made):
    return {record.id: record.text for record in made.get(["1", "2", "3"])}


@pytest.mark.parametrize("step", ["before put", "after put", "after upsert", "before delete", "after delete"])
def test_a_call_that_was_killed_is_repaired_by_the_next(home, model, step):
    made = home.set("faq")
    made.upsert(OLD, model=model)
    done = subprocess.run([sys.executable, "-c", MORTAL, str(home.folder), step], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    begun = step != "before put"
    state = {one.id: one.state for one in made.list()}
    assert state == ({"1": "pending", "2": "ok", "3": "pending"} if begun else {"1": "ok", "2": "ok"})
    assert texts(made) == {one["id"]: one["text"] for one in OLD}, "what was settled is still told"
    assert made.search("report", mode="lexical").hits[0].chunk.document == "2"
    told = [f"{one.message} {one.remedy}" for one in problems(made.doctor())]
    assert (len(told) == 1 and "2 records were being written" in told[0]) if begun else not told
    assert not any("index(" in one for one in told)
    made.index([])
    assert texts(made) == {one["id"]: one["text"] for one in OLD}, "a run over files is no repair, and no harm"
    report = made.upsert([*NEW, OLD[1]])
    assert (report.added, report.updated, report.unchanged) == (1, 1, 1)
    assert texts(made) == {"1": "changed", "2": OLD[1]["text"], "3": "new"}
    assert {chunk.text for chunk, _ in rows(home, "faq").values()} == {"changed", OLD[1]["text"], "new"}
    assert made.doctor() == []


def test_what_was_never_written_to_its_end_can_be_added_or_deleted(home, model):
    made = home.set("faq")
    made.upsert(OLD, model=model)
    subprocess.run([sys.executable, "-c", MORTAL, str(home.folder), "after upsert"], capture_output=True, check=False)
    assert made.add([{"id": "3", "text": "another"}]).added == 1
    assert made.delete(ids=["1"]) == 1
    assert texts(made) == {"2": OLD[1]["text"], "3": "another"}
    assert len(rows(home, "faq")) == 2 and made.doctor() == []


def test_a_failing_model_leaves_what_was_there(home, model, monkeypatch):
    from embassay.embedders.local.embedder import LocalEmbedder
    from embassay.errors import ModelError

    made = home.set("faq")
    made.upsert(OLD, model=model)
    before = rows(home, "faq")

    def fails(*_, **__):
        raise ModelError("the model is gone.")

    monkeypatch.setattr(LocalEmbedder, "stream", fails)
    with pytest.raises(ModelError):
        made.upsert(NEW)
    assert rows(home, "faq") == before and texts(made) == {one["id"]: one["text"] for one in OLD}
    assert made.doctor() == []
