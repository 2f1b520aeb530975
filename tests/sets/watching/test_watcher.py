"""A watched set holds what a fresh index of the same files holds, whatever happens to them."""

from __future__ import annotations

import os
import random
import shutil
import threading

import pytest

import embassay
from embassay.config.values import CacheConfig, Config, EmbeddingsConfig
from embassay.errors import SetNotFound, UsageError
from embassay.events import WorkAdvanced
from embassay.home import Home
from embassay.session import Session
from embassay.sets.folder import HomeFolder
from embassay.sets.watching import listening
from embassay.sets.watching import watcher as module
from embassay.sets.watching.reports import Delayed, Lost, Updated, Watching
from tests.servers import Answer, hash_openai, serving
from tests.sets.indexed import rows, rows_of_fresh
from tests.sets.watching.watched import watched

MODEL = "hash/64"


@pytest.fixture
def home(docs):
    with embassay.open(docs.parent / ".embassay") as opened:
        yield opened


def texts(home):
    return {(chunk.path, chunk.text) for chunk, _ in rows(home).values()}


def same(home, docs):
    """Whether the set holds what a fresh index of the same files holds."""
    return lambda: rows(home) == rows_of_fresh(docs, MODEL)


WAYS = pytest.mark.parametrize("poll", [None, 0.05])


@WAYS
def test_files_that_come_change_move_and_go(home, docs, poll):
    with watched(home.watch([docs], model=MODEL, poll=poll)) as told:
        assert isinstance(told.all[0], Watching) and told.all[0].by == ("polling" if poll else "events")
        assert told.all[1].changes == 0 and told.all[1].index.files == 5
        (docs / "deep/er").mkdir(parents=True)
        (docs / "deep/er/new.md").write_text("# New\n\nA new page.\n")
        told.until(lambda: "docs/deep/er/new.md" in home.sources())
        (docs / "keys.md").write_text("# Keys\n\nAll of it is different.\n")
        (docs / "notes.txt").unlink()
        (docs / "deep").rename(docs / "moved")
        shutil.move(docs / "network", docs.parent / "elsewhere")
        told.until(same(home, docs))
        assert "docs/moved/er/new.md" in home.sources() and "docs/network/proxy.md" not in home.sources()
    assert told.error is None


@WAYS
def test_an_editor_that_writes_beside_and_renames(home, docs, poll):
    with watched(home.watch([docs], model=MODEL, poll=poll)) as told:
        for version in range(3):
            (docs / ".keys.md.swp").write_text("being written")
            (docs / "4913").touch()
            (docs / "4913").unlink()
            (docs / "keys.md").rename(docs / "keys.md~")
            (docs / ".keys.md.swp").write_text(f"# Keys\n\nVersion {version} of it.\n")
            (docs / ".keys.md.swp").rename(docs / "keys.md")
            (docs / "keys.md~").unlink()
            told.until(lambda v=version: ("docs/keys.md", f"Version {v} of it.") in ends(home))
        told.until(same(home, docs))


def ends(home):
    return {(path, text.strip().splitlines()[-1]) for path, text in texts(home)}


def test_what_is_passed_over_by_an_index_run_is_passed_over(home, docs):
    (docs / ".gitignore").write_text("build/\n")
    with watched(home.watch([docs], model=MODEL, exclude=["*.log.md"])) as told:
        for name in ("build/a.md", ".cache/b.md", "c.log.md"):
            (docs / name).parent.mkdir(exist_ok=True)
            (docs / name).write_text("# A\n\nText.\n")
        (docs / "last.md").write_text("# Last\n\nText.\n")
        told.until(lambda: "docs/last.md" in home.sources())
        assert not {"docs/build/a.md", "docs/.cache/b.md", "docs/c.log.md"} & home.sources().keys()
        (docs / ".gitignore").write_text("last.md\n")
        told.until(lambda: home.sources().keys() >= {"docs/build/a.md"} and "docs/last.md" not in home.sources())


