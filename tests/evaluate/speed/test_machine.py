"""What this machine is called, and that it is measured once."""

import os

import pytest

from embassay.cli.commands.models.recommend import _measured
from embassay.config.values import user_cache
from embassay.evaluate.speed import machine as speed
from embassay.evaluate.speed.machine import known_machine, processor


def test_the_processor_has_a_name_and_cores():
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name, _, rest = processor().rpartition(f", {count} cores")
    assert name and (not rest or rest.startswith(", "))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return user_cache().parent


def test_a_machine_is_measured_once_and_again_on_request(cache):
    first = known_machine()
    if not first.measured:
        pytest.skip("needs the default model on this machine")
    assert first.spread >= 1
    (file,) = cache.iterdir()
    assert known_machine() == first, "a second call reads what the first has measured"
    file.write_text(file.read_text().replace(first.measured_on, "2020-02-02"))
    assert known_machine().measured_on == "2020-02-02"
    assert known_machine(again=True).measured_on == first.measured_on == known_machine().measured_on


def test_it_is_told_that_a_machine_was_busy():
    calm, busy = (_measured(speed.Machine(measured_on="2026-01-01", spread=spread)) for spread in (1.1, 2.5))
    assert "2026-01-01" in calm and "busy" not in calm
    assert "2.5 times the shortest" in busy


@pytest.mark.parametrize("found", ["", "{", "[]", '{"query_flops": 0}', '{"measured_on": "never"}', "\0\0"])
def test_what_is_no_measurement_is_measured_anew(cache, monkeypatch, found):
    cache.mkdir(parents=True)
    speed._kept_in().write_text(found)
    monkeypatch.setattr(speed, "_measure", lambda: speed.Machine(measured_on="2026-01-01"))
    assert known_machine().measured_on == "2026-01-01"


def test_a_cache_that_cannot_be_written_costs_only_time(cache, monkeypatch):
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("no folder")
    monkeypatch.setattr(speed, "_measure", lambda: speed.Machine(measured_on="2026-01-01"))
    assert known_machine().measured
