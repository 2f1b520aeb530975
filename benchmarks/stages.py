"""What each stage of a search gains and costs, beside the default search: the table of the page "Which switch when".

    python -m benchmarks.stages [--only NAME] [--without-cost] [--json]

Gains are nDCG@10 on queries of people alone: SciFact test and train, XQuAD in two languages, and the 120 questions on
three documentation trees; where chunks of a document count together, the pages of the trees are the documents. `ours`
is with the stage, `default` without it, and the row says how sure the difference is. Stages of a chat model are left
out, because none runs here. Costs are milliseconds of a search over 107,525 rows in process, as indexed, without the
embedding of the query; every search with a stage is followed by the default one.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import embassay
from benchmarks import fusion
from benchmarks.common import DATA, MODEL, Row, jsonl, report
from benchmarks.ingest import GLOSSES_HOME, index_anew
from benchmarks.made_queries import TREES
from embassay.embedders.providers.local import open_local
from embassay.evaluate.compare.alterations import typos
from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.score.filling import asked_anew, fill
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.stores.opening import exact_store
from embassay.types import Document

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.evaluate.data.judged import JudgedSet

ARMS, JOINED, END = "dense(100) | lexical(100)", str(pipeline().stages[0]), "top(10)"
DEFAULT = f"{ARMS} >> {JOINED} >> {END}"
STAGES = {
    "--mode dense": f"dense(100) >> {END}",
    "--mode lexical": f"lexical(100) >> {END}",
    "--fusion rrf": f"{ARMS} >> rrf(60) >> {END}",
    "--fusion convex": f"{ARMS} >> convex(0.75) >> {END}",
    "--fusion zscore": f"{ARMS} >> zscore(0.5) >> {END}",
    "--mode two_stage": f"coarse(100, dims=64) >> exact >> {END}",
    "lexical(100, title=2)": f"dense(100) | lexical(100, title=2) >> {JOINED} >> {END}",
    "prf(10)": f"{ARMS} >> prf(10) >> {JOINED} >> {END}",
    "prf(5, weight=0.5)": f"{ARMS} >> prf(5, weight=0.5) >> {JOINED} >> {END}",
    "spell": f"{ARMS} >> spell >> {JOINED} >> {END}",
    "maxsim(60)": f"{ARMS} >> {JOINED} >> maxsim(60) >> {END}",
    "mmr(0.7)": f"{ARMS} >> {JOINED} >> mmr(0.7) >> {END}",
    "dedupe(0.97)": f"{ARMS} >> {JOINED} >> dedupe(0.97) >> {END}",
}
"""Each as it is asked for, and the pipeline of it."""
GROUPED = {
    'group("document", rest=0.1)': f'{ARMS} >> {JOINED} >> group("document", rest=0.1) >> {END}',
    'group("document", rest=0.3)': f'{ARMS} >> {JOINED} >> group("document", rest=0.3) >> {END}',
    "siblings(50) and mean=3": f'{ARMS} >> siblings(50) >> {JOINED} >> group("document", mean=3) >> {END}',
    "siblings(50) and smooth=0.25": f'{ARMS} >> siblings(50) >> {JOINED} >> group("document", smooth=0.25) >> {END}',
}
"""Where a page is a document of many chunks."""
SPELT = {"spell, of queries with slips": f"{ARMS} >> spell >> {JOINED} >> {END}"}
"""Queries in which a word of five has one."""
FREE = ("maxsim(60)",)
"""What costs something else than the time of the search: the tokens are kept, or read by the model."""
COARSE = 64
ASKED = 100
SETS: Mapping[str, Sequence[str]] = {
    "SciFact": fusion.SCIFACT,
    "XQuAD en": ("xquad en",),
    "XQuAD de": ("xquad de",),
    **{tree: (tree,) for tree in TREES},
}
"""Judged sets of the same documents, which are embedded once."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", metavar="NAME", default="", help="sets whose name has this in it")
    parser.add_argument("--without-cost", action="store_true", help="leave out the searches over 107,525 rows")
    chosen = parser.parse_args()
    rows = [*gains(chosen.only)]
    report("stages", rows if chosen.without_cost else [*rows, *costs()], chosen.json, peer="default")


