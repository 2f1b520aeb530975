import numpy as np

from embassay.search.modes import pipeline
from embassay.search.run import run
from tests.search.fakes import context


def test_each_stage_says_what_it_saw_and_kept():
    steps = run(pipeline(k=2), context()).trace.steps
    assert [(s.stage, s.saw, s.kept) for s in steps] == [
        ("dense(100)", None, 3),
        ("lexical(100)", None, 2),
        ("adaptive(0.7)", 5, 4),
        ("top(2)", 4, 2),
        ("fetch", 2, 2),
    ]
    assert all(step.ms >= step.model_ms >= 0 for step in steps)


def test_the_time_of_the_model_is_told_apart(monkeypatch):
    """A clock that only the model moves."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def slow(text, role):
        now[0] += 0.25
        return np.ones(2, np.float32)

    dense, lexical, *_ = run(pipeline(), context(embed=slow)).trace.steps
    assert (dense.ms, dense.model_ms) == (250.0, 250.0) and (lexical.ms, lexical.model_ms) == (0.0, 0.0)


def test_as_json():
    step = run(pipeline("lexical"), context()).trace.steps[0].to_dict()
    assert set(step) == {"stage", "saw", "kept", "ms", "model_ms"} and step["stage"] == "lexical(10)"
