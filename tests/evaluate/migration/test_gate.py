"""A judged set decides whether a new generation may be switched to."""

from __future__ import annotations

import pytest

import embassay
from embassay.errors import MigrationPaused
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.migration.gate import JudgedGate
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.job import run
from embassay.sets.migration.switching import switch
from embassay.sets.migration.target import MigrationTarget
from embassay.sets.migration.verification import VerificationReport, verifiers

THINGS = (
    "bread bridge camera carpet engine forest guitar hammer island kitchen ladder mirror needle orchard piano".split()
)
ANSWERS = {f"d{at}": f"A {one} was left beside the {THINGS[at - 1]}." for at, one in enumerate(THINGS)}
ANSWERS |= {f"e{at}": f"Nobody has sold this {one} to a {THINGS[at - 2]}." for at, one in enumerate(THINGS)}


@pytest.fixture
def judged():
    queries = {f"q{name}": text for name, text in ANSWERS.items()}
    return JudgedSet("made", (), queries, {f"q{name}": {name: 1} for name in ANSWERS})


def moved(tmp_path, model, to):
    home = embassay.open(tmp_path / ".embassay")
    home.set("docs").upsert([{"id": name, "text": text} for name, text in ANSWERS.items()], model=model)
    begin(home._sets, "docs", MigrationTarget.of(to))
    return home


def quality(migration):
    report = VerificationReport.from_dict(migration.report)
    return next(one for one in report.checks if one.name == "quality")


def test_a_better_model_may_be_switched_to(tmp_path, judged):
    """By vectors alone, because words find these answers with any model."""
    asked = {
        name: text.replace("was left beside", "stood next to").split(".")[0] for name, text in judged.queries.items()
    }
    paraphrased = JudgedSet("made", (), asked, judged.qrels)
    with moved(tmp_path, "hash/64", "minilm") as home:
        migration = run(home._sets, "docs", verifiers(JudgedGate(paraphrased, mode="dense")))
        found = quality(migration)
        assert migration.state == "ready" and found.passed and not found.warned
        assert found.figures["verdict"] == "switch" and found.figures["interval"][0] > 0
        assert found.figures["new"] > 0.9 and found.figures["live"] < 0.5
        assert not any(one["name"] == "change" for one in migration.report["checks"])


def test_a_worse_one_stops_the_job_with_the_report(tmp_path, judged):
    asked = {name: text.partition(" ")[2] for name, text in judged.queries.items()}
    with moved(tmp_path, "minilm", "hash/64") as home:
        gate = JudgedGate(JudgedSet("made", (), asked, judged.qrels), mode="dense")
        migration = run(home._sets, "docs", verifiers(gate))
        found = quality(migration)
        assert migration.state == "failed" and not found.passed and found.figures["verdict"] == "keep"
        assert "keep: nDCG@10" in migration.reason and gate.comparison.verdict == "keep"
        with pytest.raises(embassay.errors.MigrationState, match="is failed"):
            switch(home._sets, "docs")


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_undecided_passes_with_a_warning_unless_it_must_not(tmp_path, judged, strict):
    few = JudgedSet("few", (), dict([*judged.queries.items()][:5]), judged.qrels)
    with moved(tmp_path, "hash/64", "hash/128") as home:
        found = quality(run(home._sets, "docs", verifiers(JudgedGate(few), strict=strict)))
        assert found.warned and found.figures["verdict"] == "undecided" and found.passed is not strict


def test_judged_documents_that_the_set_lacks_are_named(tmp_path, judged):
    with moved(tmp_path, "hash/64", "hash/128") as home:
        gate = JudgedGate(JudgedSet("other", (), {"a": "b"}, {"a": {"nowhere.md": 1}}))
        with pytest.raises(MigrationPaused, match=r"lacks 1 of the 1 judged documents, first nowhere\.md"):
            run(home._sets, "docs", verifiers(gate))


def test_a_switch_on_made_up_queries_passes_with_a_warning_and_keep_stops_as_ever(judged):
    import dataclasses

    from embassay.evaluate.compare.basis import basis_of
    from embassay.evaluate.compare.costs import Costs
    from embassay.evaluate.compare.paired import SwitchTerms, paired_differences
    from embassay.evaluate.compare.result import Comparison
    from embassay.evaluate.compare.rows import Row
    from embassay.evaluate.compare.verdict import Budgets
    from embassay.evaluate.migration.gate import check_of

    def check(sources, live, new):
        asked = dataclasses.replace(judged, sources=dict.fromkeys(judged.queries, sources) if sources else {})
        costs = Costs({"p50": 1.0, "p95": 1.0, "p99": 1.0, "n": 1}, 1, 0.0)
        rows = {}
        for name, score in (("live", live), ("new", new)):
            scores = {query: {"nDCG@10": score} for query in asked.queries}
            rows[name] = Row(name, metrics={"nDCG@10": score}, costs=costs, per_query=scores)
        pairs = paired_differences(rows, ["nDCG@10"], list(asked.queries), SwitchTerms(0.01, Budgets()))
        verdict = pairs[0].verdict
        winner = {"switch": "new", "keep": "live"}.get(verdict)
        basis = basis_of(asked)
        return check_of(
            Comparison(asked, basis, ("nDCG@10",), [*rows.values()], pairs, verdict, winner, "", 0.01, Budgets())
        )

    real, made = check("label", 0.2, 0.8), check("heading", 0.2, 0.8)
    assert real.passed and not real.warned and real.figures["origin"] == "people"
    assert made.passed and made.warned and made.figures["origin"] == "made-up"
    assert "made-up queries (30 heading)" in made.detail and "Nobody has judged these queries" in made.detail
    for source in ("label", "heading", ""):
        worse = check(source, 0.8, 0.2)
        assert not worse.passed, "nothing is lost by staying"
