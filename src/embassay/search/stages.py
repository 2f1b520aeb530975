"""A search as a value that prints as read aloud: ``dense(100) | lexical(100) >> convex(0.75) >> top(10)``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from embassay.errors import UsageError
from embassay.search.fusion import DEFAULT_FUSION, FUSIONS, Fusion
from embassay.types import Mode

ARMS = ("dense", "lexical")
MODES: dict[Mode, tuple[str, ...]] = {"dense": ("dense",), "lexical": ("lexical",), "hybrid": ARMS}
DEPTH = 100
"""Candidates that each arm hands to the fusion."""
MAX_K = 1_000_000


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to find candidates, and how many it hands on."""

    name: str
    depth: int = DEPTH

    def __or__(self, other: Arm) -> Pipeline:
        return Pipeline((self, other))

    def __rshift__(self, stage: Fusion | Top) -> Pipeline:
        return Pipeline((self,)) >> stage

    def __str__(self) -> str:
        return f"{self.name}({self.depth})"


@dataclass(frozen=True, slots=True)
class Top:
    """How many hits come out."""

    k: int = 10

    def __str__(self) -> str:
        return f"top({self.k})"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Arms side by side, a fusion where there are several, then the top k."""

    arms: tuple[Arm, ...]
    fusion: Fusion = DEFAULT_FUSION
    top: Top = Top()

    def __or__(self, other: Arm) -> Pipeline:
        return replace(self, arms=(*self.arms, other))

    def __rshift__(self, stage: Fusion | Top) -> Pipeline:
        return replace(self, top=stage) if isinstance(stage, Top) else replace(self, fusion=stage)

    @property
    def mode(self) -> str:
        return "hybrid" if len(self.arms) > 1 else self.arms[0].name

    def without(self, arm: str) -> Pipeline:
        return replace(self, arms=tuple(a for a in self.arms if a.name != arm))

    def __str__(self) -> str:
        arms = " | ".join(map(str, self.arms))
        return " >> ".join([arms, *([str(self.fusion)] if len(self.arms) > 1 else []), str(self.top)])


def pipeline(mode: str = "hybrid", k: int = 10, *, fusion: str | None = None, depth: int = DEPTH) -> Pipeline:
    """The pipeline of a mode. Each arm hands on at least `k`. Raises UsageError for unknown names."""
    if mode not in MODES:
        raise UsageError(f"mode {mode!r} is not one of {', '.join(MODES)}.")
    if fusion is not None and fusion not in FUSIONS:
        raise UsageError(f"fusion {fusion!r} is not one of {', '.join(FUSIONS)}.")
    if not 1 <= k <= MAX_K:
        raise UsageError(f"k is {k}; it must be between 1 and {MAX_K:,}.")
    arms = tuple(Arm(name, max(depth, k) if len(MODES[mode]) > 1 else k) for name in MODES[mode])
    return Pipeline(arms, FUSIONS[fusion] if fusion else DEFAULT_FUSION, Top(k))