def test_links(home, docs, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/far.md").write_text("# Far\n\nAway.\n")
    with watched(home.watch([docs], model=MODEL)) as told:
        (docs / "same").symlink_to(docs / "network")
        (docs / "far").symlink_to(tmp_path / "outside")
        (docs / "network/proxy.md").write_text("# Proxies\n\nOne file of two names.\n")
        told.until(lambda: {"docs/far/far.md", "docs/network/proxy.md"} <= home.sources().keys())
        told.until(same(home, docs))
        assert "docs/same/proxy.md" not in home.sources()


def test_single_files(home, docs):
    """Their editor writes by renaming, so that the file which was watched is not there any more."""
    with watched(home.watch([docs / "keys.md", docs / "network"], model=MODEL)) as told:
        for version in range(2):
            (docs / "other.md").write_text(f"# Keys\n\nVersion {version} of it.\n")
            (docs / "other.md").rename(docs / "keys.md")
            told.until(lambda v=version: ("docs/keys.md", f"Version {v} of it.") in ends(home))
        (docs / "keys.md").unlink()
        told.until(lambda: [*home.sources()] == ["docs/network/proxy.md"])


@WAYS
def test_a_watched_folder_that_goes_and_comes_back(home, docs, poll):
    """As another branch that is checked out, or a disk that is taken off."""
    with watched(home.watch([docs], model=MODEL, poll=poll)) as told:
        before = rows(home)
        docs.rename(docs.with_name("away"))
        assert told.next(Lost).paths == (str(docs),)
        assert rows(home) == before
        docs.mkdir()
        assert told.next(Lost).paths == ()
        shutil.copytree(docs.with_name("away"), docs, dirs_exist_ok=True)
        (docs / "new.md").write_text("# New\n\nA new page.\n")
        told.until(same(home, docs))


def test_many_changes_while_a_run_is_under_way(home, docs):
    """All that happens during a run is found after it."""
    chance, written = random.Random(3), 0

    def disturb(_):
        nonlocal written
        if written < 400:
            for _ in range(20):
                file = docs / f"d{chance.randrange(5)}" / f"{chance.randrange(60)}.md"
                file.parent.mkdir(exist_ok=True)
                if file.exists() and chance.random() < 0.3:
                    file.unlink()
                else:
                    file.write_text(f"# {file.name}\n\nText {written}.\n")
                written += 1

    home.session.events.subscribe(WorkAdvanced, disturb)
    with watched(home.watch([docs], model=MODEL)) as told:
        told.until(lambda: written >= 400)
        told.until(same(home, docs))


class Deaf(listening.EventListener):
    """Hears a part of what happens, as where the system's queue is too short."""

    def listen(self, pending, stop):
        heard = iter(range(10**9))
        add = pending.add
        pending.add = lambda paths: add([path for path in paths if next(heard) % 3 == 0])
        super().listen(pending, stop)


def test_events_that_got_lost(home, docs, monkeypatch):
    monkeypatch.setattr(module, "EventListener", Deaf)
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(module, "CHECK_SHARE", 1.0)
    with watched(home.watch([docs], model=MODEL)) as told:
        for i in range(40):
            (docs / f"{i}.md").write_text(f"# {i}\n\nText.\n")
        told.until(same(home, docs))


class Refused(listening.EventListener):
    """A system that gives no events, as where there are more folders than it watches."""

    def listen(self, pending, stop):
        raise OSError("OS file watch limit reached")


def test_a_system_that_gives_no_events_is_polled(home, docs, monkeypatch):
    monkeypatch.setattr(module, "EventListener", Refused)
    monkeypatch.setattr(module, "POLL_SECONDS", 0.05)
    with watched(home.watch([docs], model=MODEL)) as told:
        (docs / "new.md").write_text("# New\n\nA new page.\n")
        told.until(lambda: "docs/new.md" in home.sources())
    (_, polling) = [report for report in told.all if isinstance(report, Watching)]
    assert polling.by == "polling" and "limit" in polling.why


def test_an_outage_loses_no_change(docs, tmp_path, monkeypatch):
    monkeypatch.setattr("embassay.embedders.http.connection.BACKOFF", 0.001)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.2)
    up = hash_openai(64)
    with serving(up) as server:
        model = {"provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "max_tokens": 512, "retries": 0}
        config = Config(
            embeddings=EmbeddingsConfig(models={"served": model}, default_model="served"),
            cache=CacheConfig(path=str(tmp_path / "cache.db")),
        )
        with Session(config) as session, Home(HomeFolder(docs.parent / ".embassay"), session) as home:
            with watched(home.watch([docs])) as told:
                server.handle = lambda _: Answer("down", 503)
                (docs / "one.md").write_text("# One\n\nWritten during the outage.\n")
                delayed = told.next(Delayed)
                assert delayed.error.code == "provider_down" and delayed.changes >= 1 and delayed.seconds > 0
                (docs / "two.md").write_text("# Two\n\nWritten later during the outage.\n")
                (docs / "keys.md").unlink()
                assert told.next(Delayed).seconds > delayed.seconds
                server.handle = up
                told.until(lambda: {"docs/one.md", "docs/two.md"} <= home.sources().keys())
                told.until(lambda: "docs/keys.md" not in home.sources())


def test_an_outage_from_the_beginning(docs, tmp_path, monkeypatch):
    """The set cannot be made yet."""
    monkeypatch.setattr("embassay.embedders.http.connection.BACKOFF", 0.001)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.2)
    with serving(lambda _: Answer("down", 503)) as server:
        model = {"provider": "openai", "model_id": "m", "base_url": f"{server.url}/v1", "max_tokens": 512, "retries": 0}
        config = Config(embeddings=EmbeddingsConfig(models={"served": model}, default_model="served"))
        with Session(config) as session, Home(HomeFolder(docs.parent / ".embassay"), session) as home:
            delayed = []
            for report in home.watch([docs]):
                delayed += [report] if isinstance(report, Delayed) else []
                if len(delayed) == 2:
                    server.handle = hash_openai(64)
                if isinstance(report, Updated):
                    break
            assert len(home.sources()) == 5


