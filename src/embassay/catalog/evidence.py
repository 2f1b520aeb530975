"""How well models retrieve, as published scores have it, each held only against scores of the same tasks.

A score of one task says nothing beside a score of another one, and few models are scored on all. So every score is
taken apart into what its task gives to everybody and what its model adds, by Tukey's median polish over all cards.
Medians keep one task from deciding: the one that a model was trained on, or was run on without its prompt.

Nothing here knows what a user needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from embassay.catalog.card import ModelCard
from embassay.catalog.scores import Score, score_of
from embassay.catalog.tasks import GENERAL, mean_of, tasks_for

FEWEST_SCORES = 3
"""Scores on the tasks that were asked for, without which they do not place a model; all of them where fewer exist."""
SWEEPS = 20
"""Of the polish; it settles within ten on the cards of this version."""
DRAWN = 2.0
"""With few of the tasks known a level is drawn towards the middle, as if this many more had been average: n scores of N
tasks count as n (N + 2) / (N (n + 2)) of their distance from it."""
NAMED = 3
"""Tasks whose scores are told in words."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a model stands."""

    points: float
    """Its level on the tasks, nDCG@10 x 100."""
    asked: bool
    """Whether the scores are of what was asked for; a level by general English scores compares with no other one."""
    scores: tuple[Score, ...]
    tasks: int
    """How many tasks there are; the model has scores on some of them. 1 is a mean over a benchmark."""

    def words(self) -> str:
        """The level, and what it rests on."""
        ran = ", as its makers ran it" if all(score.published.makers for score in self.scores) else ""
        if self.tasks == 1:
            return f"{self.points:.1f} nDCG@10 on {self.scores[0].task}{ran}"
        shown = self.scores[:NAMED]
        few = "about " if len(self.scores) < self.tasks else ""
        named = ", ".join(f"{s.task} {s.value:.1f}" for s in shown)
        more = ", ..." if len(self.scores) > NAMED else ""
        return f"{few}{self.points:.1f} nDCG@10 by {len(self.scores)} of {self.tasks} tasks ({named}{more}){ran}"


class Standings:
    """The places of all cards for a domain and languages: by scores of these, or else by general English ones."""

    def __init__(self, cards: Iterable[ModelCard], domain: str = "", languages: Sequence[str] = ()) -> None:
        """The places do not depend on which of `cards` a user can use: hand all of them over."""
        cards = sorted(cards, key=lambda card: card.id)  # sums of floats depend on their order
        english = tasks_for(GENERAL, ("en",))
        self._general = _Levels(cards, english, mean_of(GENERAL, english))
        asked = tasks_for(domain, languages)
        self._asked = self._general if asked == english else _Levels(cards, asked, mean_of(domain, asked))

    def standing(self, card: ModelCard) -> Standing | None:
        """Where a model stands; None where too little is published."""
        return self._asked.standing(card, asked=True) or self._general.standing(card, asked=False)


class _Levels:
    """The levels of models on some tasks."""

    def __init__(self, cards: Sequence[ModelCard], tasks: tuple[str, ...], mean_task: str) -> None:
        """`mean_task`: the one of `tasks` that is a mean over a whole benchmark: its figure is a level by itself."""
        self.tasks = tasks
        self._mean_task = mean_task
        self._fewest = min(FEWEST_SCORES, len(tasks))
        table = {}
        for card in cards:
            scores = self._scores(card)
            if self._enough(scores):
                table[card.id] = {score.task: score.value for score in scores}
        self._models, effects = polish(table)
        mean = sum(effects.values()) / len(effects) if effects else 0.0
        self._base = effects.get(mean_task, mean)

    def standing(self, card: ModelCard, *, asked: bool) -> Standing | None:
        if card.id not in self._models:
            return None
        scores = self._scores(card)
        mean = next((score.value for score in scores if score.task == self._mean_task), None)
        known = len(scores) / (len(scores) + DRAWN) * (len(self.tasks) + DRAWN) / len(self.tasks)
        if mean is not None:
            return Standing(mean, asked, tuple(score for score in scores if score.task == self._mean_task), 1)
        return Standing(self._base + known * self._models[card.id], asked, tuple(scores), len(self.tasks))

    def _scores(self, card: ModelCard) -> list[Score]:
        return [score for task in self.tasks if (score := score_of(card.scores, task))]

    def _enough(self, scores: Sequence[Score]) -> bool:
        """A published mean is enough by itself."""
        return len(scores) >= self._fewest > 0 or any(score.task == self._mean_task for score in scores)


def polish(table: Mapping[str, Mapping[str, float]]) -> tuple[dict[str, float], dict[str, float]]:
    """(what each model adds, what each task gives) of scores by model and task, some of which are missing.

    Medians are swept from rows and columns in turn (J. W. Tukey, Exploratory Data Analysis, 1977).
    """
    by_task: dict[str, dict[str, float]] = {}
    for model, scores in table.items():
        for task, value in scores.items():
            by_task.setdefault(task, {})[model] = value
    models = dict.fromkeys(table, 0.0)
    tasks = {task: median(scores.values()) for task, scores in by_task.items()}
    for _ in range(SWEEPS):
        models = {m: median(value - tasks[t] for t, value in scores.items()) for m, scores in table.items()}
        tasks = {t: median(value - models[m] for m, value in scores.items()) for t, scores in by_task.items()}
    return models, tasks
