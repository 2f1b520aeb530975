"""Index runs beside each other, beside searches, and runs that are killed or stopped."""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
from contextlib import closing

import pytest

import embassay
from tests.sets.indexed import many, rows, rows_of_fresh, start


def test_threads_search_while_one_indexes(home, docs, model):
    home.index([docs], model=model)
    failures, done = [], threading.Event()

    def search():
        while not done.is_set():
            try:
                assert home.search("rotate the key").hits
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(10):
        (docs / f"new{i}.md").write_text(f"# New {i}\n\nRotate the key {i}.\n")
        home.index([docs])
    done.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_threads_index_different_sets(home, docs, model):
    failures = []

    def work(name):
        try:
            for _ in range(3):
                home.index([docs], set=name, model=model, checksum=True)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"set{i}",)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and home.sets() == ["set0", "set1", "set2"]


@pytest.mark.parametrize("round_", range(2))
def test_killed_at_random_moments_the_next_run_gives_the_same_rows(docs, model, tmp_path, round_):
    """Ten kills a round, while files change, come and go between them."""
    rng = random.Random(round_)
    folder = docs.parent / ".embassay"
    many(docs, 150)
    for kill in range(10):
        process = start(docs, folder, model)
        time.sleep(rng.uniform(0.3, 2.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if kill % 3 == 2:
            many(docs, 150, version=kill)
            (docs / f"many{rng.randrange(150)}.md").unlink(missing_ok=True)
    final = start(docs, folder, model)
    _, stderr = final.communicate(timeout=120)
    assert final.returncode == 0, stderr.decode()
    with embassay.open(folder) as home:
        assert rows(home) == rows_of_fresh(docs, model)
        assert [f for f in home.doctor() if f.level == "problem"] == []


def test_two_index_processes_and_a_searcher(docs, model):
    folder = docs.parent / ".embassay"
    with embassay.open(folder) as home:
        home.index([docs], model=model)
        many(docs, 60)
        processes = [start(docs, folder, model) for _ in range(2)]
        while any(process.poll() is None for process in processes):
            assert home.search("rotate the key").hits
        for process in processes:
            _, stderr = process.communicate()
            assert process.returncode == 0, stderr.decode()
        assert rows(home) == rows_of_fresh(docs, model)


def rows_in(folder):
    with embassay.open(folder) as home:
        return rows(home)


def wait_for_a_checkpoint(folder):
    """Until the first rows of another process are settled; fails after a minute."""
    for _ in range(3000):
        try:
            with closing(sqlite3.connect(f"file:{folder / 'state.db'}?mode=ro", uri=True)) as db:
                if db.execute("SELECT 1 FROM sources WHERE state = 'ok'").fetchone():
                    return
        except sqlite3.OperationalError:
            pass  # the other process has not made it yet
        time.sleep(0.02)
    raise AssertionError("nothing was written in a minute")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_keeps_the_work(docs, model, how, code):
    folder = docs.parent / ".embassay"
    many(docs, 800)
    process = start(docs, folder, model)
    wait_for_a_checkpoint(folder)
    process.send_signal(how)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == code and b"Traceback" not in stderr
    kept = rows_in(folder)
    assert kept, "what was embedded before the signal is kept"
    final = start(docs, folder, model)
    final.communicate(timeout=120)
    assert kept.items() <= rows_in(folder).items()
    with embassay.open(folder) as home:
        assert [f for f in home.doctor() if f.level == "problem"] == []
