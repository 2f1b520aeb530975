"""A tree walked: each step with its answer and whom it left out, and the leaf in the terms of the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.catalog.card import ModelCard
from embassay.catalog.decisions.facts import Facts, holds, of_card
from embassay.catalog.decisions.remarks import remarks
from embassay.catalog.decisions.tree import Answer, Leaf, Naming, Question, Requirement, Tree, UseCase
from embassay.catalog.scores import score_of
from embassay.errors import UsageError
from embassay.remedy import Command
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.catalog.decisions.table import Table

MEASURED = 3
"""Models of a leaf that are to be compared on the user's own documents."""
Ask = Callable[[Question], Answer]
"""Asks somebody a question; None where it is left open."""


@dataclass(frozen=True, slots=True)
class TreeStep:
    """A question with its answer, or a condition of a funnel, and what it left out."""

    name: str
    says: str
    answer: str = ""
    how: str = ""
    """``given``, ``asked`` or ``default``; empty for a condition, which nobody answers."""
    excluded: tuple[tuple[str, str], ...] = ()
    """(id of a model, why)"""
    unknown: tuple[tuple[str, str], ...] = ()
    """Of these the catalog does not know it: they stay."""
    left: int = 0
    """Models that stay."""

    def to_dict(self) -> dict[str, object]:
        """The step as the JSON output has it."""
        return {
            "name": self.name,
            "says": self.says,
            "answer": self.answer,
            "how": self.how,
            "excluded": [{"id": name, "why": why} for name, why in self.excluded],
            "unknown": [{"id": name, "why": why} for name, why in self.unknown],
            "left": self.left,
        }


