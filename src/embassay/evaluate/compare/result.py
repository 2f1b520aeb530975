"""What a comparison found: rows, pairs, the verdict and what it rests on, and the queries that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embassay import remedy
from embassay.evaluate.compare.basis import Basis
from embassay.evaluate.compare.robustness import Robustness
from embassay.evaluate.compare.rows import Changed, Pair, Row, budgeted
from embassay.evaluate.compare.slices import Slice
from embassay.evaluate.compare.statistics import detectable
from embassay.evaluate.compare.systems import SHOWN
from embassay.evaluate.compare.verdict import MIN_EFFECT, MIN_QUERIES, Budgets, Verdict
from embassay.evaluate.data.judged import JudgedSet
from embassay.text import short_names

DIFFERING = 5
"""Queries that have to differ for their deviation to be worth anything."""
CHANGED, HARDEST = 10, 10
"""Queries listed, at most."""


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """All that a comparison found: scores and costs of every candidate, every pair, and the verdict."""

    judged: JudgedSet
    basis: Basis
    """The queries that decide; all means and statistics are over them."""
    metrics: tuple[str, ...]
    rows: Sequence[Row]
    pairs: Sequence[Pair]
    verdict: Verdict
    winner: str | None
    """What to use: the candidate to switch to, or the first one to keep. None: undecided."""
    reason: str
    min_effect: float
    budgets: Budgets
    sure: bool = False
    """Whether the lower bound of a gain has to reach the minimum effect, and not only the gain."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Ranked id to a line that shows it."""
    origins: Sequence[Slice] = ()
    """What people asked beside what was made up, where there is both, decided or not."""
    slices: Sequence[Slice] = ()
    """The parts of the queries that were asked for."""
    robustness: Sequence[Robustness] = ()
    """What each candidate loses on altered queries, where that was asked for."""

    def __repr__(self) -> str:
        return f"<Comparison on {self.judged.name}: {self.headline}>"

    def row(self, name: str) -> Row:
        """The row of the candidate of this name."""
        return next(row for row in self.rows if row.name == name)

    @property
    def deciding(self) -> list[Pair]:
        """The pairs that decide: every other candidate instead of the first one, on the first metric."""
        return [pair for pair in self.pairs if pair.metric == self.metrics[0] and pair.a == self.rows[0].name]

    @property
    def foremost(self) -> Pair | None:
        """The pair that people will ask about first: the winner's, else the one with the greatest gain."""
        chosen = [pair for pair in self.deciding if pair.verdict == self.verdict] or self.deciding
        return max(chosen, key=lambda pair: pair.difference, default=None)

    @property
    def detectable(self) -> float | None:
        """The least true gain on the deciding metric that this set shows with 80 % power, for the foremost pair.

        None where nothing can be said: too few queries, or too few that differ to know their deviation.
        """
        pair, queries = self.foremost, len(self.basis.queries)
        if pair is None or queries < MIN_QUERIES or pair.wins + pair.losses < DIFFERING:
            return None
        tests = len(self.deciding)
        if self.sure:
            found = self.min_effect + detectable(queries, pair.deviation, tests=tests)
        else:
            found = detectable(queries, pair.deviation, tests=tests, min_effect=self.min_effect)
        return found if found <= 1 else None

    @property
    def headline(self) -> str:
        """The verdict in a few words; one that rests on made-up queries says so."""
        name = short_names([row.name for row in self.rows]).get(self.winner or "", "")
        said = {"switch": f"Switch to {name}", "keep": f"Keep {name}"}.get(self.verdict, "Undecided")
        return f"{said} on made-up queries" if self.basis.is_made_up else said

    @property
    def sentence(self) -> str:
        """Why, how many more queries would decide, and what this judged set is able to show."""
        short = short_names([row.name for row in self.rows])
        named = any(self.reason.startswith(row.name) for row in self.rows)
        parts = [f"{self.reason if named else self.reason[:1].upper() + self.reason[1:]}."]
        first = self.rows[0]
        broken = [] if first.error else self.budgets.exceeded(budgeted(first))
        if broken:
            parts.append(f"{short[first.name]} breaks a budget itself: {'; '.join(broken)}.")
        pair = self.foremost
        if pair and (pair.wins or pair.losses):
            parts.append(_won(pair, short[pair.b]))
        if self.verdict == "undecided" and pair and pair.queries_needed:
            parts.append(self._outlook(pair, max(1, pair.queries_needed - len(self.basis.queries))))
        rivals = [p.b for p in self.deciding if p.verdict == "switch" and pair and p.b != pair.b]
        alike = [name for name in rivals if self._are_alike(name, self.winner)]
        if alike:
            parts.append(f"Not told apart from {', '.join(short[name] for name in alike)}.")
        if self.detectable is not None:
            parts.append(
                f"These {len(self.basis.queries):,} queries show a true difference of {self.detectable:.3f} "
                f"{self.metrics[0]} or more in 4 of 5 cases."
            )
        return " ".join(parts)

    @property
    def caution(self) -> str:
        """Why a verdict on made-up queries is worth less than it looks; empty for any other."""
        if not self.basis.is_made_up:
            return ""
        said = f"The {self.basis.words} were taken from the documents; no user has asked them, and nobody judged them."
        pair = self.foremost
        if pair and self.row(pair.a).finds_words != self.row(pair.b).finds_words:
            said += (
                f" They are not fair to searches by words: a gain of one with words over one without may be off by "
                f"{self.basis.words_bias[0]:+.2f} to {self.basis.words_bias[1]:+.2f}, and counts only beyond that."
            )
        return said

    def next(self, judged: str = "JUDGED") -> remedy.Remedy:
        """What to do about a verdict on made-up queries, for the set in the folder `judged`; else nothing."""
        if not self.basis.is_made_up:
            return remedy.say("")
        names = (row.name for row in self.rows)
        return remedy.command("judge label", judged, *names, say="Judge questions of your users before you act on it")

    def _outlook(self, pair: Pair, more: int) -> str:
        """What `more` judged queries would show, if they are like those that there are."""
        if pair.wins or pair.losses:
            return f"About {more:,} more judged queries would decide, if the difference stays as it is."
        gain = f"a gain of {max(self.min_effect, MIN_EFFECT):g} would be ruled out"
        return f"No query tells them apart. If {more:,} more do not either, {gain}; until then, their costs may decide."

    def _are_alike(self, a: str, b: str | None) -> bool:
        """Whether the deciding metric does not tell two candidates apart."""
        pairs = [p for p in self.pairs if {p.a, p.b} == {a, b} and p.metric == self.metrics[0]]
        return any(p.interval[0] <= 0 <= p.interval[1] for p in pairs)

    def title(self, ranked: str) -> str:
        """A line that shows a person what a ranked id stands for."""
        return self.texts.get(ranked) or ranked

    def changed(self, pair: Pair, count: int | None = CHANGED) -> list[Changed]:
        """The queries that changed most, with what each candidate found; all that changed where `count` is None."""
        a, b = self.row(pair.a), self.row(pair.b)
        gap = {q: b.per_query[q][pair.metric] - a.per_query[q][pair.metric] for q in self.basis.queries}
        most = sorted((q for q in gap if abs(gap[q]) > 1e-9), key=lambda q: (-abs(gap[q]), q))[:count]
        return [
            Changed(
                q, self.judged.queries[q], a.per_query[q][pair.metric], b.per_query[q][pair.metric],
                _shown(a, q), _shown(b, q),
            )
            for q in most
        ]  # fmt: skip

    def hardest(self, count: int = HARDEST) -> list[tuple[str, float]]:
        """(query id, mean of the deciding metric over the candidates), lowest first."""
        done = [row for row in self.rows if not row.error]
        scores = {q: sum(row.per_query[q][self.metrics[0]] for row in done) / len(done) for q in self.basis.queries}
        return sorted(scores.items(), key=lambda item: (item[1], item[0]))[:count]

    def to_dict(self, *, per_query: bool = False) -> dict[str, object]:
        """The comparison as the JSON output has it; with `per_query` the scores of every query stand in it."""
        pair = self.foremost
        return {
            "judged": self.judged.name,
            "digest": self.judged.digest,
            "queries": len(self.basis.queries),
            "basis": self.basis.to_dict(),
            "documents": len(self.judged.documents) or None,
            "candidates": [row.to_dict(per_query=per_query) for row in self.rows],
            "pairs": [p.to_dict() for p in self.pairs],
            "verdict": self.verdict,
            "winner": self.winner,
            "headline": self.headline,
            "reason": self.reason,
            "caution": self.caution,
            "next": self.next().in_shell(),
            "min_effect": self.min_effect,
            "sure": self.sure,
            "detectable_effect": self.detectable,
            "origins": [part.to_dict() for part in self.origins],
            "slices": [part.to_dict() for part in self.slices],
            "robustness": [altered.to_dict() for altered in self.robustness],
            "changed": [changed.to_dict() for changed in self.changed(pair)] if pair else [],
        }


def _won(pair: Pair, name: str) -> str:
    """On how many queries B wins, and of those that differ."""
    queries = pair.wins + pair.ties + pair.losses
    won, tied, lost = (f"{count / queries:.0%}" for count in (pair.wins, pair.ties, pair.losses))
    assert pair.win_share is not None and pair.win_interval is not None, "some queries differ"
    low, high = pair.win_interval
    return (
        f"{name} wins {won} of the queries, ties {tied} and loses {lost}; of those that differ it wins "
        f"{pair.win_share:.0%} ({low:.0%} to {high:.0%})."
    )


def _shown(row: Row, query: str) -> list[str]:
    assert row.outcome is not None
    return list(row.outcome.run.rankings[query][:SHOWN])
