"""Jobs: who works on a generation, whether it is alive, and how it ended."""

from __future__ import annotations

import os
import threading
from contextlib import closing

import pytest

from embassay.sets.database import Database
from embassay.sets.jobs import DEAD_SECONDS, KEPT, Jobs
from embassay.sets.state import State
from tests.sets.test_state import SPACE, SPEC


@pytest.fixture
def generation(tmp_path):
    with closing(State(tmp_path / "state.db", create=True)) as state:
        yield state.create("docs", "g1", SPACE, SPEC).id


@pytest.fixture
def clock():
    class Clock:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    return Clock()


@pytest.fixture
def jobs(tmp_path, generation, clock):
    with closing(Database(tmp_path / "state.db")) as database:
        yield Jobs(database, clock)


def test_a_job_runs_and_is_done(jobs, generation):
    with jobs.run("index", generation) as job:
        (found,) = jobs.of(generation)
        assert found == job and found.state == "running" and found.is_alive(1000.0)
        assert found.process.endswith(f":{os.getpid()}")
    assert [(job.state, job.detail) for job in jobs.of(generation)] == [("done", "")]


def test_a_job_that_fails_says_why(jobs, generation):
    with pytest.raises(ValueError, match="no disk"), jobs.run("index", generation):
        raise ValueError("no disk")
    assert [(job.state, job.detail) for job in jobs.of(generation)] == [("failed", "ValueError")]


def test_its_heart_beats(jobs, generation, clock):
    with jobs.run("index", generation, beat_seconds=0.01):
        clock.now = 2000.0
        for _ in range(500):
            if jobs.of(generation)[0].heartbeat == 2000.0:
                break
            threading.Event().wait(0.01)
        assert jobs.of(generation)[0].heartbeat == 2000.0


def test_a_job_whose_process_died(jobs, generation, clock):
    running = jobs.run("index", generation, beat_seconds=3600)
    job = running.__enter__()
    assert job.is_alive(clock.now + DEAD_SECONDS - 1)
    assert not job.is_alive(clock.now + DEAD_SECONDS), "nobody has heard of it for too long"
    running.__exit__(None, None, None)
    assert not jobs.of(generation)[0].is_alive(clock.now)


def test_old_ones_are_forgotten(jobs, generation):
    for _ in range(KEPT + 5):
        with jobs.run("index", generation):
            pass
    assert len(jobs.of(generation)) == KEPT
