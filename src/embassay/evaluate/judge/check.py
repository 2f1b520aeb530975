"""Whether a judged set can be trusted, and what it is able to show."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from embassay.evaluate.compare.statistics import detectable
from embassay.evaluate.compare.verdict import MIN_EFFECT, MIN_QUERIES
from embassay.evaluate.data.formats import beir
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.judge.makers import WORDS, telling
from embassay.evaluate.score.metrics import mean, per_query
from embassay.evaluate.score.ranking import Run
from embassay.stores.backends.memory import MemoryStore
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Document

DEVIATIONS = {"another precision of one model": 0.05, "another model or pipeline": 0.25}
"""Standard deviation of per-query differences in nDCG@10, as `python -m benchmarks.verdicts` finds them on SciFact:
0.04 between bf16 and int8, 0.26 between dense and hybrid. Every comparison states its own."""
NEAR = 0.8
"""Queries that share this part of their words (Jaccard) are near-duplicates."""
COPIED_WORDS = 5
"""So many words of an answer in a row are copied, not thought of."""
COPIED_SHARE = 0.3
"""Of the queries; more of them make a set that tells little about people's questions."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. A problem makes figures wrong; a warning makes them weak."""

    level: Literal["problem", "warning"]
    check: str
    message: str
    examples: Sequence[str] = ()


@dataclass(slots=True)
class Report:
    """What a judged set is made of."""

    name: str
    queries: int
    documents: int
    judgments: int
    relevant_per_query: float
    sources: Mapping[str, int]
    """How queries were made, to how many."""
    overlap: float
    """Mean share of a query's telling words that stand in the best of its answers."""
    copied: float
    """Share of the queries with `COPIED_WORDS` words of an answer in a row."""
    judged_at_10: float
    """Share of the first ten BM25 hits that somebody judged."""
    detectable: Mapping[str, float | None]
    """For each of `DEVIATIONS` the least true difference in nDCG@10 that is found with 80 % power."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not any(finding.level == "problem" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "findings"}
        listed = [
            {"level": f.level, "check": f.check, "message": f.message, "examples": list(f.examples)}
            for f in self.findings
        ]
        return plain | {"sources": dict(self.sources), "detectable": dict(self.detectable), "findings": listed}


def check(path: Path, split: str | None = None) -> Report:
    """Read a judged set and look for what would mislead. Raises JudgedSetError for what cannot be read at all."""
    judged = read_judged(path, split, strict=False)
    known = judged.by_id
    answers = {
        query: [known[d] for d, grade in grades.items() if grade > 0 and d in known]
        for query, grades in judged.qrels.items()
    }
    overlaps = [_overlap(text, answers[query]) for query, text in judged.queries.items()]
    copied = [query for query, text in judged.queries.items() if _is_copied(text, answers[query])]
    bm25 = mean(per_query(judged.qrels, _lexical(judged).scored(), ["Judged@10"]))["Judged@10"]
    count = len(judged.queries)
    relevant = [sum(grade > 0 for grade in grades.values()) for grades in judged.qrels.values()]
    found = {what: detectable(count, deviation, min_effect=MIN_EFFECT) for what, deviation in DEVIATIONS.items()}
    report = Report(
        judged.name,
        count,
        len(judged.documents),
        sum(map(len, judged.qrels.values())),
        sum(relevant) / count,
        Counter(judged.sources.get(query, "not said") for query in judged.queries),
        sum(overlaps) / count,
        len(copied) / count,
        bm25,
        {what: value if value <= 1 else None for what, value in found.items()},
    )
    report.findings = [*_findings(judged, copied, path, split)]
    report.findings.sort(key=lambda finding: finding.level)
    return report


def _findings(judged: JudgedSet, copied: Sequence[str], path: Path, split: str | None) -> Iterator[Finding]:
    if judged.unknown:
        listed = [f"{query}: {document}" for query, document in judged.unknown]
        yield _finding("problem", "unknown", "{} judgments name a query or document that is not there", listed)
    yield from _leaks(judged, path, split)
    if judged.unanswered:
        message = "{} queries have no relevant document; they are not asked"
        yield _finding("warning", "no answer", message, judged.unanswered)
    if blank := [document.id for document in judged.documents if not document.text.strip()]:
        yield _finding("warning", "blank documents", "{} documents have no text", blank)
    if twins := _unjudged_twins(judged):
        message = "{} documents say the same as a relevant one, and are not judged"
        yield _finding("warning", "duplicate documents", message, twins)
    if same := _same(judged.queries):
        listed = [judged.queries[query] for query in same]
        yield _finding("warning", "duplicate queries", "{} queries repeat another one and count twice", listed)
    if near := _near(judged.queries):
        listed = [f"{judged.queries[a]} / {judged.queries[b]}" for a, b in near]
        yield _finding("warning", "near-duplicates", "{} pairs of queries say nearly the same", listed)
    if judged.unjudged:
        yield _finding(
            "warning", "unjudged queries", "{} queries have no judgment; they are not asked", judged.unjudged
        )
    if len(copied) / len(judged.queries) > COPIED_SHARE:
        message = "{} queries repeat words of their answers, which flatters BM25 and every model"
        yield _finding("warning", "copied", message, [judged.queries[query] for query in copied])
    if len(judged.queries) < MIN_QUERIES:
        least = f"{len(judged.queries)} queries are too few for a verdict; {MIN_QUERIES} are the least"
        yield Finding("warning", "few queries", least)


def _finding(level: Literal["problem", "warning"], name: str, message: str, listed: Sequence[str]) -> Finding:
    return Finding(level, name, message.format(f"{len(listed):,}"), tuple(listed[:SHOWN]))


def _leaks(judged: JudgedSet, path: Path, split: str | None) -> Iterator[Finding]:
    """Queries that another split has too: whoever trained on one has seen the other."""
    if not beir.claims(path):
        return
    here = {_normal(text) for text in judged.queries.values()}
    read = split or judged.name.rpartition("/")[2]
    for other in beir.splits(path):
        if other == read:
            continue
        shared = [t for t in read_judged(path, other, strict=False).queries.values() if _normal(t) in here]
        if shared:
            yield _finding("problem", "leakage", f"{{}} queries of {read!r} are in {other!r} too", shared)


def _normal(text: str) -> str:
    return " ".join(WORDS.findall(text.lower()))


def _same(texts: Mapping[str, str]) -> list[str]:
    """Ids whose text somebody else before them has."""
    seen: set[str] = set()
    found = []
    for name, text in texts.items():
        normal = _normal(text)
        if normal and normal in seen:
            found.append(name)
        seen.add(normal)
    return found


def _unjudged_twins(judged: JudgedSet) -> list[str]:
    """Documents that would answer a query as well as one that is judged relevant, word for word."""
    texts = {d.id: _normal(d.text) for d in judged.documents}
    twins: dict[str, list[str]] = defaultdict(list)
    for name, text in texts.items():
        twins[text].append(name)
    return list(
        dict.fromkeys(
            twin
            for grades in judged.qrels.values()
            for document, grade in grades.items()
            if grade > 0 and document in texts
            for twin in twins[texts[document]]
            if twin not in grades
        )
    )


def _near(queries: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs that share most of their words and are not the same; words by which nothing is told apart are left out."""
    words = {name: frozenset(telling(text)) for name, text in queries.items()}
    by_word: dict[str, list[str]] = defaultdict(list)
    found = []
    for name, own in words.items():
        shared = Counter(other for word in own for other in by_word[word])
        for other, count in shared.items():
            union = len(own) + len(words[other]) - count
            if count / union >= NEAR and _normal(queries[name]) != _normal(queries[other]):
                found.append((other, name))
        for word in own:
            by_word[word].append(name)
    return found


