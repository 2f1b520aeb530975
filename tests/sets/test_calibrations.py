"""How near texts come that have nothing to do with a set is kept with its generation."""

import sqlite3
from contextlib import closing

from embassay.search.answered import Calibration
from tests.sets.indexed import opened


def test_a_calibration_is_kept_and_goes_with_its_set(home, docs, model):
    home.index([docs], model=model)
    with opened(home) as (state, generation, _):
        kept = state.calibrations.of(generation.id)
        assert kept.recall() is None
        kept.keep(Calibration(0.25, 70))
        kept.keep(Calibration(0.5, 80))
        assert state.calibrations.of(generation.id).recall() == Calibration(0.5, 80)
        state.calibrations.of(generation.id + 1).keep(Calibration(0.1, 50))
        assert state.calibrations.of(generation.id + 1).recall() is None, "there is no such generation"
    home.delete_set("default")
    with closing(sqlite3.connect(home.folder / "state.db")) as db:
        assert db.execute("SELECT count(*) FROM calibrations").fetchone() == (0,)


def test_what_was_changed_by_hand_counts_as_missing(home, docs, model):
    home.index([docs], model=model)
    with opened(home) as (state, generation, _):
        kept = state.calibrations.of(generation.id)
        for least, chunks in (("much", 70), (float("inf"), 70), (0.5, "many")):
            kept.keep(Calibration(0.25, 70))
            with closing(sqlite3.connect(home.folder / "state.db")) as db, db:
                db.execute("UPDATE calibrations SET least = ?, chunks = ?", (least, chunks))
            assert kept.recall() is None


def test_a_set_is_calibrated_by_its_first_search(home, docs, model):
    for n in range(60):
        (docs / f"n{n}.md").write_text(f"# Note {n}\n\nThe proxy of rack {n} forwards requests to server {n * 7}.\n")
    home.index([docs], model=model)
    assert home.search("proxy of rack 7").hits
    with opened(home) as (state, generation, store), store.snapshot() as version:
        assert state.calibrations.of(generation.id).recall().rows == version.count() >= 60
    assert home.search("proxy", mode="lexical").answered is None
