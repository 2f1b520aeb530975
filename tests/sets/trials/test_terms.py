"""What the thresholds of a trial mean, and which make no sense."""

from __future__ import annotations

import pytest

from embassay.errors import UsageError
from embassay.sets.trials.terms import TrialFinding, TrialTerms, decision

TERMS = TrialTerms(keep_above=0.10, revert_below=0.05)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.10, 0.30, "keep"),
        (0.09, 0.30, "open"),
        (-0.30, -0.05, "revert"),
        (-0.30, -0.04, "open"),
        (-0.01, 0.02, "open"),
        (-0.50, 0.50, "open"),
    ],
)
def test_a_threshold_is_passed_where_the_whole_interval_lies_beyond_it(low, high, says):
    assert TERMS.says(low, high) == says


def test_a_negative_threshold_keeps_what_is_hardly_worse():
    terms = TrialTerms(keep_above=-0.05, revert_below=0.05)
    assert [terms.says(-0.04, 0.01), terms.says(-0.06, 0.01), terms.says(-0.2, -0.05)] == ["keep", "open", "revert"]


@pytest.mark.parametrize(
    "given",
    [
        {"days": 0}, {"days": -1}, {"days": 367}, {"days": float("nan")}, {"days": "7"}, {"days": True},
        {"keep_above": float("nan")}, {"keep_above": -1}, {"keep_above": 11}, {"keep_above": None},
        {"revert_below": -0.05}, {"revert_below": 1}, {"revert_below": float("inf")},
        {"keep_above": -0.1, "revert_below": 0.05}, {"judged": 5}, {"mode": None},
    ],
)  # fmt: skip
def test_terms_that_make_no_sense(given):
    with pytest.raises(UsageError):
        TrialTerms(**given)


def test_terms_and_findings_survive_being_stored():
    finding = TrialFinding("judged", "keep", "better.", 0.2, (0.1, 0.3), {"queries": 40})
    assert TrialTerms.from_dict(TERMS.to_dict()) == TERMS
    assert TrialFinding.from_dict(finding.to_dict()) == finding
    nothing = TrialFinding("log", "nothing", "no feedback.")
    assert TrialFinding.from_dict(nothing.to_dict()) == nothing


@pytest.mark.parametrize(
    ("said", "decided"),
    [
        ((), "undecided"),
        (("nothing",), "undecided"),
        (("open", "nothing"), "undecided"),
        (("keep",), "keep"),
        (("open", "keep"), "keep"),
        (("revert", "nothing"), "revert"),
        (("keep", "revert"), "undecided"),
    ],
)
def test_one_kind_of_evidence_decides_unless_another_says_the_contrary(said, decided):
    assert decision(TrialFinding("x", one, "") for one in said) == decided
