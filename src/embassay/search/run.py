"""Runs a pipeline over a context. Searches, evaluations, comparisons and measurements of speed all come here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from embassay.errors import CacheError, ModelError, PluginError, ProviderError, UsageError
from embassay.search.base import MOST, Arm, Candidates, Found, Stage
from embassay.search.context import Context
from embassay.search.fusion import Fusion
from embassay.search.pipeline import Pipeline
from embassay.search.trace import Trace, TraceStep
from embassay.stores.values import Scored
from embassay.types import ArmScore, Hit

if TYPE_CHECKING:
    from embassay.search.neighbours import Around

CANNOT_ASK = (ModelError, ProviderError, PluginError, CacheError)
"""What is raised where a model cannot be asked."""
DEEPER = 4
"""Times as deep do arms look again where stages that fold candidates leave fewer hits than were asked for."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a pipeline found for one query."""

    pipeline: Pipeline
    """The one that ran: without the stages that had to be left out."""
    hits: Sequence[Hit]
    """Best first."""
    trace: Trace
    found: Mapping[str, Found]
    """What each arm found, by its label."""
    around: Around | None = None
    """How much of its document is to be shown for each hit; None: the hit itself."""


def run(pipeline: Pipeline, context: Context) -> Ranked:
    """The hits of `pipeline` for the query of `context`.

    Where a model cannot be asked, a context that allows it goes on without the stages that need it, and a notice says
    so. Where a stage that folds candidates leaves too few hits, arms that have more to hand on look deeper, until there
    are enough or they have handed on all that they find. Raises ModelError and ProviderError otherwise, or where no arm
    is left; StoreError; and UsageError for a pipeline without its end.
    """
    if not isinstance(pipeline, Pipeline):  # in Python it is easily forgotten
        raise UsageError("a pipeline ends with a stage that says how many hits come out.", remedy="Add: >> Top(10)")
    left_out: dict[Stage, Exception] = {}
    ran, found = pipeline, _found(pipeline.arms, context, left_out)
    while True:
        ran = ran.without(left_out) or _nothing_left(left_out)
        candidates = _ranked(ran, found, context, left_out)
        full = [label for label, one in found.items() if len(one.scored) >= one.arm.depth and one.arm.depth < MOST]
        if not ran.folds or len(candidates.ranking) >= ran.hits or not full:
            break
        ran = ran.with_deeper(full, min(MOST, DEEPER * max(found[label].arm.depth for label in full)))
        found |= _found([arm for arm in ran.arms if arm.label in full], context, left_out)
    context.trace.notices.extend(_notices(pipeline, left_out))
    return Ranked(ran.without(left_out) or ran, _hits(candidates, context), context.trace, found, candidates.around)


def _found(arms: Sequence[Arm], context: Context, left_out: dict[Stage, Exception]) -> dict[str, Found]:
    """What each arm finds, by its label; nothing of those that are left out."""
    found: dict[str, Found] = {}
    nothing = Candidates()
    for arm in arms:  # one after the other: side by side they took half as long again on two cores
        made = _attempt(arm, context, nothing, left_out)
        if made is not None:
            found[arm.label] = Found(arm, made.ranking, arm.is_bounded(context))
    return found


def _ranked(
    pipeline: Pipeline, found: Mapping[str, Found], context: Context, left_out: dict[Stage, Exception]
) -> Candidates:
    """What the stages behind the arms make of what those found."""
    candidates = Candidates(found, next(iter(found.values())).scored if len(found) == 1 else ())
    for stage in pipeline.stages:
        candidates = _attempt(stage, context, candidates, left_out) or candidates
    return candidates


def _nothing_left(left_out: Mapping[Stage, Exception]) -> NoReturn:
    """Raises what kept the first arm from running."""
    raise next(iter(left_out.values()))


def _attempt(
    stage: Stage, context: Context, candidates: Candidates, left_out: dict[Stage, Exception]
) -> Candidates | None:
    """What `stage` makes of `candidates`; None where it is left out, because a model that it needs cannot be asked."""
    try:
        return _traced(stage, context, candidates)
    except CANNOT_ASK as error:
        if not (context.without_model and stage.needs_model) or isinstance(stage, Fusion):
            raise
        left_out[stage] = error
        return None


def _notices(pipeline: Pipeline, left_out: Mapping[Stage, Exception]) -> list[str]:
    """One sentence for each cause."""
    causes: dict[str, list[str]] = {}
    for stage, error in left_out.items():
        causes.setdefault(str(error), []).append(str(stage))
    left = [arm for arm in pipeline.arms if arm not in left_out]
    only_words = len(left) < len(pipeline.arms) and not any(arm.needs_model for arm in left)
    notices = [
        f"Searched {'by words only' if only_words else 'without ' + ' and '.join(stages)}: {cause}"
        for cause, stages in causes.items()
    ]
    gone = {arm.label for arm in pipeline.arms if arm in left_out}
    changed = (stage for stage in pipeline.stages if stage not in left_out and stage.without_arms(gone) != stage)
    return [*notices, *(f"{stage} was not applied in full: an arm that it names could not run." for stage in changed)]


def _traced(stage: Stage, context: Context, candidates: Candidates) -> Candidates:
    saw = len(candidates.ranking) or _found_by_all(candidates)
    started, model_before = time.perf_counter(), context.model_ms
    made = stage.run(context, candidates)
    taken = (time.perf_counter() - started) * 1e3
    seen = saw if candidates.found else None
    kept = saw if stage.keeps_all else _found_by_all(made) if stage.asks else len(made.ranking)
    step = TraceStep(str(stage), seen, kept, taken, context.model_ms - model_before)
    context.trace.steps.append(step)
    return made


def _found_by_all(candidates: Candidates) -> int:
    """How many candidates the arms hand on, one that several of them found as often."""
    return sum(len(one.scored) for one in candidates.found.values())


def _hits(candidates: Candidates, context: Context) -> list[Hit]:
    """The ranking with the chunks behind it, and where each arm ranked them."""
    started = time.perf_counter()
    wanted = [candidate.ref for candidate in candidates.ranking]
    behind = [other.ref for ref in wanted for other in candidates.behind.get(ref, ())]
    chunks = context.chunks([*wanted, *behind])
    taken = (time.perf_counter() - started) * 1e3
    context.trace.steps.append(TraceStep("fetch", len(wanted), len(wanted), taken))
    arms: dict[object, dict[str, ArmScore]] = {ref: {} for ref in (*wanted, *behind)}
    for label, one in candidates.found.items():
        for place, candidate in enumerate(one.scored, 1):
            if candidate.ref in arms:
                arms[candidate.ref][label] = ArmScore(place, candidate.score)

    def hits(ranking: Sequence[Scored], first: int) -> list[Hit]:
        return [
            Hit(
                at,
                one.score,
                chunks[one.ref],
                arms[one.ref],
                more=hits(candidates.behind.get(one.ref, ()), 2),
                set=context.set_of(one.ref),
            )
            for at, one in enumerate(ranking, first)
        ]

    return hits(candidates.ranking, 1)