def gains(only: str = "") -> Iterator[Row]:
    """A row for each stage and judged set whose name has `only` in it, then the mean of each stage."""
    embedder = open_local(MODEL, precision="int8")
    changes: dict[str, list[float]] = {}
    for name, parts in SETS.items():
        if only not in name:
            continue
        several = {part: fusion.read(part) for part in parts}
        for row in (*measured(several, embedder, STAGES), *slips(several, embedder), *pages(several, embedder)):
            changes.setdefault(row.what.partition(", ")[2].partition(" [")[0], []).append(row.ours - (row.peer or 0))
            yield row
    for stage, found in changes.items():
        what = f"{stage}: mean of {len(found)} sets, from {min(found):+.3f} to {max(found):+.3f}"
        yield Row(what, statistics.fmean(found), None, None, fusion.METRIC, "reported", None)


def slips(several: Mapping[str, JudgedSet], embedder: Embedder) -> Iterator[Row]:
    """What reading words as near ones gains where the queries have slips of the keys, as `compare --robustness` makes
    them."""
    slipped = {}
    for name, asked in several.items():
        queries = {
            query: typos(text, random.Random(f"typos {text}"), asked.language) for query, text in asked.queries.items()
        }
        slipped[name] = replace(asked, queries=queries)
    yield from measured(slipped, embedder, SPELT)


def pages(several: Mapping[str, JudgedSet], embedder: Embedder) -> Iterator[Row]:
    """What counting the chunks of a page together gains, where the documents have pages."""
    for name, asked in several.items():
        if name in TREES:
            yield from measured({f"{name} by page": by_page(asked)}, embedder, GROUPED, chunks=True)


def by_page(asked: JudgedSet) -> JudgedSet:
    """The same questions, where the page that holds the answer is looked for."""
    texts: dict[str, list[str]] = {}
    for document in asked.documents:
        texts.setdefault(document.id.partition("#")[0], []).append(f"{document.title}\n{document.text}")
    documents = tuple(Document(name, name, "\n\n".join(own), "markdown") for name, own in texts.items())
    qrels: dict[str, dict[str, int]] = {}
    for query, grades in asked.qrels.items():
        own = qrels.setdefault(query, {})
        for place, grade in grades.items():
            page = place.partition("#")[0]
            own[page] = max(own.get(page, 0), grade)
    return replace(asked, documents=documents, qrels=qrels)


def measured(
    several: Mapping[str, JudgedSet], embedder: Embedder, stages: Mapping[str, str], *, chunks: bool = False
) -> Iterator[Row]:
    """A row for each stage and set, all of the same documents."""
    first = next(iter(several.values()))
    store = exact_store(embedder.space.dimensions, embedder.space.similarity, first.language)
    filled = fill(first, embedder, store, chunks=chunks)
    for name, judged in several.items():
        own = filled if judged is first else asked_anew(filled, judged)
        plain = fusion.of_each(own, parse_pipeline(DEFAULT))
        for stage, text in stages.items():
            found = fusion.of_each(own, parse_pipeline(text))
            (change,) = differences((found - plain)[:, None])
            what = f"{name}, {stage} [{change.low:+.3f}, {change.high:+.3f}]"
            ratio = float(found.mean() / plain.mean())
            yield Row(what, float(found.mean()), float(plain.mean()), ratio, fusion.METRIC, "reported", None)
    store.close()


def costs() -> list[Row]:
    """Milliseconds of a search with each stage, and of the default one that follows it."""
    if not GLOSSES_HOME.is_dir():
        index_anew(DATA / "wordnet-glosses" / "corpus.jsonl", GLOSSES_HOME)
    queries = [row["text"] for row in jsonl("xquad/en/queries.jsonl")][:ASKED]
    with embassay.open(GLOSSES_HOME) as home:
        home.set(home.default_set).fit_coarse(COARSE)
        return [cost(home, stage, text, queries) for stage, text in STAGES.items() if stage not in FREE]


def cost(home: embassay.Home, stage: str, text: str, queries: Sequence[str]) -> Row:
    """One of them."""
    ours, theirs = [], []
    for query in (queries[0], *queries):
        ours.append(own_milliseconds(home, query, text))
        theirs.append(own_milliseconds(home, query, DEFAULT))
    mine, default = (statistics.median(found[1:]) for found in (ours, theirs))
    return Row(f"{stage}: a search", mine, default, mine / default, "ms", "reported", None)


def own_milliseconds(home: embassay.Home, query: str, text: str) -> float:
    """Of one search, without those in which a model made vectors."""
    result = home.search(query, pipeline=text)
    return result.took_ms - sum(step.model_ms for step in result.trace)


if __name__ == "__main__":
    main()
