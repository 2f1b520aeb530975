"""Index runs: incremental, quarantine, deletion, resumption, two processes at once."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import embassay
from embassay.errors import EmbassayError, QueryError, SetNotFound, SpaceMismatch, StoreError, UsageError
from embassay.stores.values import VECTOR
from tests.tiny import CASES, write_model


@pytest.fixture
def model(tmp_path):
    """A tiny model, so that a run is a matter of milliseconds."""
    return str(write_model(tmp_path / "model", CASES["bert"]))


@pytest.fixture
def home(docs, model):
    with embassay.open(docs.parent / ".embassay") as opened:
        yield opened


def rows(home: embassay.Home, name: str = "default") -> dict[str, tuple[object, ...]]:
    """Every row by key; fails on a doubled key."""
    found: dict[str, tuple[object, ...]] = {}
    for chunks, by_label in home._home.store(home._live(name)).snapshot().scan():
        for chunk, vector in zip(chunks, by_label[VECTOR], strict=True):
            assert chunk.key not in found, "a row is doubled"
            found[chunk.key] = (chunk, np.round(vector, 4).tolist())
    return found


def test_index_and_search(home, docs, model):
    report = home.index([docs], model=model)
    assert (report.files, report.unchanged, report.quarantined) == (5, 0, ())
    assert report.embedded == report.chunks == len(rows(home))
    hit = home.search("rotate the key", k=3).hits[0]
    assert hit.chunk.path == "docs/keys.md" and hit.rank == 1
    assert set(hit.arms) <= {"dense", "lexical"} and hit.arms["lexical"].rank == 1
    assert [h.rank for h in home.search("key", k=3).hits] == [1, 2, 3]


def test_an_unchanged_folder_costs_nothing(home, docs, model):
    home.index([docs], model=model)
    os.utime(docs / "notes.txt", (1, 1))
    time.sleep(2.1)  # younger files are read again, their clock may not have ticked
    home.index([docs])
    report = home.index([docs])
    assert (report.files, report.unchanged, report.embedded) == (0, 5, 0)


def test_a_changed_file_embeds_only_its_new_text(home, docs, model):
    text = "".join(f"# Part {i}\n\n{'Rotate the key before Friday. ' * 4}{i}\n\n" for i in range(10))
    (docs / "long.md").write_text(text)
    home.index([docs], model=model)
    before = rows(home)
    (docs / "long.md").write_text("# New\n\nSomething else stands here now, quite a lot of it in fact.\n\n" + text)
    report = home.index([docs])
    after = rows(home)
    assert report.files >= 1 and 0 < report.embedded <= 5
    moved = [key for key in before.keys() & after.keys() if before[key][0].lines != after[key][0].lines]
    assert len(moved) >= 8 and all(before[key][1] == after[key][1] for key in moved)
    assert rows_of_fresh(docs, model) == after


def rows_of_fresh(docs: Path, model: str) -> dict[str, tuple[object, ...]]:
    """What an undisturbed run over the same files gives."""
    fresh = docs.parent / ".fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    with embassay.open(fresh) as home:
        home.index([docs], model=model)
        return rows(home)


def test_deleted_moved_and_narrowed(home, docs, model):
    home.index([docs], model=model)
    (docs / "notes.txt").unlink()
    (docs / "guide.rst").rename(docs / "network/guide.rst")
    assert home.index([docs / "network"]).removed == 0, "a part of the tree says nothing of the rest"
    assert home.index([docs]).removed == 2
    assert rows(home) == rows_of_fresh(docs, model)
    shutil.rmtree(docs / "network")
    assert home.index([docs / "network"]).removed == 2, "a folder that is gone was once indexed"
    assert rows(home) == rows_of_fresh(docs, model)
    with pytest.raises(UsageError, match="no such file"):
        home.index([docs / "never"])


def test_same_size_and_time_is_seen_with_checksum(home, docs, model):
    os.utime(docs / "notes.txt", ns=(10**18, 10**18))
    home.index([docs], model=model)
    text = (docs / "notes.txt").read_text()
    (docs / "notes.txt").write_text(text.replace("Maria", "Mario"))
    os.utime(docs / "notes.txt", ns=(10**18, 10**18))
    assert home.index([docs / "notes.txt"]).embedded == 0
    assert home.index([docs / "notes.txt"], checksum=True).embedded == 1


def test_quarantine_keeps_going_and_can_be_retried(home, docs, model):
    (docs / "bad.docx").write_bytes(b"not a zip")
    (docs / "half.jsonl").write_text('{"text": "rotate the key"}\nbroken\n')
    report = home.index([docs], model=model)
    assert [path for path, _ in report.quarantined] == ["docs/bad.docx", "docs/half.jsonl"]
    assert home.status()[0].quarantined == 2 and home.status()[0].documents == 6
    assert home.search("rotate the key").hits
    os.utime(docs / "half.jsonl", (1, 1))
    assert home.index([docs / "bad.docx"]).files <= 1
    (docs / "half.jsonl").write_text('{"text": "rotate the key"}\n{"text": "mended"}\n')
    (docs / "bad.docx").unlink()
    report = home.index([docs], retry_failed=True)
    assert report.quarantined == () and home.status()[0].documents == 7


def test_a_file_that_turns_bad_keeps_its_rows(home, docs, model):
    (docs / "x.jsonl").write_text('{"text": "rotate the key"}\n')
    home.index([docs], model=model)
    count = len(rows(home))
    (docs / "x.jsonl").write_bytes(b"\0\0\0")
    (docs / "keys.md").write_bytes(b"\0\0\0")
    report = home.index([docs])
    assert len(report.quarantined) == 2 and len(rows(home)) == count


def test_one_set_one_space(home, docs, model, tmp_path):
    home.index([docs], model=model)
    other = str(write_model(tmp_path / "other", CASES["bert"], seed=8))
    with pytest.raises(SpaceMismatch, match="weights"):
        home.index([docs], model=other)
    with pytest.raises(UsageError, match="precision"):
        home.index([docs], precision="int8")
    with pytest.raises(UsageError, match="chunk_tokens"):
        home.index([docs], chunk_tokens=20)
    home.index([docs], set="second", model=other)
    assert home.sets() == ["default", "second"]
    shutil.copytree(other, model, dirs_exist_ok=True)
    with embassay.open(home.folder) as again, pytest.raises(SpaceMismatch, match="weights"):
        again.search("key")
    with embassay.open(home.folder) as again:
        assert again.search("key", mode="lexical").hits, "words need no model"


def test_without_its_model_a_search_goes_by_words_and_says_so(home, docs, model):
    home.index([docs], model=model)
    shutil.rmtree(model)
    with embassay.open(home.folder) as again:
        result = again.search("rotate the key")
        assert result.hits and result.mode == "lexical" and "words only" in result.notices[0]


def test_queries(home, docs, model):
    home.index([docs], model=model)
    for query in ("", "   ", "\0"):
        with pytest.raises(QueryError, match="empty"):
            home.search(query)
    with pytest.raises(QueryError, match="characters"):
        home.search("x" * 10_000_000)
    assert home.search("key \0 \ud800 'quoted\" (").hits
    assert "read the first" in home.search("key " * 100).notices[0]
    assert len(home.search("key", k=1000).hits) == len(rows(home))
    with pytest.raises(SetNotFound, match="There are: default"):
        home.search("key", set="defualt")


def test_filters_apply_before_the_top_k(home, docs, model):
    home.index([docs], model=model)
    for mode in ("dense", "lexical", "hybrid"):
        hits = home.search("proxy server key", k=1, mode=mode, where="year >= 2024 and title = 'Proxies'").hits
        assert [hit.chunk.path for hit in hits] == ["docs/network/proxy.md"]
    assert home.search("key", where='path ~ "nowhere/**"').hits == []


def test_empty_folder(home, docs, model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert home.index([tmp_path / "empty"], model=model).chunks == 0
    assert home.search("key").hits == []
    assert home.doctor() == []


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


def test_records_may_share_an_id(home, docs, model):
    (docs / "a.csv").write_text("id,text\n5,hello world\n5,hello world\n5,other\n")
    home.index([docs], model=model)
    (docs / "a.csv").write_text("id,text\n5,hello world\n5,hello world\n5,other\n6,zz\n")
    assert home.index([docs]).embedded == 1
    assert sorted(c.document for c, _ in rows(home).values() if c.path == "docs/a.csv") == [
        "docs/a.csv#5", "docs/a.csv#5~2", "docs/a.csv#5~3", "docs/a.csv#6",
    ]  # fmt: skip


def test_lost_vectors_come_back_with_the_next_run(home, docs, model):
    home.index([docs], model=model)
    before = rows(home)
    shutil.rmtree(home.folder / "vectors")
    with embassay.open(home.folder) as again:
        with pytest.raises(StoreError, match="vectors of this set are missing"):
            again.search("key")
        again.index([docs])
        assert rows(again) == before


def test_remains_of_a_killed_creation_are_made_whole(home, docs, model):
    home.index([docs], model=model)
    before = rows(home)
    (table,) = (home.folder / "vectors").iterdir()
    shutil.rmtree(table / "_versions")
    with embassay.open(home.folder) as again:
        again.index([docs])
        assert rows(again) == before


def test_a_lost_state_does_not_adopt_old_rows(home, docs, model):
    home.index([docs], model=model)
    home.close()
    for file in home.folder.glob("state.db*"):
        file.unlink()
    (docs / "notes.txt").unlink()
    with embassay.open(home.folder) as again:
        again.index([docs], model=model)
        assert rows(again) == rows_of_fresh(docs, model)


def test_a_file_that_breaks_half_way_keeps_what_could_be_read(home, docs, model):
    (docs / "a.csv").write_text("id,text\n1,one\n2,two\n")
    home.index([docs], model=model)
    (docs / "a.csv").write_text("id,text\n7,seven\n8," + "x" * 16_100_000 + "\n")
    assert len(home.index([docs]).quarantined) == 1
    assert [c.document for c, _ in rows(home).values() if c.path == "docs/a.csv"] == ["docs/a.csv#7"]
    assert [f for f in home.doctor() if f.level == "problem"] == []


def test_names_that_are_not_utf8_are_skipped(home, docs, model):
    Path(os.fsdecode(os.fsencode(docs) + b"/bad\xff.md")).write_text("x")
    report = home.index([docs], model=model)
    assert [reason for _, reason in report.skipped] == ["its name is not UTF-8"]


def test_a_folder_above_the_root_removes_inside_it(home, docs, model):
    home.index([docs], model=model)
    (docs / "keys.md").unlink()
    assert home.index([docs.parents[1]]).removed == 1


def test_a_folder_that_cannot_be_listed_keeps_its_rows(home, docs, model, monkeypatch):
    home.index([docs], model=model)
    scandir = os.scandir

    def failing(path):
        if str(path).endswith("network"):
            raise OSError(5, "Input/output error")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    report = home.index([docs])
    assert report.removed == 0 and "cannot be listed" in report.skipped[0][1]


def test_a_home_behind_a_link(home, docs, model, tmp_path):
    home.index([docs], model=model)
    (tmp_path / "link").symlink_to(docs.parent)
    with embassay.open(tmp_path / "link/.embassay") as again:
        assert again.index([docs]).embedded == 0
        assert len(rows(again)) == len(rows(home))


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


def test_a_wrong_call_leaves_nothing(docs, model):
    folder = docs.parent / ".embassay"
    with embassay.open(folder) as home:
        for wrong in ({"set": "a/b"}, {"model": "./nowhere"}, {"precision": "f64"}, {"max_file_mb": float("nan")}):
            with pytest.raises(EmbassayError):
                home.index([docs], **{"model": model, **wrong})
        with pytest.raises(UsageError):
            home.index([docs / "nowhere"], model=model)
        assert not folder.exists()


# -- processes -------------------------------------------------------------------------------------------------


def start(docs: Path, home: Path, model: str) -> subprocess.Popen[bytes]:
    """`embassay index` in a process of its own."""
    command = [sys.executable, "-m", "embassay.cli.main", "index", str(docs), "--home", str(home), "--model", model]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def many(docs: Path, count: int, version: int = 0) -> None:
    for i in range(count):
        text = "".join(
            f"## Part {p}\n\nRotate the key {i} {p} {version if i % 3 == 0 else 0}.\n\n" * 3 for p in range(6)
        )
        (docs / f"many{i}.md").write_text(f"# File {i}\n\n{text}")


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


def test_ctrl_c_keeps_the_work_and_exits_130(docs, model):
    folder = docs.parent / ".embassay"
    many(docs, 3000)
    process = start(docs, folder, model)
    time.sleep(4.0)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    if process.returncode == 0:
        pytest.skip("the machine indexed it all before the signal came")
    assert process.returncode == 130 and b"Traceback" not in stderr
    final = start(docs, folder, model)
    final.communicate(timeout=120)
    with embassay.open(folder) as home:
        assert [f for f in home.doctor() if f.level == "problem"] == []
