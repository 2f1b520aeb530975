"""A search as a value that prints as it is read aloud: ``dense(100) | lexical(100) >> adaptive(0.7) >> top(10)``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from embassay.errors import UsageError
from embassay.search.base import Arm, Last, Stage
from embassay.search.fusion import Fusion


@dataclass(frozen=True, slots=True)
class PipelineFault:
    """What makes no sense in a pipeline."""

    at: int
    """Position of the stage, counted over arms and stages; their number for something that is missing at the end."""
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Arms side by side, then stages one after the other, of which the last one says how many hits come out.

    Raises UsageError for what makes no sense as a search.
    """

    arms: tuple[Arm, ...]
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        fault = find_fault(self.arms, self.stages)
        if fault:
            raise UsageError(fault.message, remedy=fault.remedy)

    @property
    def mode(self) -> str:
        """``hybrid`` for several arms, else the name of the only one."""
        return "hybrid" if len(self.arms) > 1 else self.arms[0].name

    @property
    def needs_model(self) -> bool:
        """Whether any stage asks the model that makes the vectors; one that asks arms again does so where they do."""
        of_arms = any(arm.needs_model and not arm.elsewhere for arm in self.arms)
        return of_arms or any(one.needs_model and not (one.asks_another or one.asks) for one in self.stages)

    @property
    def depth(self) -> int:
        """How many candidates each of its arms looks at, at least."""
        return min(arm.depth for arm in self.arms)

    @property
    def hits(self) -> int:
        """How many hits come out at most."""
        last = self.stages[-1]
        return last.hits if isinstance(last, Last) else 0

    @property
    def folds(self) -> bool:
        """Whether fewer hits than asked for may come out although the arms have handed on enough."""
        return any(stage.folds for stage in self.stages)

    def without(self, gone: Collection[Stage]) -> Pipeline | None:
        """What is left without the stages `gone`, and without a fusion of one arm; None where no arm is left."""
        if not gone and len(self.arms) > 1:  # as in nearly every search, where this is asked twice
            return self
        left = [arm for arm in self.arms if arm not in gone]
        missing = {arm.label for arm in self.arms} - {arm.label for arm in left}
        rest = (stage.without_arms(missing) for stage in self.stages if stage not in gone)
        stages = tuple(
            stage for stage in rest if stage is not None and (len(left) > 1 or not isinstance(stage, Fusion))
        )
        alone = _without_peers(left, stages)
        arms = tuple(replace(arm, weight=1.0) if arm in alone else arm for arm in left)
        return Pipeline(arms, stages) if arms else None

    def without_others(self) -> Pipeline:
        """The same search without the stages that ask another model than the one of the set."""
        return replace(self, stages=tuple(stage for stage in self.stages if not stage.asks_another))

    def joined_by(self, fusion: Fusion) -> Pipeline:
        """The same search with another fusion; itself where it joins nothing."""
        return replace(self, stages=tuple(fusion if isinstance(one, Fusion) else one for one in self.stages))

    def before_top(self, stage: Stage) -> Pipeline:
        """The same search with one more stage, which sees what would have come out of an unbounded one."""
        return replace(self, stages=(*self.stages[:-1], stage, self.stages[-1]))

    def with_deeper(self, labels: Collection[str], depth: int) -> Pipeline:
        """The same search, where the arms labelled so hand on `depth` candidates."""
        return replace(self, arms=tuple(arm.deepened(depth) if arm.label in labels else arm for arm in self.arms))

    def handing_out(self, depth: int) -> Pipeline:
        """The same search with at least `depth` hits, if it finds so many: an arm alone looks so deep, and whatever
        stands behind arms works on as many candidates as before, because that decides which hits come first.
        """
        if len(self.arms) == 1 and len(self.stages) == 1:
            return self.looking(max(depth, self.depth))
        return self._ending(max(depth, sum(arm.depth for arm in self.arms)))

    def looking(self, depth: int) -> Pipeline:
        """The same stages, where each arm looks for `depth` candidates and all of them are handed out."""
        arms = tuple(arm.deepened(depth) for arm in self.arms)
        stages = tuple(stage.deepened(depth) for stage in self.stages)
        return Pipeline(arms, stages)._ending(depth * len(arms))

    def _ending(self, hits: int) -> Pipeline:
        return replace(self, stages=(*self.stages[:-1], self.stages[-1].deepened(hits)))

    def __str__(self) -> str:
        return " >> ".join([" | ".join(map(str, self.arms)), *map(str, self.stages)])


