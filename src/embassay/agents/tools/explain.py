"""Say why a search found what it found: what each of its stages saw, kept and took, and at which rank and with which
raw score each arm (meaning, words) had each hit. With `document` it says where that document came, or that it was not
found at all. Use it when an expected document is missing, or a hit surprises; search itself is cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from embassay.agents.base import MOST_HITS, MOST_OF_A_FIELD, Desk, clipped
from embassay.agents.searching import searched
from embassay.search.result import SearchResult
from embassay.search.snippet import highlight
from embassay.types import Hit

TITLE = "Explain a search"
WRITES = False
MOST_WORDS = 50


class Arguments(Struct, forbid_unknown_fields=True):
    """The search, and what of it is to be explained."""

    query: Annotated[str, Meta(description="What was looked for.", min_length=1)]
    set: Annotated[str | None, Meta(description="The set that is searched; default: the home's.")] = None
    k: Annotated[int, Meta(description="How many hits are explained.", ge=1, le=100)] = 8
    where: Annotated[str | None, Meta(description="The filter of the search.")] = None
    mode: Annotated[str, Meta(description="hybrid, dense or lexical.")] = "hybrid"
    pipeline: Annotated[str | None, Meta(description="The whole search in words, instead of k and mode.")] = None
    document: Annotated[str | None, Meta(description="A document whose rank is to be explained.")] = None


class StagePlace(Struct):
    """One stage of the search."""

    stage: str
    saw: Annotated[int | None, Meta(description="Candidates handed in; null for an arm, which looks through the set.")]
    kept: int
    ms: float
    model_ms: float


class ArmPlace(Struct):
    """What one arm made of a hit."""

    rank: int
    score: Annotated[float, Meta(description="A cosine for vectors, BM25 for words.")]


class Explained(Struct, omit_defaults=True):
    """Why one hit is where it is."""

    rank: int
    score: float
    document: str
    lines: Sequence[int]
    arms: Annotated[Mapping[str, ArmPlace], Meta(description="By arm; an arm that is missing did not find it.")]
    section: str = ""
    words: Annotated[Sequence[str], Meta(description="Words of the query that stand in it, as they stand there.")] = ()


class Reply(Struct, omit_defaults=True):
    """How the search went."""

    set: str
    space: Annotated[str, Meta(description="The model and the form of the vectors that were compared.")]
    pipeline: str
    took_ms: float
    steps: Sequence[StagePlace]
    hits: Sequence[Explained]
    document: Annotated[
        Explained | UnsetType | None,
        Meta(description=f"The best passage of the document that was asked about; null: not among {MOST_HITS} hits."),
    ] = UNSET
    answered: Annotated[
        bool | UnsetType | None, Meta(description="False where nothing in the set seems to answer the query.")
    ] = UNSET
    notices: Sequence[str] = ()


def run(desk: Desk, arguments: Arguments) -> Reply:
    """The search is run again, deeper where a document is asked about."""
    k = arguments.k if arguments.document is None else max(arguments.k, MOST_HITS)
    with desk.reading(arguments.set, [arguments.query]) as of_set:
        found = searched(
            desk,
            of_set,
            arguments.query,
            k,
            mode=arguments.mode,
            where=arguments.where,
            pipeline=arguments.pipeline,
        )
    asked = None
    if arguments.document is not None:
        best = next((hit for hit in found.hits if hit.chunk.document == arguments.document), None)
        asked = _explained(best, found) if best else None
    return Reply(
        set=of_set.name,
        space=str(found.space),
        pipeline=str(found.pipeline),
        took_ms=found.took_ms,
        steps=[
            StagePlace(one.stage, one.saw, one.kept, round(one.ms, 3), round(one.model_ms, 3)) for one in found.trace
        ],
        hits=[_explained(hit, found) for hit in found.hits[: arguments.k]],
        document=UNSET if arguments.document is None else asked,
        answered=UNSET if found.answered is None else found.answered,
        notices=found.notices,
    )


def _explained(hit: Hit, found: SearchResult) -> Explained:
    marked = (piece for piece, is_asked in highlight(hit.chunk.text, found.read_as, found.language) if is_asked)
    return Explained(
        rank=hit.rank,
        score=hit.score,
        document=hit.chunk.document,
        lines=hit.chunk.lines,
        arms={label: ArmPlace(arm.rank, arm.score) for label, arm in hit.arms.items()},
        section=clipped(hit.chunk.section, MOST_OF_A_FIELD)[0],
        words=list(dict.fromkeys(marked))[:MOST_WORDS],
    )
