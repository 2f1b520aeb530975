"""Words of titles, weighed: what `lexical(100, title=WEIGHT)` finds by words alone and in the default search.

    python -m benchmarks.titles [--only SET ...] [--json]

SciFact test and train, whose abstracts have titles, and forty questions of users about each of three documentation
trees, whose titles are headings; XQuAD's paragraphs have none. Differences are paired, with their 95 % interval. Then
what weighing costs over 107,525 glosses: the first search that asks for it makes the words of titles.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import DATA, MODEL, Row, at_most, glosses, jsonl, median, report
from benchmarks.fusion import METRIC, SCIFACT, of_each, read
from benchmarks.hot_words import FOUND, chunk_of
from benchmarks.made_queries import TREES
from embassay.embedders.base import Embedder
from embassay.embedders.providers.local import open_local
from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.score.filling import fill
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.titles import WeighedTitles, titles_of
from embassay.stores.hot.words import WordPart, idf
from embassay.stores.opening import exact_store
from embassay.words.analyser import analyser

SETS = (*SCIFACT, *TREES)
WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0)
FUSION = str(pipeline().stages[0])
WAYS = {"lexical": "lexical(100{}) >> top", "hybrid": f"dense | lexical(100{{}}) >> {FUSION} >> top"}
QUERIES = 150
Values = Mapping[tuple[str, float], "np.ndarray[Any, Any]"]
"""How it is searched, and the weight, to the metric of every query."""


def main() -> None:
    chosen = _arguments()
    if not DATA.is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        return
    embedder = open_local(MODEL, precision="int8")
    rows = quality({name: scores(read(name), embedder) for name in chosen.only or SETS})
    queries = [row["text"] for row in jsonl("scifact/queries.jsonl")][:QUERIES]
    with tempfile.TemporaryDirectory() as folder:
        rows += costs(Path(folder), glosses(), queries)
    report("titles", rows, chosen.json, peer="title=1")


def scores(data: JudgedSet, embedder: Embedder) -> Values:
    """Every weight in every way, from one embedding of the documents."""
    store = exact_store(embedder.space.dimensions, embedder.space.similarity, data.language)
    filled = fill(data, embedder, store)
    found = {
        (how, weight): of_each(filled, parse_pipeline(way.format(f", title={weight:g}")))
        for how, way in WAYS.items()
        for weight in WEIGHTS
    }
    store.close()
    return found


def quality(found: Mapping[str, Values]) -> list[Row]:
    """Every set, and the mean of all; nothing of it is held to a bar, for the default is 1."""
    made = []
    for name, by in found.items():
        for (how, weight), values in by.items():
            plain = by[how, 1.0]
            if weight == 1:
                made.append(Row(f"{name}, {how}", values.mean(), None, None, METRIC, "", None))
                continue
            (seen,) = differences((values - plain)[:, None])
            what = f"{name}, {how}, title={weight:g} [{seen.low:+.3f}, {seen.high:+.3f}]"
            made.append(Row(what, values.mean(), plain.mean(), values.mean() / plain.mean(), METRIC, "", None))
    for how in WAYS:
        plain_mean = float(np.mean([by[how, 1.0].mean() for by in found.values()]))
        for weight in WEIGHTS:
            mean = float(np.mean([by[how, weight].mean() for by in found.values()]))
            what = f"mean of {len(found)} sets, {how}, title={weight:g}"
            made.append(Row(what, mean, plain_mean, mean / plain_mean, METRIC, "", None))
    return made


def costs(folder: Path, texts: Sequence[str], queries: Sequence[str]) -> list[Row]:
    """Of the words of titles in a hot index: to make them, to keep them, and to ask for them. Seconds are the CPU's."""
    cut = analyser("en")
    WordPart.write(folder, "part1", (cut.terms(text) for text in texts))
    RowPart.write(folder, "part1", (chunk_of(at, text) for at, text in enumerate(texts)))
    part, rows = WordPart(folder, "part1"), RowPart(folder, "part1")
    took, titles = spent(lambda: titles_of(folder, "part1", rows, cut.terms))
    size = sum(file.stat().st_size for file in folder.glob("part1.titles.*"))
    words = (folder / "part1.words").stat().st_size

    def search(terms: Sequence[str], weight: float) -> Any:
        asked = part.asked(terms, None if weight == 1 else WeighedTitles(titles, weight))
        length = (part.total_terms + (weight - 1) * titles.total_terms) / part.rows
        return asked.search(idf(part.rows, asked.frequencies()), length, FOUND)

    asked = [terms for query in queries if (terms := cut.query(query))]
    plain, weighed = (
        [spent(lambda terms=terms, weight=weight: search(terms, weight))[0] * 1000 for terms in asked for _ in "123"]  # type: ignore[misc]
        for weight in (1.0, 2.0)
    )
    return [
        Row(f"the words of {len(texts):,} titles are made", took, None, None, "s", "reported", None),
        Row("their bytes, a row", size / len(texts), words / len(texts), size / words, "bytes", "reported", None),
        at_most("BM25 with weighed titles, p50", median(weighed), 1, "ms", median(plain)),
    ]


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of this process, and what came of it."""
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=SETS, help="some of the sets")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
