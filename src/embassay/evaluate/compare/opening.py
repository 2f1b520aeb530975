"""Candidates by name: models of the configuration or the catalog, and sets of a home, compared on judged data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from embassay import remedy
from embassay.errors import HomeNotFound, ModelNotFound, UsageError
from embassay.evaluate.compare.alterations import check_alterable, with_alterations
from embassay.evaluate.compare.candidate import Candidate, parse_candidate
from embassay.evaluate.compare.model_system import Models
from embassay.evaluate.compare.paired import METRICS, compare_systems
from embassay.evaluate.compare.result import Comparison
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.compare.systems import System
from embassay.evaluate.compare.verdict import MIN_EFFECT, Budgets
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.data.places import Place
from embassay.home import Home
from embassay.search.modes import MODES
from embassay.session import Session
from embassay.sets.folder import HomeFolder, find_home, is_named, made_home
from embassay.types import Precision

if TYPE_CHECKING:
    from embassay.evaluate.compare.agreement import Agreement
    from embassay.models.registry import Registry
    from embassay.stores.opening import NewStore


@dataclass(frozen=True, slots=True)
class Options:
    """How candidates rank."""

    mode: str = "dense"
    """Of candidates that do not write one."""
    chunks: bool = False
    """Cut documents as for indexing; the best chunk counts."""
    drop_same_id: bool = False
    """Leave out the document whose id is the query's."""
    new_store: NewStore | None = None
    """Makes an empty store; default: the exact one in memory."""
    robustness: bool = False
    """Ask each query in altered forms as well (`embassay.evaluate.compare.robustness`)."""
    keep: bool = False
    """More queries come later: what was embedded stays in its store until the candidates are closed."""


DEFAULT_OPTIONS = Options()


def compare(
    candidates: Sequence[str],
    judged: str | os.PathLike[str] | JudgedSet,
    *,
    home: str | os.PathLike[str] | None = None,
    session: Session | None = None,
    split: str | None = None,
    metrics: tuple[str, ...] = METRICS,
    options: Options = DEFAULT_OPTIONS,
    min_effect: float = MIN_EFFECT,
    sure: bool = False,
    budgets: Budgets | None = None,
    by: Sequence[str] = (),
    advance: Callable[[int], None] = lambda _: None,
    started: Callable[[int], None] = lambda _: None,
) -> Comparison:
    """Whether another candidate is better than the first one, on `judged`.

    A candidate is ``MODEL[@PRECISION][@MODE][@dims=N][@fusion=NAME]`` in any order, with a set of the home in place of
    a model, or a pipeline in place of a mode. With `sure` the lower bound of a gain has to reach `min_effect`, and not
    only the gain. `by` are slices of the queries:
    ``source``, ``length``, ``language`` of the documents, or a field of their metadata. `started` is told how many
    texts there are, `advance` of each that is done. Raises JudgedSetError, UsageError, ConfigError; a candidate that
    fails has its reason in its row.

    >>> embassay.compare(["minilm", "minilm@hybrid"], "judged/").verdict           # doctest: +SKIP
    'switch'
    """
    data = judged if isinstance(judged, JudgedSet) else read_judged(Path(judged), split)
    with open_systems(candidates, home, options, session) as systems:
        check_judged(data, systems)
        if options.robustness:
            check_alterable(drop_same_id=options.drop_same_id)
            data = with_alterations(data)
        started(sum(system.texts(data) for system in systems))
        return compare_systems(
            data,
            systems,
            metrics=metrics,
            min_effect=min_effect,
            sure=sure,
            budgets=budgets,
            by=by,
            advance=advance,
        )


def compare_sets(
    a: str,
    b: str,
    queries: Sequence[str],
    *,
    home: str | os.PathLike[str] | None = None,
    session: Session | None = None,
    mode: str = "dense",
    advance: Callable[[int], None] = lambda _: None,
) -> Agreement:
    """Where two sets of one home answer alike, for queries that nobody has judged."""
    from embassay.evaluate.compare.agreement import agree

    with open_systems([a, b], home, Options(mode), session) as (first, second):
        if not isinstance(first, SetSystem) or not isinstance(second, SetSystem):
            wrong = a if not isinstance(first, SetSystem) else b
            raise UsageError(f"{wrong!r} is no set, and queries without judgments compare sets.", remedy=_SETS)
        return agree(queries, first, second, advance=advance)


_SETS = remedy.command("status", say="{} lists them.")