def _overlap(query: str, answers: Sequence[Document]) -> float:
    words = set(telling(query))
    shared = [len(words & set(telling(f"{d.title} {d.text}"))) for d in answers]
    return max(shared, default=0) / len(words) if words else 0.0


def _is_copied(query: str, answers: Sequence[Document]) -> bool:
    """Whether several of its words stand in a row in an answer, or all of a shorter query."""
    words = WORDS.findall(query.lower())
    length = min(COPIED_WORDS, len(words))
    if length < 2:
        return False
    runs = [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
    texts = [f" {_normal(f'{d.title} {d.text}')} " for d in answers]
    return any(f" {run} " in text for run in runs for text in texts)


def _lexical(judged: JudgedSet) -> Run:
    """The first ten of BM25."""
    import numpy as np

    store = MemoryStore(1)
    rows = [
        Chunk(d.id, d.id, d.path, "", re.sub(r"\s+", " ", f"{d.title} {d.text}"), 0, (1, 1), (0, 0), 0)
        for d in judged.documents
    ]
    store.upsert(rows, np.zeros((len(rows), 1), np.float32))
    found = store.snapshot()
    return Run(
        {
            query: [chunk.document for chunk in found.fetch([hit.ref for hit in found.lexical(text, 10)])]
            for query, text in judged.queries.items()
        }
    )
