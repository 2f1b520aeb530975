"""Many processes and threads on one set at once: nothing is lost, doubled or refused."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from benchmarks.record_stress import stressed
from tests.sets.indexed import rows


def test_processes_that_write_the_same_ids_leave_what_a_serial_model_has(tmp_path):
    found = stressed(tmp_path, 12, writers=4, searchers=2, kills=2)
    assert (found.errors, found.wrong, found.doubled, found.killed) == ([], [], 0, 2)
    assert found.calls > 0 and found.searches > 0  # how many depends on what else the machine does


def test_threads_share_a_set(home, model):
    made = home.set("faq")
    made.upsert([{"id": "first", "text": "always here"}], model=model)

    def work(number: int) -> None:
        made.upsert([{"id": str(at), "text": f"number {at} by {number}"} for at in range(3)])
        assert made.search("always here").hits
        made.delete(ids=["0"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    assert {one.id for one in made.list()} == {"first", "1", "2"} and len(rows(home, "faq")) == 3
    assert made.doctor() == []


def test_the_same_for_asyncio(home, docs, model):
    made = home.set("faq")

    async def work() -> None:
        await made.aupsert([{"id": "1", "text": "Rotate a key."}], model=model)
        await made.aadd([{"id": "2", "text": "The report is due."}])
        await made.aindex([docs])
        found = await asyncio.gather(*(made.asearch("report", k=3, mode="lexical") for _ in range(16)))
        assert all(result.hits[0].chunk.document in ("2", "docs/notes.txt") for result in found)
        assert [one.id for one in await made.aget(["2", "1"])] == ["2", "1"]
        assert await made.adelete(ids=["1"]) == 1
        assert (await made.aembed(["a"], "query")).vectors.shape[0] == 1

    asyncio.run(work())
