"""What a trial observes: the judged set, asked of both generations now, and the query log, before and since the switch.

    home.set("docs").trial(TrialObserver())

It is handed in as a value, as the gate of a migration is. Both kinds of evidence say by how much the new generation is
better, relative to the old one, with a 95 % interval; the terms of the trial say what that means.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import JudgedSetError, MigrationState
from embassay.evaluate.compare.result import DIFFERING
from embassay.evaluate.compare.statistics import difference_of_shares
from embassay.evaluate.compare.verdict import MIN_QUERIES, UNSEEN
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.migration.gate import JudgedGate
from embassay.evaluate.migration.satisfaction import LogWindow, Satisfaction, satisfaction
from embassay.sets.followers import behind
from embassay.sets.trials.terms import Says, TrialFinding

if TYPE_CHECKING:
    from embassay.evaluate.compare.result import Comparison
    from embassay.sets.opened import OpenSets
    from embassay.sets.state import Generation
    from embassay.sets.trials.table import Trial
    from embassay.sets.trials.terms import TrialTerms

METRIC = "nDCG@10"


class TrialObserver:
    """An `Observer`. The comparison that it made last is in `comparison`."""

    def __init__(
        self,
        judged: str | os.PathLike[str] | JudgedSet | None = None,
        *,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`judged`: in place of the judged set that the trial was begun with; `advance` is told of each query."""
        self.comparison: Comparison | None = None
        self._judged, self._advance = judged, advance

    def __call__(self, sets: OpenSets, trial: Trial, old: Generation, new: Generation) -> list[TrialFinding]:
        """What the judged set and the query log say, each where there is one.

        Raises JudgedSetError where the judged set cannot be read, UsageError where the set lacks judged documents,
        MigrationState where a generation cannot be searched, ConfigError, HomeError.
        """
        judged = self._read(sets, trial)
        found = [self._of_judged(sets, trial, judged, old, new)] if judged else []
        if sets.query_log.config.queries != "off":
            return [*found, self._of_log(sets, trial, old, new)]
        return found or [TrialFinding("log", "nothing", "There is no judged set, and the query log is off.")]

    def _read(self, sets: OpenSets, trial: Trial) -> JudgedSet | None:
        if isinstance(self._judged, JudgedSet):
            return self._judged
        if self._judged is None and not trial.terms.judged:
            return None
        place = Path(self._judged) if self._judged is not None else sets.folder.file_of(trial.terms.judged)
        if not place.exists():
            raise JudgedSetError(
                f"the judged set {place} is not there.",
                remedy=remedy.command("trial", trial.set_name, judged="DIR", say="Name another one with {};"),
            )
        return read_judged(place, None)

    def _of_judged(
        self, sets: OpenSets, trial: Trial, judged: JudgedSet, old: Generation, new: Generation
    ) -> TrialFinding:
        gate = JudgedGate(judged, mode=trial.terms.mode, metrics=(METRIC,), min_effect=0.0, advance=self._advance)
        gate(sets, old, new)
        self.comparison = gate.comparison
        assert gate.comparison is not None, "it was just made"
        notes = []
        if trial.terms.digest and trial.terms.digest != judged.digest:
            notes.append("The judged set is not the one that the trial was begun with.")
        if late := behind(sets.state, new, old):
            notes.append(f"The old generation lacks what was written of {late:,} documents.")
        return of_comparison(gate.comparison, trial, notes)

    def _of_log(self, sets: OpenSets, trial: Trial, old: Generation, new: Generation) -> TrialFinding:
        name, began, length = trial.set_name, trial.started, trial.ends - trial.started
        windows = LogWindow(old.space.digest, began - length, began), LogWindow(new.space.digest, began, trial.ends)
        before, since = satisfaction(sets.query_log.entries(name), name, windows)
        return of_feedback(before, since, trial.terms)


def of_comparison(found: Comparison, trial: Trial, notes: Sequence[str] = ()) -> TrialFinding:
    """What a comparison of the old generation, its first row, with the new one says. Raises MigrationState."""
    for row, called in zip(found.rows, ("that was live before", "on trial"), strict=True):
        if row.error:
            raise MigrationState(f"the generation {called} cannot be searched: {row.error}")
    old, new = found.rows
    base, queries = old.metrics[METRIC], len(found.basis.queries)
    (pair,) = found.deciding
    figures: dict[str, object] = {
        "judged": found.judged.name, "digest": found.judged.digest, "queries": queries, "origin": found.basis.origin,
        "metric": METRIC,
        "pipeline": new.pipeline, "old": base, "new": new.metrics[METRIC], "difference": pair.difference,
        "interval": [*pair.interval], "wins": pair.wins, "ties": pair.ties, "losses": pair.losses,
    }  # fmt: skip
    asked = found.basis.words if found.basis.is_made_up else f"{queries:,} judged queries"
    told = f"{METRIC} is {base:.3f} of the old and {new.metrics[METRIC]:.3f} of the new on {asked}"
    low, high = pair.interval
    if pair.wins + pair.losses < DIFFERING:  # what differs on few queries may differ on others that were not asked
        unseen = UNSEEN / queries
        low, high = min(low, pair.difference - unseen), max(high, pair.difference + unseen)
    if queries < MIN_QUERIES:
        notes = [*notes, f"That is said of too few queries: {MIN_QUERIES} are the least."]
    if base == 0:
        says: Says = "nothing" if queries < MIN_QUERIES else "keep" if low > 0 else "open"
        return TrialFinding("judged", says, f"{told}: the old one finds nothing.", figures=figures)
    seen = (pair.difference, low, high)
    return _relative("judged", told, seen, base, trial.terms, figures, notes, enough=queries >= MIN_QUERIES)


def of_feedback(before: Satisfaction, since: Satisfaction, terms: TrialTerms) -> TrialFinding:
    """What the feedback on searches before the switch, and since, says."""
    figures: dict[str, object] = {"before": before.to_dict(), "since": since.to_dict()}
    told = (
        f"{before.satisfied:,} of {before.searches:,} logged searches were satisfied before, and {since.satisfied:,} "
        f"of {since.searches:,} since"
    )
    if min(before.with_feedback, since.with_feedback) == 0:
        said = "Of logged searches there is no feedback of both times, so that nothing is said of them."
        return TrialFinding("log", "nothing", said, figures=figures)
    if before.satisfied == 0:
        return TrialFinding("log", "nothing", f"{told}: no share of nothing can be told.", figures=figures)
    low, high = difference_of_shares((before.satisfied, before.searches), (since.satisfied, since.searches))
    clicks = ""
    if before.first_click and since.first_click:
        clicks = f"; the first hit that was opened had rank {before.first_click:.1f}, and has {since.first_click:.1f}"
    seen = (since.rate - before.rate, low, high)
    enough = min(before.searches, since.searches) >= MIN_QUERIES
    notes = [] if enough else [f"That is said of too few searches: {MIN_QUERIES} of each time are the least."]
    return _relative("log", told + clicks, seen, before.rate, terms, figures, notes, enough=enough)


def _relative(
    name: str,
    told: str,
    seen: tuple[float, float, float],
    base: float,
    terms: TrialTerms,
    figures: dict[str, object],
    notes: Sequence[str],
    *,
    enough: bool,
) -> TrialFinding:
    """`seen`: a difference and its bounds, which `base`, what the old generation reaches, makes relative ones."""
    relative, low, high = (value / base for value in seen)
    detail = " ".join([f"{told}: {relative:+.1%} ({low:+.1%} to {high:+.1%}).", *notes])
    return TrialFinding(name, terms.says(low, high) if enough else "nothing", detail, relative, (low, high), figures)
