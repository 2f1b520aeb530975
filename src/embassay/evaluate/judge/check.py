"""Whether a judged set can be trusted, and what it is able to show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from embassay.evaluate.compare.statistics import detectable
from embassay.evaluate.compare.verdict import MIN_EFFECT, MIN_QUERIES
from embassay.evaluate.data import layout
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.data.origins import origin_of, source_of, sources_of
from embassay.evaluate.judge.duplicates import (
    is_copied,
    near_queries,
    repeated_queries,
    shared_words,
    unjudged_twins,
)
from embassay.evaluate.judge.phrases import normalised
from embassay.evaluate.score.metrics import mean, per_query
from embassay.evaluate.score.ranking import Run
from embassay.stores.opening import exact_store
from embassay.stores.values import VECTOR
from embassay.types import Chunk
from embassay.words.questions import is_question

DEVIATIONS = {"another precision of one model": 0.05, "another model or pipeline": 0.25}
"""Standard deviation of per-query differences in nDCG@10, as `python -m benchmarks.verdicts` finds them on SciFact:
0.04 between bf16 and int8, 0.26 between dense and hybrid. Every comparison states its own."""
COPIED_SHARE = 0.3
"""Of the queries; more of them make a set that tells little about people's questions."""
SHOWN = 3


@dataclass(frozen=True, slots=True)
class JudgedFinding:
    """One thing to know about a judged set. A problem makes figures wrong; a warning makes them weak."""

    level: Literal["problem", "warning"]
    check: str
    """Which check speaks."""
    message: str
    examples: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class JudgedReport:
    """What a judged set is made of, and what is to be known about it."""

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
    findings: Sequence[JudgedFinding] = ()

    @property
    def ok(self) -> bool:
        """Whether figures on this set are right, however weak."""
        return not any(finding.level == "problem" for finding in self.findings)

    def to_dict(self) -> dict[str, object]:
        """The report as the JSON output has it."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name != "findings"}
        listed = [
            {"level": f.level, "check": f.check, "message": f.message, "examples": list(f.examples)}
            for f in self.findings
        ]
        return plain | {"sources": dict(self.sources), "detectable": dict(self.detectable), "findings": listed}


def check_judged_set(path: Path, split: str | None = None) -> JudgedReport:
    """Read a judged set and look for what would mislead. Raises JudgedSetError for what cannot be read at all."""
    judged = read_judged(path, split, strict=False)
    known = judged.by_id
    answers = {
        query: [known[d] for d, grade in grades.items() if grade > 0 and d in known]
        for query, grades in judged.qrels.items()
    }
    language = judged.language
    overlaps = [shared_words(text, answers[query], language) for query, text in judged.queries.items()]
    copied = [query for query, text in judged.queries.items() if is_copied(text, answers[query])]
    bm25 = mean(per_query(judged.qrels, _lexical(judged, language).scored(), ["Judged@10"]))["Judged@10"]
    count = len(judged.queries)
    relevant = [sum(grade > 0 for grade in grades.values()) for grades in judged.qrels.values()]
    found = {what: detectable(count, deviation, min_effect=MIN_EFFECT) for what, deviation in DEVIATIONS.items()}
    findings = [*_findings(judged, copied, language), *_leaks(judged, path, split)]
    return JudgedReport(
        judged.name,
        count,
        len(judged.documents),
        sum(map(len, judged.qrels.values())),
        sum(relevant) / count,
        sources_of(judged, judged.queries),
        sum(overlaps) / count,
        len(copied) / count,
        bm25,
        {what: value if value <= 1 else None for what, value in found.items()},
        sorted(findings, key=lambda finding: finding.level),
    )


def _findings(judged: JudgedSet, copied: Sequence[str], language: str) -> Iterator[JudgedFinding]:
    if judged.unknown:
        listed = [f"{query}: {document}" for query, document in judged.unknown]
        yield _finding("problem", "unknown", "{} judgments name a query or document that is not there", listed)
    if judged.unanswered:
        message = "{} queries have no relevant document; they are not asked"
        yield _finding("warning", "no answer", message, judged.unanswered)
    if blank := [document.id for document in judged.documents if not document.text.strip()]:
        yield _finding("warning", "blank documents", "{} documents have no text", blank)
    if twins := unjudged_twins(judged):
        message = "{} documents say the same as a relevant one, and are not judged"
        yield _finding("warning", "duplicate documents", message, twins)
    if same := repeated_queries(judged.queries):
        listed = [judged.queries[query] for query in same]
        yield _finding("warning", "duplicate queries", "{} queries repeat another one and count twice", listed)
    if near := near_queries(judged.queries, language):
        listed = [f"{judged.queries[a]} / {judged.queries[b]}" for a, b in near]
        yield _finding("warning", "near-duplicates", "{} pairs of queries say nearly the same", listed)
    if judged.unjudged:
        yield _finding(
            "warning", "unjudged queries", "{} queries have no judgment; they are not asked", judged.unjudged
        )
    if not any(_is_asked(judged, query, language) for query in judged.queries):
        message = "none of the {} queries is a question, and the set does not say that people asked them"
        yield _finding("warning", "no questions", message, list(judged.queries.values()))
    if len(copied) / len(judged.queries) > COPIED_SHARE:
        message = "{} queries repeat words of their answers, which flatters BM25 and every model"
        yield _finding("warning", "copied", message, [judged.queries[query] for query in copied])
    if len(judged.queries) < MIN_QUERIES:
        least = f"{len(judged.queries)} queries are too few for a verdict; {MIN_QUERIES} are the least"
        yield JudgedFinding("warning", "few queries", least)


def _is_asked(judged: JudgedSet, query: str, language: str) -> bool:
    """Whether a query is a question, or people asked it."""
    return origin_of(source_of(judged, query)) == "people" or is_question(judged.queries[query], language)


def _finding(level: Literal["problem", "warning"], name: str, message: str, listed: Sequence[str]) -> JudgedFinding:
    return JudgedFinding(level, name, message.format(f"{len(listed):,}"), tuple(listed[:SHOWN]))


def _leaks(judged: JudgedSet, path: Path, split: str | None) -> Iterator[JudgedFinding]:
    """One finding for each other split that has some of the same queries: a model trained on it has seen them."""
    if not layout.is_layout(path):
        return
    here = {normalised(text) for text in judged.queries.values()}
    read = split or judged.name.rpartition("/")[2]
    for other in layout.splits_of(path):
        if other == read:
            continue
        shared = [t for t in read_judged(path, other, strict=False).queries.values() if normalised(t) in here]
        if shared:
            yield _finding("problem", "leakage", f"{{}} queries of {read!r} are in {other!r} too", shared)


def _lexical(judged: JudgedSet, language: str) -> Run:
    """For each query the first ten documents that BM25 finds."""
    import numpy as np

    store = exact_store(1, language=language)
    rows = [
        Chunk(d.id, d.id, d.path, "", re.sub(r"\s+", " ", f"{d.title} {d.text}"), 0, (1, 1), (0, 0), 0)
        for d in judged.documents
    ]
    store.upsert(rows, {VECTOR: np.zeros((len(rows), 1), np.float32)})
    found = store.snapshot()
    return Run(
        {
            query: [chunk.document for chunk in found.fetch([hit.ref for hit in found.lexical(text, 10)])]
            for query, text in judged.queries.items()
        }
    )
