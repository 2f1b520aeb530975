"""Words and rows of the hot index: BM25 beside bm25s and LanceDB, filters, fetching, and what it takes on disk.

Every search of one side is followed by the same search of the others, so that whatever else the machine does falls on
all of them. The million rows are the glosses ten times over, each time in another order.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Row, arguments, at_least, at_most, faster, glosses, jsonl, median, report, timed
from embassay.stores.backends import lance
from embassay.stores.filters.parser import parse
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.words import WordPart, idf
from embassay.stores.values import BM25_B, BM25_K1, VECTOR, Collection
from embassay.types import Chunk, Metadata
from embassay.words.analyser import analyser

QUERIES = 300
FOUND = 100
TIMES = 10
"""The glosses once more, for a million rows."""
SOME_ROWS = 200
"""Rows whose scores are asked for, as a fusion asks for those that only another arm found."""


def main() -> None:
    chosen = arguments(__doc__)
    queries = [row["text"] for row in jsonl("scifact/queries.jsonl")][: QUERIES // 2]
    queries += [row["text"] for row in jsonl("xquad/en/queries.jsonl")][: QUERIES // 2]
    with tempfile.TemporaryDirectory() as folder:
        report("hot_words", measured(Path(folder), glosses(), queries, TIMES), chosen.json, peer="other")


def measured(folder: Path, texts: Sequence[str], queries: Sequence[str], times: int) -> list[Row]:
    """All lines of the report."""
    chunks = [chunk_of(at, text) for at, text in enumerate(texts)]
    cut = analyser("en")
    documents = [cut.terms(text) for text in texts]
    asked = [terms for query in queries if (terms := cut.query(query))]
    WordPart.write(folder, "one", documents)
    RowPart.write(folder, "one", chunks)
    part = WordPart(folder, "one")
    rows = [*beside_others(folder, part, documents, chunks, asked), *of_rows(folder, texts)]
    rows.append(of_letters(folder, texts, queries))
    took = timed(lambda: WordPart.write(folder, "many", repeated(documents, times)))
    many = WordPart(folder, "many")
    spent = [timed(lambda terms=terms: search(many, terms)) * 1000 for terms in asked]  # type: ignore[misc]
    rows.append(Row(f"words of {many.rows:,} rows are inverted", took, None, None, "s", "reported", None))
    rows.append(at_most(f"BM25 over {many.rows:,} rows, p50", median(spent), 5, "ms"))
    rows.append(Row("the same, p95", float(np.percentile(spent, 95)), None, None, "ms", "reported", None))
    return rows


def of_letters(folder: Path, texts: Sequence[str], queries: Sequence[str]) -> Row:
    """Milliseconds of the CPU for one search where words are searched by their parts of three letters as well, as in
    Turkish, Arabic and sets of several languages: a query has six times as many terms, and each of them more rows."""
    cut = analyser("tr")
    WordPart.write(folder, "parts", (cut.terms(text) for text in texts))
    part, spent = WordPart(folder, "parts"), list[float]()
    for terms in filter(None, map(cut.query, queries)):
        started = time.process_time()
        search(part, terms)
        spent.append((time.process_time() - started) * 1000)
    return Row(
        f"BM25 over {part.rows:,} rows with parts of words, p50", median(spent), None, None, "ms", "reported", None
    )


def search(part: WordPart, terms: Sequence[str]) -> Any:
    """The rows that are found, from the terms on."""
    asked = part.asked(terms)
    return asked.search(idf(part.rows, asked.frequencies()), part.total_terms / part.rows, FOUND)


def scores(part: WordPart, terms: Sequence[str], rows: Any) -> Any:
    """The scores of rows that were found by something else."""
    asked = part.asked(terms)
    return asked.scores(idf(part.rows, asked.frequencies()), part.total_terms / part.rows, rows)


def beside_others(
    folder: Path, part: WordPart, documents: Sequence[list[str]], chunks: Sequence[Chunk], asked: Sequence[list[str]]
) -> list[Row]:
    """Milliseconds of one search by words, and whether all find the same."""
    import bm25s

    written = bm25s.BM25(k1=BM25_K1, b=BM25_B)
    written.index(documents, show_progress=False)
    written.save(folder / "bm25s", show_progress=False)
    peer = bm25s.BM25.load(folder / "bm25s", mmap=True)
    store = lance.open_store(lance.settings_in(folder), Collection.single("one", 1), create=True)
    for at in range(0, len(chunks), 8192):
        block = chunks[at : at + 8192]
        store.upsert(block, {VECTOR: np.ones((len(block), 1), np.float32)})
    store.optimise(thorough=True)
    given = np.random.default_rng(0).integers(0, part.rows, SOME_ROWS)
    k = min(FOUND, part.rows)
    sides: dict[str, Callable[[list[str]], Any]] = {
        "ours": lambda terms: search(part, terms),
        "bm25s": lambda terms: peer.retrieve([terms], k=k, show_progress=False),
        "Lance": lambda terms: version.lexical(" ".join(terms), k),
        "scores": lambda terms: scores(part, terms, given),
    }
    spent: dict[str, list[float]] = {side: [] for side in sides}
    alike = []
    with store.snapshot() as version:
        for terms in asked:
            for side, work in sides.items():
                spent[side].append(timed(lambda work=work, terms=terms: work(terms)) * 1000)  # type: ignore[misc]
            expected = np.sort(peer.get_scores(terms))[::-1][:k]
            _, found = search(part, terms)
            alike.append(np.allclose(found, expected[expected > 0], rtol=1e-4))
    store.close()
    ours, p95 = median(spent["ours"]), float(np.percentile(spent["ours"], 95))
    return [
        at_most(
            f"BM25 top {FOUND} over {part.rows:,} rows, p50; other: LanceDB", ours, 1, "ms", median(spent["Lance"])
        ),
        Row("the same, p95", p95, float(np.percentile(spent["Lance"], 95)), None, "ms", "reported", None),
        faster("searches; other: bm25s, its index mapped", 1000 / ours, 1000 / median(spent["bm25s"]), 1, "1/s"),
        at_least("queries whose scores are those of bm25s", float(np.mean(alike)), 1),
        at_most(f"scores of {SOME_ROWS} given rows", median(spent["scores"]), 0.3, "ms"),
    ]


def of_rows(folder: Path, texts: Sequence[str]) -> list[Row]:
    """Fetching and filtering, and bytes on disk of words and rows."""
    metadata: list[Metadata] = [{"year": 1990 + at % 35, "tags": [f"t{at % 7}", f"u{at % 11}"]} for at in range(385)]
    dated = (replace(chunk_of(at, text), metadata=metadata[at % 385]) for at, text in enumerate(texts))
    RowPart.write(folder, "dated", dated)
    plain, part = RowPart(folder, "one"), RowPart(folder, "dated")
    random = np.random.default_rng(0)
    picked = [random.integers(0, plain.rows, 10) for _ in range(QUERIES)]
    plain.fetch(picked[0])
    fetching = [timed(lambda rows=rows: plain.fetch(rows)) * 1000 for rows in picked]  # type: ignore[misc]
    rows = [at_most("10 rows are fetched", median(fetching), 1, "ms")]
    for text in ("year >= 2010", 'tags = "t3" and not year = 1999', 'path ~ "gloss*"'):
        where = parse(text)
        part.mask(where)
        spent = [timed(lambda where=where: part.mask(where)) * 1000 for _ in range(30)]  # type: ignore[misc]
        rows.append(at_most(f"filter: {text}", median(spent), 5, "ms"))
    size = sum((folder / f"one.{kind}").stat().st_size for kind in ("words", "rows"))
    return [*rows, at_most("words and rows on disk, a row", size / plain.rows, 180, "bytes")]


def repeated(documents: Sequence[list[str]], times: int) -> Iterator[list[str]]:
    """The same rows so many times, each time in another order."""
    random = np.random.default_rng(0)
    for _ in range(times):
        yield from (documents[at] for at in random.permutation(len(documents)))


def chunk_of(at: int, text: str) -> Chunk:
    """A row as an index run makes it of a record."""
    title, _, body = text.partition("\n")
    key = blake2b(f"{at}\n{text}".encode(), digest_size=16).hexdigest()
    document = f"glosses.jsonl#{at}"
    lines, span = (at + 1, at + 1), (0, len(body))
    return Chunk(key, document, "glosses.jsonl", title, text, len(title) + 1, lines, span, len(text) // 4)


if __name__ == "__main__":
    main()
