"""The engine of judging by hand: what is shown next, what a key does, what is undone, and how far it is.

The terminal and the page are two faces of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from embassay.errors import EmbassayError, UsageError
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.judge.draft import Query, query_id
from embassay.evaluate.judge.label.candidates import CandidateSearch
from embassay.evaluate.judge.label.kept import Action, KeptLabels, Labelled
from embassay.evaluate.judge.label.keys import KEYS, REST, SKIP, UNDO, key_of
from embassay.evaluate.judge.label.pooling import ResultPool, pool
from embassay.evaluate.judge.label.power import EFFECT, Power, power_of
from embassay.evaluate.judge.label.questions import distinct
from embassay.evaluate.judge.writing import SPLIT, judgments_of, write_labels
from embassay.evaluate.score.metrics import canonical, per_query
from embassay.evaluate.score.ranking import Run
from embassay.search.snippet import highlight, snippet
from embassay.types import Document

METRIC = "nDCG@10"
"""What the power is about: the metric that decides a comparison."""


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """What is shown of what the candidates find."""

    depth: int = 10
    """Results of each candidate that are pooled."""
    most: int = 10
    """Results of a question that are shown; 0: all of them."""
    split: str = SPLIT
    """The judgments that are written."""
    effect: float = EFFECT
    """The difference that is to be seen."""

    def __post_init__(self) -> None:
        """Raises UsageError for numbers that make no sense."""
        if not 1 <= self.depth <= 100:
            raise UsageError(f"a depth of {self.depth}: write a number from 1 to 100.")
        if not 0 <= self.most <= 1_000:
            raise UsageError(f"a pool of {self.most}: write a number from 1 to 1,000, or 0 for all results.")
        if not 0.01 < self.effect < 1:
            raise UsageError(f"an effect of {self.effect}: write a number above 0.01 and below 1.")


DEFAULT_LABEL_OPTIONS = LabelOptions()


@dataclass(frozen=True, slots=True)
class Shown:
    """One result to judge. Neither candidate nor rank is in it."""

    question: str
    document: Document
    number: int
    """Of the question, from 1."""
    questions: int
    result: int
    """Among those of the question, from 1."""
    results: int
    coming: Sequence[Document]
    """What of the question is still to come behind this: whoever judges all the rest at once has seen the titles."""
    pool: ResultPool

    @property
    def why(self) -> str:
        """How far the candidates agree on this question, in words: on no other one that is open they agree less."""
        agreed = 1 - self.pool.disagreement
        if agreed > 1 - 1e-9:
            return "the candidates find the same, and no other question is left on which they differ"
        return f"the candidates agree by only {agreed:.0%}" if agreed < 0.5 else f"the candidates agree by {agreed:.0%}"


@dataclass(frozen=True, slots=True)
class LabelStanding:
    """How far the judging is."""

    questions: int
    done: int
    skipped: int
    judgments: int
    relevant: int
    unanswered: int
    """Questions that are done and have no relevant result: no comparison can use them."""
    left_out: int
    """Results of the questions that are not shown, because there are more than fit the pool."""
    changed: int
    """Judgments of passages that have changed or gone since."""
    alike: int
    """Questions on which all candidates find the same in the same order."""
    power: Power
    failed: Mapping[str, EmbassayError]
    """Candidate to why it is not asked."""

    @property
    def left(self) -> int:
        """Questions that are to be judged."""
        return self.questions - self.done - self.skipped

    def to_dict(self) -> dict[str, object]:
        """The standing as JSON has it."""
        names = (
            "questions", "done", "skipped", "left", "judgments", "relevant", "unanswered", "left_out", "changed",
            "alike",
        )  # fmt: skip
        plain: dict[str, object] = {name: getattr(self, name) for name in names}
        failed = {name: str(error) for name, error in self.failed.items()}
        return plain | {"power": self.power.to_dict(), "failed": failed}


class Labelling:
    """A sitting of somebody who judges. One thread at a time."""

    def __init__(
        self,
        folder: Path,
        documents: Mapping[str, Document],
        digests: Mapping[str, str],
        kept: KeptLabels,
        candidates: CandidateSearch,
        options: LabelOptions = DEFAULT_LABEL_OPTIONS,
    ) -> None:
        """`digests`: passage id to what tells whether it still reads as it did. Raises JudgedSetError."""
        self.folder, self.options, self.candidates = folder, options, candidates
        self._documents, self._digests, self._kept = documents, digests, kept
        self._pools: dict[str, ResultPool] = {}
        self._judged = judgments_of(folder, options.split)
        self._scores: dict[str, dict[str, float]] = {}
        self._at: str | None = None
        canonical([METRIC])  # loads what computes it, so that nobody waits for that after a key

    def add(self, questions: Sequence[str], advance: Callable[[int], None] = lambda _: None) -> int:
        """Have questions judged as well; how many of them are new here.

        `advance` is told of texts embedded. Raises what a candidate raises where fewer than two are left.
        """
        new = {query_id(text): text for text in distinct(questions)}
        new = {id: text for id, text in new.items() if id not in self._pools}
        if not new:
            return 0
        for id, rankings in self.candidates.find(new, advance).items():
            self._pools[id] = pool(id, new[id], rankings, depth=self.options.depth, most=self.options.most)
            if self._is_done(id):
                self._recover(id)
        return len(new)

    @property
    def current(self) -> Shown | None:
        """What is to be judged now; None where nothing is left.

        A question that was begun goes first, then those on which the candidates differ most.
        """
        id = self._question()
        if id is None:
            return None
        pool, left = self._pools[id], self._unjudged(id)
        finished = sum(self._is_done(other) or self._kept.of(other).skipped for other in self._pools)
        return Shown(
            pool.text, self._documents[left[0]], finished + 1, len(self._pools), len(pool.shown) - len(left) + 1,
            len(pool.shown), [self._documents[name] for name in left[1:]], pool,
        )  # fmt: skip

    def press(self, character: str) -> str:
        """Do what a key means for the result that is shown; what was done, in words.

        The key is on the disk when this returns. Raises UsageError for a character that means nothing here,
        HomeNotWritable.
        """
        key, shown = key_of(character), self.current
        if key is UNDO:
            return self._undo()
        if key is None or (key.grade is None and key not in (REST, SKIP)):
            raise UsageError(f"the key {character[:8]!r} means nothing here.", remedy=f"Press one of {_listed()}.")
        if shown is None:
            raise UsageError("there is nothing left to judge.")
        id = self._at = shown.pool.id
        if key is SKIP:
            self._keep(Action(id, skipped=True))
            return "skipped"
        left = self._unjudged(id)
        grades = dict.fromkeys(left, 0) if key.grade is None else {left[0]: key.grade}
        self._keep(Action(id, grades, {name: self._digests[name] for name in grades}))
        if self._is_done(id):
            self._publish(id)
        return key.label.lower() if key.grade is not None else f"{len(left)} not relevant"

    @cached_property
    def language(self) -> str:
        """Code of the language of the passages."""
        return JudgedSet("", tuple(self._documents.values()), {}, {}).language

    def telling(self, shown: Shown, width: int) -> list[tuple[str, bool]]:
        """About `width` characters of the passage, in pieces: the words of the question are True.

        A `width` of 0 is all of it.
        """
        text = shown.document.text
        part = snippet(text, shown.question, width, self.language) if width else text.strip()
        return list(highlight(part, shown.question, self.language))

    @property
    def standing(self) -> LabelStanding:
        """How far it is, and what can be shown with it."""
        kept = {id: self._kept.of(id) for id in self._pools}
        done = [id for id in self._pools if self._is_done(id)]
        labels = {id: self._labels(id) for id in self._pools}
        valid = {id: self._valid(kept[id]) for id in self._pools}
        return LabelStanding(
            len(self._pools),
            len(done),
            sum(kept[id].skipped and id not in done for id in self._pools),
            sum(map(len, valid.values())),
            sum(grade > 0 for grades in valid.values() for grade in grades.values()),
            sum(not any(grade > 0 for grade in labels[id].values()) for id in done),
            sum(pool.left_out for pool in self._pools.values()),
            sum(len(kept[id].grades) - len(valid[id]) for id in self._pools),
            sum(pool.disagreement < 1e-9 for pool in self._pools.values()),
            self._power(done),
            self.candidates.failed,
        )

    def _question(self) -> str | None:
        open_ones = [id for id in self._pools if self._unjudged(id) and not self._kept.of(id).skipped]
        if self._at in open_ones:
            return self._at
        order = {id: (not self._valid(self._kept.of(id)), -self._pools[id].disagreement, id) for id in open_ones}
        return min(open_ones, key=order.__getitem__, default=None)

    def _unjudged(self, id: str) -> list[str]:
        """Of the results that are shown for a question, those that nobody has judged."""
        labels = self._labels(id)
        return [name for name in self._pools[id].shown if name not in labels]

    def _is_done(self, id: str) -> bool:
        return not self._unjudged(id)

    def _before(self, id: str) -> Mapping[str, int]:
        """What was judged of a question before its first key."""
        kept = self._kept.of(id)
        return kept.before if kept.text else self._judged.get(self._pools[id].text, {})

    def _labels(self, id: str) -> dict[str, int]:
        return {**self._before(id), **self._valid(self._kept.of(id))}

    def _valid(self, kept: Labelled) -> dict[str, int]:
        """The judgments of passages that still read as they did."""
        return {name: grade for name, grade in kept.grades.items() if self._digests.get(name) == kept.of.get(name)}

    def _keep(self, action: Action) -> None:
        pool = self._pools[action.question]
        self._kept.open(pool.id, pool.text, self._judged.get(pool.text, {}))
        self._kept.add(action)

    def _undo(self) -> str:
        last = self._kept.last
        if last is None or last.question not in self._pools:
            raise UsageError("there is nothing to undo.")
        was_done = self._is_done(last.question)
        self._kept.undo()
        self._at = last.question
        if was_done and not self._is_done(last.question):
            self._publish(last.question, back=True)
        return "undone"

    def _publish(self, id: str, *, back: bool = False) -> None:
        """Write the judgments of a question into the judged set, or take those of all keys back."""
        before, grades = self._before(id), self._kept.of(id).grades
        self._write(id, before if back else self._labels(id), frozenset(grades.keys() - before.keys()))

    def _recover(self, id: str) -> None:
        """Write what is missing of the judgments of a question: a kill came between its last key and that."""
        there, labels = self._judged.get(self._pools[id].text, {}), self._labels(id)
        if labels.keys() - there.keys():
            self._write(id, {**labels, **there}, frozenset())

    def _write(self, id: str, wanted: Mapping[str, int], ours: frozenset[str]) -> None:
        text = self._pools[id].text
        self._scores.pop(id, None)
        write_labels(self.folder, Query(text, wanted, "label", ours - wanted.keys()), self.options.split)
        self._judged[text] = dict(wanted)

    def _power(self, done: Sequence[str]) -> Power:
        """Of the questions that are done and have an answer, the only ones that a comparison uses."""
        answered = [id for id in done if any(grade > 0 for grade in self._labels(id).values())]
        for id in answered:
            if id not in self._scores:
                self._scores[id] = self._scored(id)
        first = next(iter(self._pools.values())).rankings if self._pools else {}
        names = [name for name in first if name not in self.candidates.failed]
        scores = {name: [self._scores[id][name] for id in answered] for name in names}
        return power_of(scores, self.options.effect)

    def _scored(self, id: str) -> dict[str, float]:
        """Candidate to its score on a question."""
        rankings = self._pools[id].rankings
        found = per_query(dict.fromkeys(rankings, self._labels(id)), Run(rankings).scored(), [METRIC])
        return {name: found[name][METRIC] for name in rankings}


def _listed() -> str:
    return ", ".join(key.name for key in KEYS)
