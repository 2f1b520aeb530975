"""What each stage that asks for more, or counts chunks together, gains and costs: nDCG@10 beside the default search.

    python -m benchmarks.expansion [--only NAME] [--json]

Queries of people alone: SciFact test and train, XQuAD in two languages, and the 120 questions on three documentation
trees. `ours` is with the stage, `peer` the default search without it; the row says how sure the difference is. The
stages of a chat model are left out, because none runs here. The pages of the trees are the documents where chunks of a
document count together. Milliseconds are of searches over the exact store, without the embedding of the query.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import DATA, MODEL, ROOT, WORK, Row, report
from benchmarks.made_queries import TREES, judged
from embassay.embedders.providers.local import open_local
from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.judge.draft import JudgedDraft
from embassay.evaluate.judge.labelled import read_labels
from embassay.evaluate.judge.make import make_draft
from embassay.evaluate.judge.passages import read_passages
from embassay.evaluate.score.filling import Filled, asked_anew, fill
from embassay.evaluate.score.metrics import per_query
from embassay.evaluate.score.ranking import rank_documents
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.stores.opening import temporary_stores
from embassay.types import Document

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet

METRIC = "nDCG@10"
ARMS, END = "dense(100) | lexical(100)", "top(10)"
EXPANDED = ("prf(10)", "prf(5, weight=0.5)", "prf(10, beta=0)", "prf(10, weight=1)")
"""Before the stage that joins the arms."""
ORDERED = ("mmr(0.7)", "dedupe(0.97)")
"""Behind it."""
GROUPED = ('group("document", rest=0.1)', 'group("document", rest=0.3)', 'group("document", rest=0.5)')
"""Where a page is a document of many chunks."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", metavar="NAME", default="", help="sets whose name has this in it")
    chosen = parser.parse_args()
    report("expansion", [*rows(chosen.only)], chosen.json, peer="default")


def rows(only: str = "") -> Iterator[Row]:
    """A row for each stage and set whose name has `only` in it."""
    WORK.mkdir(parents=True, exist_ok=True)
    scifact = read_judged(DATA / "scifact", "test")
    sets = {"SciFact": [scifact, read_judged(DATA / "scifact", "train")]}
    for language in ("en", "de"):
        sets[f"XQuAD {language}"] = [read_judged(DATA / "xquad" / language, "test_mteb")]
    stages = [*EXPANDED, *ORDERED]
    for name, several in sets.items():
        if only in name:
            yield from measured(name, several, stages)
    for tree in TREES:
        if only in tree:
            asked = questions(tree)
            yield from measured(tree, [asked], stages)
            yield from measured(f"{tree} by page", [by_page(asked)], GROUPED, chunks=True)


def questions(tree: str) -> JudgedSet:
    """The forty questions of users on the passages of a documentation tree."""
    root = DATA / "docs" / tree
    draft: JudgedDraft = make_draft(read_passages([root], lambda file: file.relative_to(root).as_posix()), 0)
    places = [row["_id"] for row in draft.corpus]
    draft.queries, _ = read_labels(ROOT / "benchmarks" / "questions" / f"{tree}.jsonl", places)
    return judged(draft, tree)


def by_page(asked: JudgedSet) -> JudgedSet:
    """The same questions, where the page that holds the answer is looked for."""
    pages: dict[str, list[str]] = {}
    for document in asked.documents:
        pages.setdefault(document.id.partition("#")[0], []).append(f"{document.title}\n{document.text}")
    documents = tuple(Document(name, name, "\n\n".join(texts), "markdown") for name, texts in pages.items())
    qrels: dict[str, dict[str, int]] = {}
    for query, grades in asked.qrels.items():
        own = qrels.setdefault(query, {})
        for place, grade in grades.items():
            page = place.partition("#")[0]
            own[page] = max(own.get(page, 0), grade)
    return replace(asked, documents=documents, qrels=qrels)


def measured(
    name: str, several: list[JudgedSet], stages: list[str] | tuple[str, ...], *, chunks: bool = False
) -> Iterator[Row]:
    """Sets of the same documents, which are embedded once."""
    embedder = open_local(MODEL, precision="int8")
    first = several[0]
    with temporary_stores("memory", WORK) as new_store:
        store = new_store(embedder.space.dimensions, embedder.space.similarity, first.language)
        filled = fill(first, embedder, store, chunks=chunks)
        for data in several:
            own = filled if data is first else asked_anew(filled, data)
            title = name if len(several) == 1 else f"{name} {'test' if data is first else 'train'}"
            yield from compared(title, own, stages)


def compared(title: str, filled: Filled, stages: list[str] | tuple[str, ...]) -> Iterator[Row]:
    fusion = str(pipeline().stages[0])
    plain, plain_ms = scores(filled, f"{ARMS} >> {fusion} >> {END}")
    for stage in stages:
        asks = stage in EXPANDED
        text = " >> ".join([ARMS, *([stage, fusion] if asks else [fusion, stage]), END])
        found, milliseconds = scores(filled, text)
        change = np.array([[found[query] - plain[query]] for query in plain])
        (one,) = differences(change)
        what = f"{title}, {stage} [{one.low:+.3f}, {one.high:+.3f}] {milliseconds - plain_ms:+.1f} ms"
        ours, theirs = statistics.fmean(found.values()), statistics.fmean(plain.values())
        yield Row(what, ours, theirs, ours / theirs, METRIC, "reported", None)


def scores(filled: Filled, text: str) -> tuple[Mapping[str, float], float]:
    """The metric of each query, and the median of the milliseconds of a search."""
    made = rank_documents(filled, parse_pipeline(text))
    each = per_query(filled.judged.qrels, made.scored(), (METRIC,))
    return {query: found[METRIC] for query, found in each.items()}, statistics.median(made.search_ms.values())


if __name__ == "__main__":
    main()