@contextmanager
def open_systems(
    names: Sequence[str],
    home: str | os.PathLike[str] | None = None,
    options: Options = DEFAULT_OPTIONS,
    session: Session | None = None,
) -> Iterator[list[System]]:
    """The candidates, ready to be run, for the time of the block. Models and sets share one session.

    `session`: left open; by default one is made that caches the vectors of local models too. Raises UsageError for
    sets that were made of different documents.
    """
    chosen = [parse_candidate(name, options.mode) for name in names]
    folder = _folder(home)
    with ExitStack() as opened:
        if session is None:
            cache_file = folder.cache_file if folder else None
            session = opened.enter_context(Session(cache_file=cache_file, keep_local=True))
        sets = opened.enter_context(Home(folder, session)) if folder else None
        yield _systems(chosen, session.models, sets, options, opened)


def _folder(given: str | os.PathLike[str] | None) -> HomeFolder | None:
    """The home of the sets and of the cache: made where it is named and not there; None where there is none."""
    named = Path(given) if given is not None else None
    if is_named(named):
        return made_home(named)
    try:
        return find_home()
    except HomeNotFound:
        return None


def _systems(
    chosen: Sequence[Candidate], registry: Registry, home: Home | None, options: Options, opened: ExitStack
) -> list[System]:
    sets = {c.model: home for c in chosen if home and home.holds(c.model)}
    candidates = [candidate for candidate in chosen if candidate.model not in sets]
    models = Models(
        registry,
        candidates,
        chunks=options.chunks,
        drop_same_id=options.drop_same_id,
        new_store=options.new_store,
        keep=options.keep,
    )
    _check_names(candidates, registry)
    systems: list[System] = []
    for candidate in chosen:
        home = sets.get(candidate.model)
        systems.append(_set(candidate, home, opened) if home else models.system(candidate))
    if options.chunks or options.drop_same_id:
        for system in systems:
            if isinstance(system, SetSystem):
                raise UsageError(
                    f"{system.name!r} is a set: it is searched as it is, so chunks and drop_same_id are not for it."
                )
    _check_sets({c.name: sets[c.model].sources(c.model) for c in chosen if c.model in sets})
    return systems


def _check_names(candidates: Sequence[Candidate], registry: Registry) -> None:
    """Before anything is embedded. Raises UsageError for a name that nobody knows."""
    for candidate in candidates:
        try:
            registry.settings(candidate.model)
        except ModelNotFound as error:
            forms = ", ".join((*get_args(Precision)[1:], *MODES, "dims=N", "fusion=NAME", "a pipeline"))
            raise UsageError(error.message, remedy=error.remedy + f"After @ go {forms}.") from None


def _set(candidate: Candidate, home: Home, opened: ExitStack) -> SetSystem:
    candidate = candidate.on_set(home.set(candidate.model).fusion)
    index = opened.enter_context(home.searcher(candidate.model))
    embedder = home.embedder(candidate.model)
    elsewhere = dict.fromkeys(arm.elsewhere for arm in candidate.pipeline.arms if arm.elsewhere)
    others = [home.embedder(name) for name in elsewhere]
    return SetSystem(candidate.name, index, embedder, candidate.pipeline, home.sources(candidate.model), others)


def _check_sets(sources: Mapping[str, Mapping[str, str]]) -> None:
    """Raises UsageError where sets were made of different files: what differs would not be the model."""
    for (a, files_a), (b, files_b) in combinations(sources.items(), 2):
        only_a, only_b = files_a.keys() - files_b.keys(), files_b.keys() - files_a.keys()
        changed = [path for path in files_a.keys() & files_b.keys() if files_a[path] != files_b[path]]
        if only_a or only_b or changed:
            first = min([*only_a, *only_b, *changed])
            raise UsageError(
                f"sets {a!r} and {b!r} were made of different documents: {len(only_a)} only in {a!r}, {len(only_b)} "
                f"only in {b!r}, {len(changed)} with another content, first {first}.",
                remedy="Index the same folders into both.",
            )


def check_judged(judged: JudgedSet, systems: Sequence[System]) -> None:
    """Raises UsageError where a set lacks documents that are judged relevant: it could never find them."""
    for system in systems:
        if not isinstance(system, SetSystem):
            if not judged.documents:
                raise UsageError(
                    f"{system.name!r} is no set, and {judged.name} has no documents to embed.",
                    remedy=remedy.command("judge new", "FOLDER", out="DIR", say="{} makes judged data with documents."),
                )
            continue
        wanted = {
            Place.parse(document).path
            for relevant in judged.qrels.values()
            for document, grade in relevant.items()
            if grade > 0
        }
        missing = sorted(wanted - system.paths)
        if missing:
            raise UsageError(
                f"set {system.name!r} lacks {len(missing)} of the {len(wanted)} judged documents, first {missing[0]}.",
                remedy=remedy.command(
                    "judge new", "FOLDER", out="DIR", say="Judge the documents that were indexed, by their paths"
                ),
            )