def find_fault(arms: Sequence[Stage], stages: Sequence[Stage]) -> PipelineFault | None:
    """The first thing that makes no sense, in the order in which the pipeline is read; None for a good one."""
    return _fault_of_arms(arms) or _fault_of_stages(stages, arms) or _fault_of_weights(arms, stages)


def _fault_of_arms(arms: Sequence[Stage]) -> PipelineFault | None:
    if not arms:
        return PipelineFault(0, "a pipeline starts with a stage that finds something, and there is none.", EXAMPLE)
    labels: set[str] = set()
    for at, arm in enumerate(arms):
        if not isinstance(arm, Arm):
            return PipelineFault(at, f"{arm} finds nothing by itself: it stands behind >>.", EXAMPLE)
        if arm.label in labels:
            return PipelineFault(
                at, f"two arms are called {arm.label!r}.", f"Name one of them: other={replace(arm, label='')}"
            )
        labels.add(arm.label)
    return None


def _fault_of_stages(stages: Sequence[Stage], arms: Sequence[Stage]) -> PipelineFault | None:
    fusions = 0
    for at, stage in enumerate(stages, len(arms)):
        if isinstance(stage, Arm):
            return PipelineFault(
                at, f"{stage} finds candidates: it stands before the first >>, beside other arms.", EXAMPLE
            )
        if at > len(arms) and isinstance(stages[at - len(arms) - 1], Last):
            return PipelineFault(at, f"nothing stands behind {stages[at - len(arms) - 1]}, and here is {stage}.")
        fusions += isinstance(stage, Fusion)
        if isinstance(stage, Fusion) and len(arms) == 1:
            return PipelineFault(at, f"{stage} joins several arms, and there is one.", _ONE_ARM)
        if fusions > 1:
            return PipelineFault(at, f"{stage} joins the arms a second time.", "Leave one of the two out.")
        if stage.on_ranking and len(arms) > 1 and not fusions:
            return PipelineFault(at, f"{stage} works on one ranking: it stands behind the stage that joins the arms.")
        if stage.asks and not all(before.asks for before in stages[: at - len(arms)]):
            return PipelineFault(at, f"{stage} asks the arms again: it stands before the stages that order or join.")
        if unfit := stage.fault(arms):
            return PipelineFault(at, unfit)
    if len(arms) > 1 and not fusions:
        return PipelineFault(len(arms), f"{len(arms)} arms need a stage that joins them.", "Add one: >> adaptive(0.7)")
    if not stages or not isinstance(stages[-1], Last):
        return PipelineFault(len(arms) + len(stages), "it does not say how many hits come out.", "End with: >> top(10)")
    return None


def _fault_of_weights(arms: Sequence[Stage], stages: Sequence[Stage]) -> PipelineFault | None:
    """A weight says how arms of a kind share what they count together: alone it would say nothing."""
    found = [arm for arm in arms if isinstance(arm, Arm)]
    for at, arm in enumerate(found):
        if arm.weight != 1 and arm in _without_peers(found, stages):
            fusion = next((stage for stage in stages if isinstance(stage, Fusion)), None)
            kind = "compares vectors" if arm.dense else "does not compare vectors"
            return PipelineFault(
                at,
                f"the weight of {arm} says nothing: it is the only arm{f' that {kind}' if fusion else ''}.",
                f"Leave it out; {fusion} says what such arms count." if fusion else "Leave it out.",
            )
    return None


def _without_peers(arms: Sequence[Arm], stages: Sequence[Stage]) -> list[Arm]:
    """Those arms that share what they count with no other."""
    if any(isinstance(stage, Fusion) and not stage.by_kind for stage in stages):
        return []
    return [arm for arm in arms if sum(other.dense is arm.dense for other in arms) == 1]


EXAMPLE = "Example: dense(100) | lexical(100) >> adaptive(0.7) >> top(10)"
_ONE_ARM = "Leave it out, or put another arm beside that one with |; in Python the arms need parentheses: (a | b) >> c"
