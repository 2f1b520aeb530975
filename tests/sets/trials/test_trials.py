"""A switch on trial: what it holds, who decides it, and what ends it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time

import pytest

import embassay
from embassay.errors import HomeCorrupt, MigrationState, ProviderDown, SetNotFound, UsageError
from embassay.sets.followers import behind
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget
from embassay.sets.trials.terms import TrialFinding, TrialTerms

SOON = 1e-9
"""Days: such a trial is due at once."""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "judged").mkdir()
    with embassay.open(tmp_path / ".embassay") as opened:
        opened.set("docs").upsert([{"id": str(at), "text": f"Text number {at}."} for at in range(5)], model="hash/64")
        built(opened)
        yield opened


def built(home, to="hash/128"):
    begin(home._sets, "docs", MigrationTarget.of(to))
    return run(home._sets, "docs")


def on_trial(home, **terms):
    return home.set("docs").switch(trial=TrialTerms(**{"judged": "judged", **terms}))


def saying(*said):
    """An observer that has seen this."""
    return lambda *_: [
        TrialFinding(f"kind {at}", one, f"It says {one}.", 0.1, (0.0, 0.2)) for at, one in enumerate(said)
    ]


def what(home):
    return [one.what for one in home.set("docs").history()]


def move_clock(home, seconds):
    """As if a trial had been begun so long ago."""
    with sqlite3.connect(home.folder / "state.db") as db:
        db.execute("UPDATE trials SET started = started - ?, ends = ends - ?", (seconds, seconds))


def test_the_old_generation_is_held_and_written_until_it_is_decided(home):
    done = on_trial(home, days=SOON)
    docs, sets = home.set("docs"), home._sets
    assert done.keep_until is None and done.trial.days == SOON
    docs.upsert([{"id": "new", "text": "Written while it is on trial."}])
    assert behind(sets.state, sets.live("docs"), done.was) == 0
    assert sets.state.roster.outdated(time.time() + 1e9) == [] and home.gc(apply=True).found == ()
    docs.keep_trial()
    kept = sets.state.set("docs")
    assert kept.previous == done.was.id and abs(kept.keep_until - time.time() - 7 * 86400) < 60
    assert sets.state.roster.outdated(time.time() + 8 * 86400) == [("docs", done.was.id)]


def test_a_look_before_the_end_decides_nothing(home):
    done = on_trial(home, days=7)
    found = home.set("docs").trial(saying("revert"))
    assert found.state == "running" and found.findings[0].says == "revert" and found.generation == done.now.name
    assert home._sets.live("docs") == done.now and what(home)[0] == "trial begun"
    assert home.set("docs").trial().findings == [], "nothing of that is kept"


@pytest.mark.parametrize(
    ("said", "state", "noted"),
    [
        (("keep",), "kept", "trial kept"),
        (("revert", "open"), "reverted", "rolled back"),
        (("open",), "undecided", "trial undecided"),
        (("keep", "revert"), "undecided", "trial undecided"),
    ],
)
def test_who_looks_first_when_it_is_due_decides_it(home, said, state, noted):
    done = on_trial(home, days=SOON)
    docs, sets = home.set("docs"), home._sets
    assert docs.open_trial().state == docs.trial().state == "due"
    found = docs.trial(saying(*said))
    assert (found.state, what(home)[0]) == (state, noted)
    assert sets.live("docs") == (done.was if state == "reverted" else done.now)
    assert [one.says for one in found.findings] == [*said] and "It says" in found.reason
    again = docs.trial(saying("keep", "keep"))
    assert (again.state, again.findings) == (state, found.findings), "it is decided once"
    assert len(what(home)) == len(home.set("docs").history()) and what(home)[0] == noted
    assert (docs.open_trial() is None) is (state != "undecided")
    if state == "reverted":
        assert sets.state.migrations.building(done.now.id).state == "rolled-back"
        assert docs.history()[0].detail["findings"][0]["says"] == "revert"


def test_an_undecided_one_is_extended_kept_or_rolled_back(home):
    on_trial(home, days=SOON)
    docs = home.set("docs")
    docs.trial(saying("open"))
    assert [action.name for action in docs.trial().next.actions] == ["trial", "rollback", "trial"]
    found = docs.extend_trial(3)
    assert found.state == "running" and abs(found.ends - time.time() - 3 * 86400) < 60
    move_clock(home, 4 * 86400)
    assert docs.trial(saying("keep")).state == "kept"
    for late in (docs.keep_trial, lambda: docs.extend_trial(1)):
        with pytest.raises(MigrationState, match="was kept"):
            late()


@pytest.mark.parametrize("days", [0, -1, float("nan"), 1000])
def test_extensions_that_are_none(home, days):
    on_trial(home)
    with pytest.raises(UsageError, match="days longer"):
        home.set("docs").extend_trial(days)


def test_a_rollback_a_switch_and_a_migration_end_it(home):
    docs, sets = home.set("docs"), home._sets
    first = on_trial(home)
    docs.rollback()
    assert docs.trial().state == "ended" and docs.trial().reason == "the set was rolled back"
    assert "trial ended" in what(home)[:2]
    assert any("ended with that, before it was decided" in one for one in home.session.notices)
    assert abs(sets.state.set("docs").keep_until - time.time() - 7 * 86400) < 60, "nothing is held any more"
    docs.switch(first.now.name, trial=TrialTerms(judged="judged"))
    begin(sets, "docs", MigrationTarget.of("hash/96"))
    assert docs.trial().reason == "a migration was begun" and docs.open_trial() is None
    assert abs(sets.state.set("docs").keep_until - time.time() - 7 * 86400) < 60


def test_what_cannot_be_measured_is_a_state_and_decides_nothing(home):
    def down(*_):
        raise ProviderDown("nobody answers.", remedy="Try again later.")

    done = on_trial(home)
    docs = home.set("docs")
    assert docs.trial(down).state == "running" and docs.trial(down).reason == "nobody answers."
    move_clock(home, 8 * 86400)
    found = docs.trial(down)
    assert found.state == "blocked" and "Try again later." in str(found.next) and found.is_open
    assert home._sets.live("docs") == done.now and docs.trial().state == "due"
    assert docs.trial(saying("keep")).state == "kept"


def test_a_clock_that_jumped_back_decides_nothing_and_is_told(home):
    on_trial(home, days=1)
    move_clock(home, -30 * 86400)
    found = home.set("docs").trial(saying("revert"))
    assert found.state == "running" and "The clock stands before" in found.notice


def test_a_trial_has_to_have_something_to_observe(home):
    with pytest.raises(UsageError, match="the query log is off"):
        home.set("docs").switch(trial=TrialTerms())
    with pytest.raises(UsageError, match="'nowhere' is not there"):
        home.set("docs").switch(trial=TrialTerms(judged="nowhere"))
    assert home._sets.state.set("docs").previous is None, "nothing was switched"


def test_the_judged_set_of_the_gate_is_that_of_the_trial(home):
    sets = home._sets
    migration = sets.state.migrations.open("docs")
    sets.state.migrations.change_options(migration, {**migration.options, "gate": "judged"})
    assert home.set("docs").switch(trial=TrialTerms()).trial.judged == "judged"


def test_sets_without_a_trial(home):
    with pytest.raises(MigrationState, match="has no trial"):
        home.set("docs").trial()
    with pytest.raises(SetNotFound):
        home.set("nope").trial()
    assert home.set("docs").open_trial() is None
    on_trial(home)
    home.rename_set("docs", "papers")
    assert home.set("papers").trial().state == "running"
    home.delete_set("papers")
    home.set("papers").upsert([{"id": "1", "text": "Another set of that name."}], model="hash/64")
    with pytest.raises(MigrationState, match="has no trial"):
        home.set("papers").trial()


def test_it_is_told_wherever_one_looks(home):
    on_trial(home)
    assert home.set("docs").status().trial.state == home.set("docs").migration().trial.state == "running"
    assert "embassay trial docs" in str(home.set("docs").migration().next)


def test_a_row_that_no_version_wrote_is_damage(home):
    on_trial(home)
    with sqlite3.connect(home.folder / "state.db") as db:
        db.execute("UPDATE trials SET terms = ?", ('{"days": "soon"}',))
    with pytest.raises(HomeCorrupt, match="must be a number"):
        home.set("docs").trial()


RACER = """
import sys, time, embassay
from embassay.sets.trials.terms import TrialFinding

def observer(*_):
    print("ready", flush=True)
    sys.stdin.readline()
    return [TrialFinding("judged", sys.argv[2], "seen.", -0.2, (-0.3, -0.1))]

with embassay.open(sys.argv[1]) as home:
    print(home.set("docs").trial(observer).state, flush=True)
"""


@pytest.mark.parametrize("said", [("revert", "revert"), ("keep", "keep"), ("keep", "revert")])
def test_of_two_processes_that_decide_at_once_one_decides(home, said):
    done = on_trial(home, days=SOON)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(home.folder), one],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for one in said
    ]  # fmt: skip
    assert [one.stdout.readline() for one in racers] == ["ready\n", "ready\n"]
    for one in racers:
        one.stdin.write("\n")
        one.stdin.flush()
    states = [one.communicate(timeout=60)[0].strip() for one in racers]
    assert states[0] == states[1] and states[0] in ("kept", "reverted")
    assert [one.returncode for one in racers] == [0, 0]
    decided = [one for one in what(home) if one in ("trial kept", "rolled back")]
    assert len(decided) == 1
    assert home._sets.live("docs") == (done.was if states[0] == "reverted" else done.now)