def test_what_changed_while_nobody_watched(home, docs):
    for file in docs.rglob("*.*"):
        os.utime(file, (1, 1))  # younger files are read again, their clock may not have ticked
    home.index([docs], model=MODEL)
    (docs / "keys.md").unlink()
    (docs / "new.md").write_text("# New\n\nA new page.\n")
    for report in home.watch():
        if isinstance(report, Updated):
            assert (report.changes, report.index.files, report.index.removed) == (0, 1, 1)
            break
    assert same(home, docs)()


def test_what_was_deleted_from_the_set_stays_out(home, docs):
    home.index([docs / "keys.md", docs / "network"], model=MODEL)
    home.set("default").delete(path="docs/keys.md")
    with watched(home.watch()) as told:
        (docs / "keys.md").write_text("# Keys\n\nIt changes.\n")
        (docs / "network/b.md").write_text("# B\n\nText.\n")
        told.until(lambda: "docs/network/b.md" in home.sources())
    assert "docs/keys.md" not in home.sources()


def test_a_file_that_cannot_be_read_is_told_once(home, docs):
    with watched(home.watch([docs], model=MODEL)) as told:
        (docs / "bad.pdf").write_bytes(b"%PDF-1.7 and no more")
        told.until(lambda: home.coverage().quarantined)
        (docs / "new.md").write_text("# New\n\nA new page.\n")
        told.until(lambda: "docs/new.md" in home.sources())
    named = [path for report in told.all if isinstance(report, Updated) for path, _ in report.quarantined]
    assert named == ["docs/bad.pdf"]


def test_it_ends_with_its_set(home, docs):
    with watched(home.watch([docs], model=MODEL)) as told:
        home.delete_set("default")
        (docs / "new.md").write_text("# New\n\nA new page.\n")
        with pytest.raises(AssertionError, match="it ended"):
            told.next(Delayed)
    assert isinstance(told.error, SetNotFound)


def test_it_is_stopped_in_the_middle_of_a_run(home, docs):
    for i in range(300):
        (docs / f"{i}.md").write_text("".join(f"# {i}\n\nText {i} of {j}.\n\n" for j in range(40)))
    watcher = home.watch([docs], model=MODEL)
    stops = []
    home.session.events.subscribe(WorkAdvanced, lambda _: stops.append(watcher.stop()))
    assert [type(report) for report in watcher] == [Watching]
    assert stops[0] and not watcher.stop()
    assert threading.active_count() == len(threading.enumerate())
    home.index([docs])
    assert same(home, docs)()


def test_whoever_leaves_the_loop_leaves_no_thread(home, docs):
    for _ in home.watch([docs], model=MODEL):
        break
    assert not [thread for thread in threading.enumerate() if thread.name == "watch"]


def test_what_cannot_be_watched(home, docs):
    with pytest.raises(UsageError, match="no such file or folder"):
        home.watch([docs / "nowhere"])
    with pytest.raises(UsageError, match="nothing to watch"):
        home.watch([])
    with pytest.raises(UsageError, match="poll is -1"):
        home.watch([docs], poll=-1)
    with pytest.raises(embassay.errors.HomeNotFound):
        home.watch()
    home.set("faq").upsert([{"id": "1", "text": "Rotate."}], model=MODEL)
    with pytest.raises(UsageError, match="remembers no files"):
        home.watch(set="faq")
