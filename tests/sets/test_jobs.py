"""Jobs: who works on a generation, whether it is alive, and how it ended."""

from __future__ import annotations

import os
import subprocess
import threading
from contextlib import closing
from dataclasses import replace

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


def test_a_job_of_another_machine_lives_as_long_as_its_heart_beats(jobs, generation, clock):
    with jobs.run("index", generation, beat_seconds=3600) as here:
        job = replace(here, owner=f"elsewhere:{os.getpid()}:1")
        assert job.is_alive(clock.now + DEAD_SECONDS - 1)
        assert not job.is_alive(clock.now + DEAD_SECONDS), "nobody has heard of it for too long"
        assert not job.is_alive(clock.now - DEAD_SECONDS), "the clock was put back, and it says nothing any more"


def test_a_job_of_this_machine_lives_as_long_as_its_process(jobs, generation, clock):
    """By the process itself, so that no jump of the clock hides it, and not by a number that another one may have."""
    with jobs.run("index", generation, beat_seconds=3600) as job:
        assert job.is_alive(clock.now + 366 * 86400) and job.is_alive(clock.now - 86400)
        host, number, start = job.owner.split(":")
        assert not replace(job, owner=f"{host}:{number}:{int(start) + 1}").is_alive(clock.now)
        with subprocess.Popen(["true"]) as ended:
            pass
        assert not replace(job, owner=f"{host}:{ended.pid}:{start}").is_alive(clock.now)
    assert not jobs.of(generation)[0].is_alive(clock.now)


def test_old_ones_are_forgotten(jobs, generation):
    for _ in range(KEPT + 5):
        with jobs.run("index", generation):
            pass
    assert len(jobs.of(generation)) == KEPT