@dataclass(frozen=True, slots=True)
class Named:
    """A model that a leaf names, with what is known of it today."""

    named: str
    """As the tree calls it."""
    id: str
    card: ModelCard | None = None
    remarks: tuple[str, ...] = ()
    """Where today's facts contradict the tree."""
    downloads: float | None = None
    """In a month, by the table that was handed in."""

    def to_dict(self) -> dict[str, object]:
        """The model as the JSON output has it; null is unknown."""
        card = self.card
        score = score_of(card.scores, "BEIR") if card else None
        return {
            "named": self.named,
            "id": self.id,
            "dimensions": card and card.dimensions,
            "max_tokens": card and card.max_tokens,
            "size_mb": card and card.size_mb,
            "usd_per_million_tokens": card and card.usd_per_million_tokens,
            "price_date": card and card.price_date,
            "licence": card and card.licence,
            "retrieval": score and score.value,
            "scores_source": score and score.published.source,
            "downloads": self.downloads,
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class TreeDecision:
    """What came of a tree."""

    tree: str
    about: str
    steps: tuple[TreeStep, ...]
    leaf: str
    """What the tree says at the end, in its own words."""
    models: tuple[Named, ...]
    """What that means in the catalog."""
    not_named: tuple[str, ...] = ()
    """Models that every step lets stay, and that the tree does not name."""
    then: str = ""
    remarks: tuple[str, ...] = ()
    """Of the decision as a whole."""
    next: str = ""
    """The command that measures the models on the user's own documents."""
    undecided: tuple[str, ...] = ()
    """Models that meet every condition as far as is known."""
    malformed: tuple[tuple[int, str], ...] = ()
    """(line of the table, what is wrong with it)"""

    def to_dict(self) -> dict[str, object]:
        """The decision as the JSON output has it."""
        return {
            "tree": self.tree,
            "about": self.about,
            "steps": [step.to_dict() for step in self.steps],
            "leaf": self.leaf,
            "models": [model.to_dict() for model in self.models],
            "not_named": list(self.not_named),
            "then": self.then,
            "remarks": list(self.remarks),
            "next": self.next,
            "undecided": list(self.undecided),
            "malformed": [{"line": line, "why": why} for line, why in self.malformed],
        }


def walk(
    tree: Tree, cards: Mapping[str, ModelCard], answers: Mapping[str, Answer], ask: Ask | None = None
) -> TreeDecision:
    """Follow the questions of `tree` to a leaf.

    `answers` by the name of the question; what they leave out is asked with `ask`, and else has its default. Raises
    UsageError for an answer to a question that the tree does not have, and for one of the wrong kind.
    """
    _check(tree, answers)
    left, steps, conditions = [of_card(card) for card in cards.values()], [], []
    question: Question | None = tree.questions[0]
    while question is not None:
        answer, how = answers.get(question.name), "given"
        if answer is None:
            answer, how = (ask(question), "asked") if ask else (None, "default")
            how = "default" if answer is None else how
        branch = question.branch(answer)
        conditions += [(one, answer) for one in branch.keep]
        left, excluded, unknown = _sift(left, branch.keep, answer)
        steps.append(
            TreeStep(
                question.name, question.ask, said(question, answer), how, tuple(excluded), tuple(unknown), len(left)
            )
        )
        leaf, question = tree.leaves.get(branch.leaf), tree.question(branch.next) if branch.next else None
    assert leaf is not None, "a branch leads to a question or to a leaf of its tree"
    asked = {step.name for step in steps}
    unasked = [(one, answers[q.name]) for q in tree.questions if q.name not in asked for one in _wanted(q, answers)]
    named = tuple(_named(leaf, cards, [*conditions, *unasked]))
    beside = [f"{q.name} was answered, and this path does not ask it" for q in tree.questions
              if q.name not in asked and answers.get(q.name) is not None]  # fmt: skip
    if tree.note and any(step.answer == "left open" for step in steps):
        beside.append(tree.note)
    named_ids = {one.id for one in named}
    others = tuple(facts.id for facts in left if facts.id not in named_ids)
    return TreeDecision(
        tree.name, tree.about, tuple(steps), leaf.says, named, others, leaf.then, tuple(beside), _next(named, cards)
    )


def said(question: Question, answer: Answer) -> str:
    """An answer in words."""
    if question.is_number and answer is not None:
        return f"{answer:,g}{'' if question.unit == '%' else ' '}{question.unit}"
    if question.is_number:
        return "not said"
    verdict = question.verdict(answer)
    return "left open" if verdict is None else "yes" if verdict else "no"


def _check(tree: Tree, answers: Mapping[str, Answer]) -> None:
    known = [question.name for question in tree.questions]
    for name, answer in answers.items():
        if name not in known:
            raise UsageError(f"the tree {tree.name} does not ask {name!r}.", remedy=did_you_mean(name, known))
        is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
        if answer is None:
            continue
        if tree.question(name).is_number:
            if not is_number or not 0 <= answer < float("inf"):
                raise UsageError(f"{name} is {answer!r}; it must be a number from 0.")
        elif not isinstance(answer, bool):
            raise UsageError(f"{name} is {answer!r}; it must be yes or no.")


def _sift(
    left: Sequence[Facts], conditions: Iterable[Requirement], answer: Answer
) -> tuple[list[Facts], list[tuple[str, str]], list[tuple[str, str]]]:
    """(whoever stays, whoever is left out and why, of whom it is not known and why)."""
    stays, excluded, unknown = list(left), [], []
    for condition in conditions:
        found = [(facts, *holds(condition, facts, _number(answer))) for facts in stays]
        stays = [facts for facts, met, _ in found if met is not False]
        excluded += [(facts.id, why) for facts, met, why in found if met is False]
        unknown += [(facts.id, why) for facts, met, why in found if met is None]
    return stays, excluded, unknown


def _number(answer: Answer) -> float | None:
    return None if answer is None or isinstance(answer, bool) else answer


def _wanted(question: Question, answers: Mapping[str, Answer]) -> Sequence[Requirement]:
    """What an answer would have asked of a model."""
    answer = answers.get(question.name)
    return () if answer is None else question.branch(answer).keep


def _named(leaf: Leaf, cards: Mapping[str, ModelCard], asked: Sequence[tuple[Requirement, Answer]]) -> Iterable[Named]:
    for choice in leaf.models:
        for name in _ids(choice, cards):
            card = cards.get(name)
            if card is None:
                yield Named(choice.name, name, None, ("no card describes it",))
                continue
            facts = of_card(card)
            tested = [holds(one, facts, _number(answer)) for one, answer in asked]
            against = [why for met, why in tested if not met]
            yield Named(choice.name, name, card, (*against, *remarks(card, leaf.claims, cards)))


def _ids(choice: Naming, cards: Mapping[str, ModelCard]) -> Sequence[str]:
    """The ids that a name stands for; those of a family with the best published score first."""
    if not choice.family:
        return choice.ids
    family = [card for card in cards.values() if card.family == choice.family and card.domain in ("", "general")]
    return [card.id for card in sorted(family, key=lambda card: -(card.retrieval or 0.0))]


def _next(named: Sequence[Named], cards: Mapping[str, ModelCard]) -> str:
    """The command that compares them: of each name the model that least speaks against, and what superseded it."""
    usable = [one for one in named if one.card and not (one.card.retired or one.card.warning)]
    by_choice: dict[str, list[Named]] = {}
    for one in usable:
        by_choice.setdefault(one.named, []).append(one)
    least = [min(models, key=lambda one: len(one.remarks)).id for models in by_choice.values()]
    later = [one.card.superseded_by for one in usable if one.card and one.card.superseded_by in cards]
    ids = tuple(dict.fromkeys([*least, *later, *(one.id for one in usable)]))[:MEASURED]
    return Command("compare", ids, (("judged", "judged/"),)).in_shell() if len(ids) > 1 else ""


def table_of(tree: Tree, use_cases: Sequence[UseCase], cards: Mapping[str, ModelCard]) -> TreeDecision:
    """Rows of a tree's table: a primary and a budget choice for each."""
    named = []
    for one in use_cases:
        for role, name in (("primary", one.primary), ("budget", one.budget)):
            card = cards.get(name)
            found = remarks(card, (), cards) if card else ["no card describes it"]
            named.append(Named(f"{one.name}, {role}", name, card, tuple(found)))
    only = use_cases[0]
    says = f"{only.about}: {only.why}" if len(use_cases) == 1 else "a primary and a budget choice for each use case"
    after = _next(named, cards) if len(use_cases) == 1 else ""
    return TreeDecision(tree.name, tree.about, (), says, tuple(named), (), "", (tree.use_cases_note,), after)


def sift_all(
    tree: Tree, models: Sequence[Facts], cards: Mapping[str, ModelCard], table: Table | None = None
) -> TreeDecision:
    """Take `models` through the conditions of a funnel; whoever passes them all, ordered and cut to the first.

    `table` is what they were read of, where that is no catalog.
    """
    unsure: dict[str, str] = {}
    left, steps = list(models), []
    for condition in tree.funnel:
        left, excluded, unknown = _sift(left, [condition], None)
        unsure |= dict(unknown)
        steps.append(TreeStep(condition.fact, condition.says, "", "", tuple(excluded), tuple(unknown), len(left)))
    sure = [facts for facts in left if facts.id not in unsure]
    sure.sort(key=lambda facts: (-(getattr(facts, tree.order) or 0), facts.id))
    named = tuple(_passed(facts, cards) for facts in sure[: tree.first])
    waiting = [facts.id for facts in left if facts.id in unsure]
    remark = [] if table else [tree.note] if tree.note else []
    if table and table.missing:
        remark.append(f"no column for {', '.join(table.missing)}: taken from the cards of models that have one")
    says = f"the first {tree.first} by {tree.order}"
    return TreeDecision(
        tree.name, tree.about, tuple(steps), says, named, (), "", tuple(remark), _next(named, cards),
        tuple(waiting), table.malformed if table else (),
    )  # fmt: skip


def _passed(facts: Facts, cards: Mapping[str, ModelCard]) -> Named:
    card = cards.get(facts.id)
    return Named(facts.id, facts.id, card, tuple(remarks(card, (), cards)) if card else (), facts.downloads)
