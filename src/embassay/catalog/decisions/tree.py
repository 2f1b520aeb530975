"""A decision tree as data: one file of `trees/`, whose name is the tree's. Nothing here walks it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from embassay.errors import UsageError
from embassay.text import did_you_mean

TREES = Path(__file__).parents[1] / "trees"
Answer = bool | float | None
"""Of a question: yes or no, the number that was asked for, or None where it is left open."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model has to be to stay. A fact that nobody knows decides nothing."""

    fact: str
    """A field of `decisions.facts.Facts`."""
    says: str = ""
    """The condition in words; empty where the fact and its value say it."""
    one_of: tuple[str | bool, ...] = ()
    none_of: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    since: str = ""
    """A day, YYYY-MM-DD: then or later."""
    at_least_answer: bool = False
    """At least the number that the question was answered with."""


class Branch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an answer leads: to a leaf, or to the next question; and whom it leaves out."""

    leaf: str = ""
    next: str = ""
    keep: tuple[Requirement, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of a tree."""

    name: str
    """As the answer is named, in an option and in a call."""
    ask: str
    default: Literal["yes", "no", "open"] = "no"
    """What holds where nobody answers."""
    above: float | None = None
    """A question for a number: more than this is a yes. Without either bound the question is one for yes or no."""
    below: float | None = None
    unit: str = ""
    whole: bool = False
    """Whether the number counts something."""
    yes: Branch
    no: Branch
    open: Branch | None = None
    """Where a question leads that is left open, if that is no answer of the two."""

    @property
    def is_number(self) -> bool:
        """Whether it is answered with a number."""
        return self.above is not None or self.below is not None

    @property
    def python_name(self) -> str:
        """The name as a keyword argument."""
        return self.name.replace("-", "_")

    def branch(self, answer: Answer) -> Branch:
        """Where an answer leads."""
        said = self.verdict(answer)
        return (self.open or self.no) if said is None else self.yes if said else self.no

    def verdict(self, answer: Answer) -> bool | None:
        """The answer as yes or no, a number held against the bound; the default where nobody answers, None if open."""
        if answer is None:
            return {"yes": True, "no": False, "open": None}[self.default]
        if not self.is_number:
            return bool(answer)
        return (self.above is None or answer > self.above) and (self.below is None or answer < self.below)


class Naming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a leaf calls by one name, and the cards that this means."""

    name: str
    ids: tuple[str, ...] = ()
    family: str = ""
    """Every general model of a family of the catalog."""


class Leaf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a tree ends."""

    says: str
    models: tuple[Naming, ...]
    claims: tuple[str, ...] = ()
    """What the tree takes its models for, each a row of `decisions.remarks.CLAIMS`."""
    then: str = ""
    """What to know or to do besides."""


class UseCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a tree's table: a primary and a budget choice."""

    name: str
    about: str
    primary: str
    budget: str
    why: str


class Tree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Questions that end in leaves, or, where there are none, conditions that all models go through."""

    name: str
    about: str
    note: str = ""
    """How the tree is read here, where its wording leaves that open."""
    questions: tuple[Question, ...] = msgspec.field(default=(), name="question")
    leaves: Mapping[str, Leaf] = msgspec.field(default_factory=dict, name="leaf")
    use_cases: tuple[UseCase, ...] = msgspec.field(default=(), name="use_case")
    use_cases_note: str = ""
    """Whose table that is."""
    funnel: tuple[Requirement, ...] = ()
    order: str = ""
    """The fact that orders what the funnel lets through, the largest first."""
    first: int = 0
    """How many of them are taken."""

    def question(self, name: str) -> Question:
        """The question of a name, which has to be one of the tree's."""
        return next(one for one in self.questions if one.name == name)


def tree_names() -> tuple[str, ...]:
    """Every tree there is, sorted."""
    return tuple(sorted(file.stem for file in TREES.glob("*.toml")))


@lru_cache(maxsize=8)
def load_tree(name: str) -> Tree:
    """The tree called `name`. Raises UsageError where there is none."""
    if name not in tree_names():
        raise UsageError(f"no tree is called {name!r}.", remedy=did_you_mean(name, tree_names()))
    data = tomllib.loads((TREES / f"{name}.toml").read_text("utf-8"))
    return msgspec.convert({"name": name, **data}, Tree)
