"""What a trial observes of two real spaces: on a judged set, and in the query log."""

from __future__ import annotations

import shutil

import pytest

import embassay
from embassay.config.values import Config, QueryLogConfig
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.migration.satisfaction import Satisfaction
from embassay.evaluate.migration.trial import TrialObserver, of_feedback
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.target import MigrationTarget
from embassay.sets.trials.terms import TrialTerms
from tests.evaluate.migration.test_gate import ANSWERS

SOON = 1e-9
TERMS = {"days": SOON, "keep_above": 0.10, "revert_below": 0.05, "mode": "dense"}
ASKED = {f"q{name}": text.replace("was left beside", "stood next to") for name, text in ANSWERS.items()}


@pytest.fixture
def judged(tmp_path):
    """The same as files, in BEIR's layout."""
    folder = tmp_path / "judged"
    made = JudgedSet("made", (), ASKED, {f"q{name}": {name: 1} for name in ANSWERS})
    (folder / "qrels").mkdir(parents=True)
    lines = [f'{{"_id": "{name}", "text": "{text}"}}\n' for name, text in made.queries.items()]
    (folder / "queries.jsonl").write_text("".join(lines))
    (folder / "corpus.jsonl").write_text("".join(f'{{"_id": "{n}", "text": "{t}"}}\n' for n, t in ANSWERS.items()))
    pairs = "".join(f"{query}\t{name}\t1\n" for query, judgments in made.qrels.items() for name in judgments)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{pairs}")
    return folder


def moved(tmp_path, model, to, session=None):
    home = embassay.open(tmp_path / ".embassay", session=session)
    home.set("docs").upsert([{"id": name, "text": text} for name, text in ANSWERS.items()], model=model)
    begin(home._sets, "docs", MigrationTarget.of(to))
    run(home._sets, "docs")
    return home


def test_a_better_model_is_kept(tmp_path, judged):
    with moved(tmp_path, "hash/64", "minilm") as home:
        docs = home.set("docs")
        done = docs.switch(trial=TrialTerms(**TERMS, judged="judged"))
        found = docs.trial(TrialObserver())
        (seen,) = found.findings
        assert found.state == "kept" and seen.says == "keep" and home._sets.live("docs") == done.now
        assert seen.relative > 0.1 and 0.1 <= seen.interval[0] <= seen.relative <= seen.interval[1]
        assert seen.relative == pytest.approx(seen.figures["difference"] / seen.figures["old"])
        assert f"{seen.relative:+.1%}" in seen.detail and seen.figures["queries"] == len(ANSWERS)


def test_a_worse_one_is_taken_back(tmp_path, judged):
    with moved(tmp_path, "minilm", "hash/64") as home:
        docs = home.set("docs")
        done = docs.switch(trial=TrialTerms(**TERMS, judged="judged"))
        docs.upsert([{"id": "later", "text": "Written while it is on trial."}])
        found = docs.trial(TrialObserver())
        assert found.state == "reverted" and found.findings[0].relative < -0.05
        assert home._sets.live("docs") == done.was and docs.get(["later"]), "nothing is lost with it"
        assert "nDCG@10" in docs.history()[0].detail["trial"]


def test_what_is_alike_is_undecided_and_too_few_queries_say_nothing(tmp_path, judged):
    with moved(tmp_path, "hash/64", "hash/128") as home:
        docs = home.set("docs")
        docs.switch(trial=TrialTerms(**TERMS | {"days": 7}, judged="judged"))
        few = JudgedSet("few", (), dict([*ASKED.items()][:5]), {f"q{name}": {name: 1} for name in ANSWERS})
        (seen,) = docs.trial(TrialObserver(few)).findings
        assert seen.says == "nothing" and "too few queries: 20 are the least" in seen.detail
        same = JudgedSet("same", (), ANSWERS, {name: {name: 1} for name in ANSWERS})
        (seen,) = docs.trial(TrialObserver(same)).findings
        assert seen.relative == 0 and seen.says == "open"
        assert seen.interval == pytest.approx((-0.1, 0.1)), "30 queries that agree rule out no more: the rule of three"


def test_judged_data_that_are_gone_or_changed_are_told(tmp_path, judged):
    with moved(tmp_path, "hash/64", "hash/128") as home:
        docs = home.set("docs")
        docs.switch(trial=TrialTerms(**TERMS, judged="judged", digest="0" * 16))
        kept = shutil.move(judged, tmp_path / "elsewhere")
        found = docs.trial(TrialObserver())
        assert found.state == "blocked" and "judged is not there" in found.reason
        assert found.next.actions[0].to_dict()["options"] == {"judged": "DIR"}
        found = docs.trial(TrialObserver(kept))
        assert found.state in ("undecided", "kept", "reverted")
        assert "not the one that the trial was begun with" in found.findings[0].detail


def test_an_old_generation_that_is_gone_from_the_disk_blocks(tmp_path, judged):
    with moved(tmp_path, "hash/64", "hash/128") as home:
        docs = home.set("docs")
        done = docs.switch(trial=TrialTerms(**TERMS, judged="judged"))
    for place in (tmp_path / ".embassay" / "vectors").glob(f"{done.was.name}*"):
        shutil.rmtree(place)
    with embassay.open(tmp_path / ".embassay") as home:
        found = home.set("docs").trial(TrialObserver())
        assert found.state == "blocked" and "that was live before cannot be searched" in found.reason
        assert home.set("docs").keep_trial().state == "kept"


def test_the_query_log_is_read_before_and_since(tmp_path):
    config = Config(query_log=QueryLogConfig(queries="kept"))
    with embassay.Session(config) as session, moved(tmp_path, "hash/64", "hash/128", session) as home:
        docs = home.set("docs")

        def searched(times, clicks):
            for at in range(times):
                found = docs.search(f"bread {at}", mode="dense")
                if at < clicks:
                    home.feedback(found, clicked=[1 + at % 2])

        searched(20, 15)
        docs.switch(trial=TrialTerms(**TERMS | {"days": 1}))
        searched(20, 2)
        found = docs.trial(TrialObserver())
        (seen,) = found.findings
        assert found.state == "running" and seen.name == "log" and seen.says == "revert"
        assert seen.figures["before"] == {
            "searches": 20, "with_feedback": 15, "satisfied": 15, "first_click": pytest.approx(22 / 15),
        }  # fmt: skip
        assert seen.figures["since"]["satisfied"] == 2 and seen.relative == pytest.approx(-13 / 15)


@pytest.mark.parametrize(
    ("before", "since", "says"),
    [
        ((100, 60, 50), (100, 60, 90), "keep"),
        ((100, 60, 50), (100, 60, 20), "revert"),
        ((100, 60, 50), (100, 60, 52), "open"),
        ((100, 0, 0), (100, 60, 52), "nothing"),
        ((100, 60, 50), (100, 0, 0), "nothing"),
        ((100, 60, 50), (19, 19, 1), "nothing"),
        ((100, 60, 0), (100, 60, 50), "nothing"),
        ((0, 0, 0), (0, 0, 0), "nothing"),
    ],
)
def test_what_feedback_says(before, since, says):
    found = of_feedback(Satisfaction(*before, 1.5), Satisfaction(*since, None), TrialTerms(**TERMS))
    assert found.says == says
    assert (found.relative is None) is (says == "nothing" and since[0] != 19)
