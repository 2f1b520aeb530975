"""The short way to say a pipeline, a mode and a number of hits, and what it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from embassay.arguments import shown
from embassay.errors import PluginError, UsageError
from embassay.search.base import DEPTH, Arm, Stage
from embassay.search.fusion import Fusion
from embassay.search.pipeline import Pipeline
from embassay.search.stages import stage_class, stage_names
from embassay.search.stages.adaptive import Adaptive
from embassay.search.stages.cascade import Cascade
from embassay.search.stages.coarse import Coarse
from embassay.search.stages.dense import Dense
from embassay.search.stages.exact import Exact
from embassay.search.stages.group import Group
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.min_score import MinScore
from embassay.search.stages.parent import Parent
from embassay.search.stages.rerank import Rerank
from embassay.search.stages.top import Top

HYBRID, TWO_STAGE = "hybrid", "two_stage"
MODES: Mapping[str, tuple[type[Arm], ...]] = {
    "dense": (Dense,),
    "lexical": (Lexical,),
    HYBRID: (Dense, Lexical),
    TWO_STAGE: (Coarse,),
}
DEFAULT_FUSION = Adaptive()


def pipeline(mode: str = "hybrid", k: int = 10, *, fusion: str | Fusion | None = None, depth: int = DEPTH) -> Pipeline:
    """The pipeline of a mode with `k` hits; each arm hands on at least `k`. `fusion` is a name, or the stage itself.

    Raises UsageError for unknown names.
    """
    if mode not in MODES:
        raise UsageError(f"mode {mode!r} is not one of {', '.join(MODES)}.")
    joined = named_fusion(fusion) if isinstance(fusion, str) else fusion or DEFAULT_FUSION
    end = Top(k)
    arms = MODES[mode]
    if mode == TWO_STAGE:
        return two_stage(k)
    if len(arms) == 1:
        return Pipeline((arms[0](k),), (end,))
    return Pipeline(tuple(arm(max(depth, k)) for arm in arms), (joined, end))


def two_stage(k: int = 10, dims: int = Coarse.dims, depth: int = DEPTH) -> Pipeline:
    """A search by coarse vectors of so many dimensions, of whose first `depth` candidates whole vectors choose k."""
    return Pipeline((Coarse(max(depth, k), dims=dims),), (Exact(), Top(k)))


def refined(
    chosen: Pipeline,
    *,
    group_by: str | None = None,
    min_score: Mapping[str, float] | None = None,
    cascade: bool | Cascade = False,
    rerank: str | Rerank | None = None,
    expand: str | Sequence[str] = (),
    parent: str | int | None = None,
) -> Pipeline:
    """The same search with only those hits that reach a score, and the best of each document.

    `min_score` has the least raw score of arms by their labels; a hit stays where one of them gave it as much.
    `group_by` is ``document`` or ``path``. `cascade` scores again what dense arms found, and `rerank`, by the name of a
    reranker, the first candidates. `expand` names stages that ask the arms again for more than the query says, in their
    order. `parent` has each hit shown in its ``section`` or ``document``, or in so many tokens of it. Raises UsageError
    for another one, and for arms that there are not.
    """
    if cascade is not False:
        chosen = cascaded(chosen, Cascade() if cascade is True else cascade)
    if rerank is not None:
        stage = Rerank(model=rerank) if isinstance(rerank, str) else rerank
        if not isinstance(stage, Rerank):
            raise UsageError(f"rerank is {shown(rerank)}; it must be the name of a reranker, or its stage.")
        chosen = reranked(chosen, stage)
    if expand:
        asking = [named_expansion(name) for name in ([expand] if isinstance(expand, str) else expand)]
        chosen = replace(chosen, stages=(*asking, *chosen.stages))
    if min_score:
        chosen = chosen.before_top(MinScore.of(min_score))
    if group_by is not None:
        chosen = chosen.before_top(Group(group_by))
    if parent is not None:
        chosen = chosen.before_top(Parent.of(parent))
    return chosen


def cascaded(chosen: Pipeline, cascade: Cascade) -> Pipeline:
    """The same search, where what dense arms found, or where there is none all of them, is scored again before anything
    else is done with it.

    They look at least `DEPTH` deep: what the live space ranks low may be what the new one ranks first. Raises
    UsageError where the pipeline has a cascade already.
    """
    if any(isinstance(stage, Cascade) for stage in chosen.stages):
        raise UsageError("the pipeline has a cascade already.", remedy="Leave one of the two out.")
    recalling = [arm for arm in chosen.arms if arm.dense and not arm.elsewhere] or chosen.arms
    shallow = [arm.label for arm in recalling if arm.depth < DEPTH]
    deep = chosen.with_deeper(shallow, DEPTH)
    return replace(deep, stages=(cascade, *deep.stages))


def reranked(chosen: Pipeline, rerank: Rerank) -> Pipeline:
    """The same search, whose first candidates are scored anew before any of them is left out. One arm alone looks at
    least as deep as that. Raises UsageError where the pipeline has a reranker already.
    """
    if any(isinstance(stage, Rerank) for stage in chosen.stages):
        raise UsageError("the pipeline has a reranker already.", remedy="Leave one of the two out.")
    shallow = [arm.label for arm in chosen.arms if arm.depth < rerank.depth]
    deep = chosen.with_deeper(shallow, rerank.depth)
    finding = (at for at, stage in enumerate(deep.stages, 1) if isinstance(stage, (Fusion, Cascade)))
    behind = max(finding, default=0)
    return replace(deep, stages=(*deep.stages[:behind], rerank, *deep.stages[behind:]))


def expansions() -> dict[str, Stage]:
    """Every stage that asks the arms again, by its name, as it is without arguments."""
    made = {name: stage_class(name)() for name in stage_names()}
    return {name: stage for name, stage in made.items() if stage.asks}


def named_expansion(name: str) -> Stage:
    """The stage `name` that asks the arms again, as it is without arguments. Raises UsageError for another one."""
    made = stage_class(name)() if name in stage_names() else None
    if made is None or not made.asks:
        raise UsageError(f"expand: {name!r} is not one of {', '.join(expansions())}.")
    return made


def fusions() -> dict[str, Fusion]:
    """Every stage that joins arms, by its name, as it is without arguments."""
    made = {name: stage_class(name)() for name in stage_names()}
    return {name: stage for name, stage in made.items() if isinstance(stage, Fusion)}


def named_fusion(name: str) -> Fusion:
    """The fusion `name`, as it is without arguments. Raises UsageError for one that nobody knows."""
    made: Stage | None
    try:
        made = stage_class(name)()
    except PluginError:
        if name in stage_names():  # it is there, and something that it needs is not
            raise
        made = None
    if not isinstance(made, Fusion):
        raise UsageError(f"fusion {name!r} is not one of {', '.join(fusions())}.")
    return made
