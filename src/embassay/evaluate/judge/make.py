"""Judged sets from own documents: which of the proposed queries are taken, and what becomes of the passages."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import zip_longest
from typing import Any, TypeVar

from embassay import plugins
from embassay.errors import JudgedSetError
from embassay.evaluate.data.formats.beir import MOST_GRADE
from embassay.evaluate.data.formats.jsonl import KEYS
from embassay.evaluate.data.judged import json_lines
from embassay.evaluate.data.places import Place, covering
from embassay.evaluate.judge.makers import Proposal, plain
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.ingest.chunk import JOIN

_T = TypeVar("_T")
MAKERS = "embassay.evaluate.judge.makers"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a judged set that is being made."""

    text: str
    relevant: Mapping[str, int]
    """Passage id to grade."""
    source: str
    """How it was made."""

    @property
    def id(self) -> str:
        return query_id(self.text)


@dataclass(slots=True)
class Draft:
    """A judged set before it is written."""

    corpus: list[dict[str, Any]]
    """BEIR records."""
    queries: list[Query] = field(default_factory=list)
    proposed: Counter[str] = field(default_factory=Counter)
    """Source to how many there were to choose from."""

    @property
    def counts(self) -> Counter[str]:
        return Counter(query.source for query in self.queries)


def query_id(text: str) -> str:
    """Equal for equal queries: asking for one again adds nothing."""
    return "q" + blake2b(" ".join(text.lower().split()).encode("utf-8", "replace"), digest_size=6).hexdigest()


def sources() -> tuple[str, ...]:
    """What queries can be made of without anybody's help."""
    return plugins.names(MAKERS)


@dataclass(frozen=True, slots=True)
class Existing:
    """A judged set that is there already, to be added to."""

    rows: Mapping[str, Mapping[str, Any]]
    """Passage id to its record."""
    queries: frozenset[str]
    """Ids of its queries."""


NOTHING = Existing({}, frozenset())


def draft(passages: Passages, count: int, by: Sequence[str] = (), seed: int = 0, existing: Existing = NOTHING) -> Draft:
    """At most `count` queries, spread over the sources `by` (default: all) and over documents.

    Equal arguments give equal sets, a larger `count` a larger one that holds the smaller. What `existing` has taken
    out of its passages stays out. Raises PluginError for an unknown source.
    """
    made = Draft([])
    for name in by:
        plugins.load(MAKERS, name)
    lists = []
    for name in by or sources() if count else ():
        found = list(plugins.load(MAKERS, name).propose(passages))
        made.proposed[name] = len(found)
        lists.append([(name, proposal) for proposal in _spread(found, random.Random(f"{seed} {name}"))])
    before = {p.id: existing.rows[p.id] for p in passages.all if _same(existing.rows.get(p.id), p)}
    texts = {p.id: str(before[p.id]["text"]) if p.id in before else p.text for p in passages.all}
    titles = {p.id: str(before[p.id]["title"] if p.id in before else p.title).split(JOIN) for p in passages.all}
    twins = _twins(passages.all)
    taken: dict[str, Query] = {}
    for name, proposal in _turns(lists):
        if len(taken) == count:
            break
        key = query_id(proposal.query)
        is_there = key in existing.queries
        if key in taken or not (is_there or all(hidden in texts[p] for p, hidden in proposal.hides)):
            continue
        for passage, hidden in proposal.hides:
            texts[passage] = texts[passage].replace(hidden, "")
        for passage in proposal.relevant:
            titles[passage] = [t for t in titles[passage] if plain(t).lower() != proposal.query.lower()]
        relevant = dict.fromkeys((twin for passage in proposal.relevant for twin in twins[passage]), 1)
        query = Query(proposal.query, relevant, name)
        taken[query.id] = query
    made.queries = list(taken.values())
    made.corpus = [
        record(passage, JOIN.join(titles[passage.id]), texts[passage.id].strip()) for passage in passages.all
    ]
    return made


def record(passage: Passage, title: str, text: str) -> dict[str, Any]:
    """As it is written: with the digest of what stood there before anything was taken out."""
    return {"_id": passage.id, "title": title, "text": text, "metadata": {"digest": passage.digest}}


def _same(row: Mapping[str, Any] | None, passage: Passage) -> bool:
    return row is not None and (row.get("metadata") or {}).get("digest") == passage.digest


def _spread(proposals: Iterable[Proposal], chance: random.Random) -> Iterator[Proposal]:
    """In turns over documents, which are in random order, as are the proposals of each."""
    groups: dict[str, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        groups[proposal.document].append(proposal)
    lists = list(groups.values())
    for group in lists:
        chance.shuffle(group)
    chance.shuffle(lists)
    return _turns(lists)


def _turns(lists: Iterable[Iterable[_T]]) -> Iterator[_T]:
    """The first of each, the second of each, ..."""
    nothing = object()
    for turn in zip_longest(*lists, fillvalue=nothing):
        for item in turn:
            if item is not nothing:
                yield item  # type: ignore[misc]


def _twins(passages: Sequence[Passage]) -> Mapping[str, Sequence[str]]:
    """Passage id to all passages of the same text: each of them is as good an answer."""
    same: dict[str, list[str]] = defaultdict(list)
    for passage in passages:
        same[" ".join(passage.text.split())].append(passage.id)
    return {name: names for names in same.values() for name in names}


def passages_at(place: str, ids: Sequence[str]) -> list[str]:
    """Which passages a user means by ``docs/a.md#L10-40``, by a whole file, or by a passage's own id."""
    if place in ids:
        return [place]
    wanted = Place.parse(place.removeprefix("./"))
    return [found.name for found in covering(wanted, [Place.parse(name) for name in ids if wanted.path in name])]


def labelled(file: Any, ids: Sequence[str]) -> tuple[list[Query], list[str]]:
    """The user's own judgments or saved queries, as JSON lines: queries, and places that are not among `ids`.

    A query that comes again is merged. Raises JudgedSetError with file and line.
    """
    expected = '{"query": "...", "relevant_docs": ["docs/a.md#L10-40", ...]} or "clicked"'
    merged: dict[str, tuple[str, dict[str, int], str]] = {}
    unknown = []
    for number, row in json_lines(file, expected):
        key = next((key for key in KEYS if key in row), "")
        named: Any = row.get(key)
        is_list = isinstance(named, list) and all(isinstance(place, str) for place in named)
        graded: Any = dict.fromkeys(named, 1) if is_list else named
        query = row.get("query")
        if (
            not isinstance(query, str)
            or not query.strip()
            or not isinstance(graded, dict)
            or not all(type(grade) is int and abs(grade) <= MOST_GRADE for grade in graded.values())
        ):
            raise JudgedSetError(f"{file}:{number}: expected {expected}, found {str(row)[:60]!r}.")
        source = "log" if key == "clicked" else "label"
        relevant = merged.setdefault(query_id(query), (query.strip(), {}, source))[1]
        for place, grade in graded.items():
            found = passages_at(place, ids)
            unknown += [] if found else [place]
            relevant.update({name: int(grade) for name in found})
    return [Query(text, relevant, source) for text, relevant, source in merged.values() if relevant], unknown
