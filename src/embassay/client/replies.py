"""Answers of a server that are read into more than their fields: vectors, scores, and hits as the library has them."""

from __future__ import annotations

import base64

import msgspec

from embassay.client.values import RankedTexts, SearchFound, TextVectors
from embassay.types import ArmScore, Chunk, Hit, Metadata, Record, Value


class _Vector(msgspec.Struct):
    embedding: str


class _Usage(msgspec.Struct):
    total_tokens: int = 0


class _Vectors(msgspec.Struct):
    data: list[_Vector]
    model: str
    usage: _Usage


def read_vectors(raw: bytes) -> TextVectors:
    """Those that came as base64."""
    import numpy as np

    made = msgspec.json.decode(raw, type=_Vectors)
    rows = [np.frombuffer(base64.b64decode(one.embedding), "<f4") for one in made.data]
    vectors = np.stack(rows).astype(np.float32) if rows else np.empty((0, 0), np.float32)
    return TextVectors(vectors, made.model, made.usage.total_tokens)


class _Score(msgspec.Struct):
    index: int
    relevance_score: float


class _Scores(msgspec.Struct):
    results: list[_Score]


def read_scores(texts: int, raw: bytes) -> RankedTexts:
    """Raises ValueError unless each text has a score."""
    scores = {one.index: one.relevance_score for one in msgspec.json.decode(raw, type=_Scores).results}
    if [*range(texts)] != sorted(scores):
        raise ValueError(f"{len(scores)} scores of {texts} texts")
    order = sorted(scores, key=lambda at: (-scores[at], at))
    return RankedTexts([scores[at] for at in range(texts)], order)


class _Document(msgspec.Struct):
    id: str
    text: str
    title: str
    metadata: Metadata


class _Documents(msgspec.Struct):
    data: list[_Document]


def read_records(raw: bytes) -> list[Record]:
    """Documents as they were given."""
    made = msgspec.json.decode(raw, type=_Documents).data
    return [Record(one.id, one.text, one.title, one.metadata) for one in made]


class _Hit(msgspec.Struct, kw_only=True):
    rank: int
    score: float
    set: str
    id: str
    document: str
    path: str
    lines: tuple[int, int]
    span: tuple[int, int]
    section: str
    metadata: Metadata
    text: str
    arms: dict[str, ArmScore]
    before: str = ""
    after: str = ""
    more: list[_Hit] = []


class _Found(msgspec.Struct, kw_only=True):
    query: str
    set: str
    space: str
    mode: str
    hits: list[_Hit]
    notices: list[str]
    took_ms: float
    answered: bool | None
    id: str = ""
    pipeline: str = ""
    trace: list[Value] = []


def read_found(raw: bytes) -> SearchFound:
    """What a search found."""
    made = msgspec.json.decode(raw, type=_Found)
    return SearchFound(
        query=made.query,
        set=made.set,
        space=made.space,
        mode=made.mode,
        hits=[_hit(one) for one in made.hits],
        notices=made.notices,
        took_ms=made.took_ms,
        answered=made.answered,
        id=made.id,
        pipeline=made.pipeline,
        trace=made.trace,
    )


def _hit(one: _Hit) -> Hit:
    """As the library has it; what a server does not say of a chunk, its tokens and its headings, is left empty."""
    chunk = Chunk(
        one.id, one.document, one.path, one.section, one.text, 0, one.lines, one.span, 0, metadata=one.metadata
    )  # fmt: skip
    more = [_hit(other) for other in one.more]
    return Hit(one.rank, one.score, chunk, one.arms, one.before, one.after, one.set, more)
