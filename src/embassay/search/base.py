"""The contract of a stage, one step of a search: a file in `stages/`, whose name is the stage's name.

The file's ``STAGE`` is a frozen dataclass of one of the kinds below. Its fields are its arguments, each a str, int,
float or bool with a default, so that a stage prints itself and is parsed without further code: ``dense(100)``. Other
packages join through the entry-point group ``embassay.stages``; the module has the name of its stage there too.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, TypeVar

from embassay.errors import UsageError
from embassay.search.arguments import argument, check, hidden, named, written
from embassay.stores.values import Scored

if TYPE_CHECKING:
    from embassay.search.context import Context, Sought
    from embassay.search.neighbours import Around
    from embassay.types import Vectors

S = TypeVar("S", bound="Stage")
DEPTH = 100
"""Candidates that an arm hands on, where nothing else is said."""
MOST = 1_000_000
"""Candidates and hits that can be asked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one arm found, best first."""

    arm: Arm
    scored: Sequence[Scored]
    bounded: bool = True
    """Whether no score can be less than the arm's `least`."""
    others: Mapping[Hashable, float] = field(default_factory=dict)
    """What the arm gives to candidates that others found and it did not, by their refs."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What has been found for one query until now."""

    found: Mapping[str, Found] = field(default_factory=dict)
    """What each arm found, by its label, in the order of the arms."""
    ranking: Sequence[Scored] = ()
    """All candidates, best first; empty before the lists of several arms are joined."""
    rescored: Mapping[str, Found] = field(default_factory=dict)
    """What stands in the place of what an arm found when arms are joined: the same, scored in another space."""
    behind: Mapping[Hashable, Sequence[Scored]] = field(default_factory=dict)
    """Candidates that one of the ranking stands for, by its ref, best first: others of the same document."""
    around: Around | None = None
    """How much of its document is shown for each candidate that becomes a hit; None: itself."""
    asked: Sought | None = None
    """What the arms looked for, where a stage asked them again; None: the query as it is."""


@dataclass(frozen=True)
class Stage(ABC):
    """One step of a search: a value that prints as it is written in a pipeline."""

    needs_model: ClassVar[bool] = False
    """Whether `run` asks a model; a search leaves the stage out where no model can be asked."""
    asks_another: ClassVar[bool] = False
    """Whether the model that it asks is not the one that makes the vectors of the set."""
    on_ranking: ClassVar[bool] = False
    """Whether it works on one ranking, so that it stands behind the stage that joins several arms."""
    keeps_all: ClassVar[bool] = False
    """Whether it hands on whatever it was given, before or behind the stage that joins several arms."""
    folds: ClassVar[bool] = False
    """Whether one candidate may come to stand for many, so that arms have to look deeper where too few are left."""
    asks: ClassVar[bool] = False
    """Whether it asks the arms again, so that it stands before every stage that orders what they found."""

    @property
    def rerankers(self) -> Sequence[str]:
        """The rerankers that it asks, by the names that models have; ``default``: the one of the configuration."""
        return ()

    @abstractmethod
    def run(self, context: Context, candidates: Candidates) -> Candidates:
        """What this stage makes of `candidates`. An arm is given none, and its ranking is what it found."""

    def deepened(self: S, depth: int) -> S:  # noqa: ARG002
        """The same stage where `depth` candidates are looked at; itself where it has no depth of its own."""
        return self

    def fault(self, arms: Sequence[Stage]) -> str:  # noqa: ARG002
        """Why the stage makes no sense behind `arms`, as a sentence; nothing where it does."""
        return ""

    def without_arms(self: S, gone: Collection[str]) -> S | None:  # noqa: ARG002
        """What is left of the stage where the arms labelled `gone` could not run; None where that is nothing."""
        return self

    @property
    def name(self) -> str:
        """As in a pipeline: the name of its file."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    def __post_init__(self) -> None:
        check(self, self.name)

    def __str__(self) -> str:
        return written(self, self.name)


@dataclass(frozen=True)
class Arm(Stage):
    """A stage that finds candidates in the store. Arms stand side by side: ``dense(100) | lexical(100)``."""

    coarse: ClassVar[bool] = False
    """Whether its scores are near those of whole vectors and no more: ``exact`` gives it those."""
    dense: ClassVar[bool] = False
    """Whether it compares dense vectors: such arms share the dense weight of a fusion."""
    least: ClassVar[float] = 0.0
    """The least score that it can give, where it `is_bounded`: a cosine of -1, a BM25 of 0."""

    depth: int = argument(DEPTH, least=1, most=MOST)
    """Candidates that it hands on."""
    weight: float = named(1.0, least=0.01, most=100)
    """What it counts beside other arms of its kind, of those that compare vectors or of all others; `rrf` knows no
    kinds."""
    label: str = hidden("")
    """What tells it from other arms of a pipeline: its name, unless another one is given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "label", self.label or self.name)
        if not re.fullmatch(r"[^\W\d][\w-]*", self.label):
            raise UsageError(f"{self.label!r} cannot name an arm: a letter, then letters, digits, _ and -.")

    @property
    def elsewhere(self) -> str:
        """The set in which it looks, where that is another one than the one that is searched; nothing otherwise."""
        return ""

    def is_bounded(self, context: Context) -> bool:  # noqa: ARG002
        """Whether no score can be less than `least` in such a search. There is no least dot product."""
        return True

    def score(self, context: Context, refs: Sequence[Hashable]) -> Vectors | None:  # noqa: ARG002
        """float32 (len(refs),): the raw score of each candidate, whichever arm found it, as `run` would give it; nan
        where it has none. None where the arm cannot score what it did not find.

        Raises what `run` raises.
        """
        return None

    def deepened(self: A, depth: int) -> A:
        """The same arm, which hands on `depth` candidates."""
        return replace(self, depth=depth)

    def __or__(self, other: Arm) -> PartialPipeline:
        return PartialPipeline((self, other))

    def __rshift__(self, stage: Inner) -> PartialPipeline:
        return PartialPipeline((self,)) >> stage

    def __str__(self) -> str:
        return ("" if self.label == self.name else f"{self.label}=") + super().__str__()


A = TypeVar("A", bound=Arm)


class Inner(Stage):
    """A stage between the arms and the end: it joins or orders what was found. Fusions are such stages."""


class Last(Stage):
    """The stage that ends a pipeline and says how many hits come out."""

    @property
    @abstractmethod
    def hits(self) -> int:
        """How many come out at most."""


@dataclass(frozen=True, slots=True)
class PartialPipeline:
    """A pipeline that is being put together in Python; ``>> Top(10)`` ends it and makes a `Pipeline` of it."""

    arms: tuple[Arm, ...]
    stages: tuple[Inner, ...] = ()

    def __or__(self, other: Arm) -> PartialPipeline:
        return replace(self, arms=(*self.arms, other))

    def __rshift__(self, stage: Inner) -> PartialPipeline:
        if isinstance(stage, Last):  # which makes a pipeline of what stands before it
            return NotImplemented
        return replace(self, stages=(*self.stages, stage))
