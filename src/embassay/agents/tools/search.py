"""Search a set of documents by meaning and by words, and get the passages that answer best, each with its document, its
lines and its section. Ask in plain words, as a person would; `where` narrows it to paths or metadata. A passage that
was cut says so: read_document reads on. Cite `document` and `lines`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from embassay.agents.base import MOST_ASKED, MOST_CHARS, MOST_HITS, MOST_OF_A_FIELD, Desk, clipped, shown
from embassay.agents.searching import searched
from embassay.types import Hit, Metadata

TITLE = "Search"
WRITES = False


class Arguments(Struct, forbid_unknown_fields=True):
    """What is looked for, where, and how."""

    query: Annotated[str, Meta(description="What is looked for, in plain words.", min_length=1)]
    set: Annotated[str | None, Meta(description="The set to search; default: the home's. list_sets names them.")] = None
    k: Annotated[int, Meta(description="How many passages.", ge=1, le=100)] = 8
    where: Annotated[
        str | None,
        Meta(description='Only what passes this filter, such as: path ~ "docs/*.md" and year >= 2024'),
    ] = None
    mode: Annotated[
        str, Meta(description="hybrid: by meaning and by words; dense: by meaning; lexical: by words alone.")
    ] = "hybrid"
    pipeline: Annotated[
        str | None,
        Meta(description="The whole search in words, instead of k and mode: dense(50) | lexical(50) >> rrf >> top(5)"),
    ] = None
    rerank: Annotated[
        str | None,
        Meta(description="A configured reranker that scores the first candidates anew: slower, and often better."),
    ] = None
    context: Annotated[int, Meta(description="Passages before and after each one to show, too.", ge=0, le=5)] = 0
    max_chars: Annotated[
        int, Meta(description="Characters of all passages together, at most.", ge=200, le=MOST_ASKED)
    ] = MOST_CHARS


class FoundPassage(Struct, omit_defaults=True):
    """One passage that was found."""

    rank: int
    score: Annotated[float, Meta(description="Orders the passages of one search; it is no similarity.")]
    document: Annotated[str, Meta(description="The id of its document, for read_document.")]
    path: str
    lines: Annotated[Sequence[int], Meta(description="First and last line in the document.")]
    text: str
    section: str = ""
    metadata: Metadata = {}
    before: str = ""
    after: str = ""
    cut: Annotated[bool, Meta(description="Whether the text was cut to fit max_chars.")] = False


class Reply(Struct, omit_defaults=True):
    """What was found."""

    set: str
    mode: str
    passages: Sequence[FoundPassage]
    id: Annotated[str, Meta(description="Of this search, for feedback; empty where searches are not logged.")] = ""
    answered: Annotated[
        bool | UnsetType | None, Meta(description="False where nothing in the set seems to answer the query.")
    ] = UNSET
    notices: Annotated[Sequence[str], Meta(description="What to know before relying on this.")] = ()


def run(desk: Desk, arguments: Arguments) -> Reply:
    """The passages, each with an equal share of the characters that the ones before it left."""
    with desk.reading(arguments.set, [arguments.query]) as of_set:
        found = searched(
            desk,
            of_set,
            arguments.query,
            arguments.k,
            mode=arguments.mode,
            where=arguments.where,
            pipeline=arguments.pipeline,
            rerank=arguments.rerank,
            context=arguments.context,
        )
    passages, left, hits = list[FoundPassage](), arguments.max_chars, found.hits[:MOST_HITS]
    for at, hit in enumerate(hits):
        passage = _passage(hit, left // (len(hits) - at))
        left -= len(passage.before) + len(passage.text) + len(passage.after)
        passages.append(passage)
    answered = UNSET if found.answered is None else found.answered
    return Reply(of_set.name, found.mode, passages, found.id, answered, found.notices)


def _passage(hit: Hit, most: int) -> FoundPassage:
    """A hit within so many characters: what stands around it goes first."""
    text, cut = clipped(hit.chunk.text, most)
    left = most - len(text)
    before, after = hit.before[max(0, len(hit.before) - left // 2) :], hit.after
    left -= len(before)
    around = len(before) < len(hit.before) or len(after) > left
    return FoundPassage(
        rank=hit.rank,
        score=hit.score,
        document=hit.chunk.document,
        path=hit.chunk.path,
        lines=hit.chunk.lines,
        text=text,
        section=clipped(hit.chunk.section, MOST_OF_A_FIELD)[0],
        metadata=shown(hit.chunk.metadata),
        before=before,
        after=after[:left],
        cut=cut or around,
    )
