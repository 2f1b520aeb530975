"""Judged sets from own documents: which of the proposed queries are taken, and what is left of the passages."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from embassay import plugins
from embassay.evaluate.judge.base import Proposal, QueryMaker
from embassay.evaluate.judge.draft import NOTHING, Existing, JudgedDraft, Query, digest_of, query_id, record
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.evaluate.judge.phrases import plain
from embassay.ingest.chunk import JOIN

_T = TypeVar("_T")
MAKERS = "embassay.evaluate.judge.makers"


def sources() -> tuple[str, ...]:
    """The names of what queries can be made of without anybody's help."""
    return plugins.names(MAKERS)


def make_draft(
    passages: Passages, count: int, by: Sequence[str] = (), seed: int = 0, existing: Existing = NOTHING
) -> JudgedDraft:
    """Choose at most `count` queries, spread over the sources `by` (by default all) and over documents.

    What `LAST` makers propose is taken where the others leave the number open. Equal arguments give equal sets, and a
    larger `count` a larger set that holds the smaller one. What was taken out of the passages of `existing` stays out.
    Raises PluginError for an unknown source.
    """
    made = JudgedDraft([])
    makers: list[tuple[str, QueryMaker]] = [(name, plugins.load(MAKERS, name)) for name in _with_twins(by or sources())]
    first: list[list[tuple[str, Proposal]]] = []
    last: list[list[tuple[str, Proposal]]] = []
    for name, maker in makers if count else ():
        found = list(maker.propose(passages))
        made.proposed[name] = len(found)
        spread = [(name, proposal) for proposal in _spread(found, random.Random(f"{seed} {name}"))]
        (last if getattr(maker, "LAST", False) else first).append(spread)
    corpus = _Corpus(passages, existing)
    twins = _twins(passages.all)
    taken: dict[str, Query] = {}
    for name, proposal in chain(_turns(first), _turns(last)):
        if len(taken) == count:
            break
        key = query_id(proposal.query)
        if key in taken or not (key in existing.queries or corpus.has(proposal.hides)):
            continue
        corpus.hide(proposal)
        relevant = dict.fromkeys((twin for passage in proposal.relevant for twin in twins[passage]), 1)
        query = Query(proposal.query, relevant, name, kind=proposal.kind)
        taken[query.id] = query
    made.queries = list(taken.values())
    made.corpus = [
        record(passage, JOIN.join(corpus.titles[passage.id]), corpus.texts[passage.id].strip())
        for passage in passages.all
    ]
    return made


def _with_twins(names: Sequence[str]) -> list[str]:
    """Sources, each with the one that does the same for the other sort of documents, manuals or articles."""
    twins = {name: getattr(plugins.load(MAKERS, name), "TWIN", name) for name in names}
    return list(dict.fromkeys(name for pair in twins.items() for name in pair))


class _Corpus:
    """The passages as they will be written: queries are taken out of them one after the other."""

    def __init__(self, passages: Passages, existing: Existing) -> None:
        self.texts: dict[str, str] = {}
        self.titles: dict[str, list[str]] = {}
        for passage in passages.all:
            row = existing.rows.get(passage.id)
            before = row if row is not None and digest_of(row) == passage.digest else None
            self.texts[passage.id] = str(before["text"]) if before else passage.text
            self.titles[passage.id] = str(before["title"] if before else passage.title).split(JOIN)

    def has(self, hides: Iterable[tuple[str, str]]) -> bool:
        """Whether all that is to be taken out is still there."""
        return all(hidden in self.texts[passage] for passage, hidden in hides)

    def hide(self, proposal: Proposal) -> None:
        """Take out what a query was taken from, and titles that say the same."""
        for passage, hidden in proposal.hides:
            self.texts[passage] = self.texts[passage].replace(hidden, "")
        for passage in proposal.relevant:
            titles = self.titles[passage]
            said = (proposal.said or proposal.query).lower()
            self.titles[passage] = [t for t in titles if plain(t).lower() != said]


def _spread(proposals: Iterable[Proposal], chance: random.Random) -> Iterator[Proposal]:
    """The proposals in turns over their documents, which are in random order, as are the proposals of each."""
    groups: dict[str, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        groups[proposal.document].append(proposal)
    lists = list(groups.values())
    for group in lists:
        chance.shuffle(group)
    chance.shuffle(lists)
    return _turns(lists)


def _turns(lists: Iterable[Iterable[_T]]) -> Iterator[_T]:
    """The first item of each list, then the second of each, and so on."""
    nothing = object()
    for turn in zip_longest(*lists, fillvalue=nothing):
        for item in turn:
            if item is not nothing:
                yield item  # type: ignore[misc]


def _twins(passages: Sequence[Passage]) -> Mapping[str, Sequence[str]]:
    """Passage id to the ids of all passages with the same text: each of them is as good an answer."""
    same: dict[str, list[str]] = defaultdict(list)
    for passage in passages:
        same[" ".join(passage.text.split())].append(passage.id)
    return {name: names for names in same.values() for name in names}
