"""Is every sabotage of a new generation found before it may be switched to, and no sound one refused?

    python -m benchmarks.sabotage --to FOLDER_OF_A_MODEL                    100 seeded runs of each on SciFact
    python -m benchmarks.sabotage --to FOLDER --data glosses --rows 8000 --runs 20

A set is moved from all-MiniLM-L6-v2 to another real model. Both embed every text once, in int8, and the vectors are
kept in the work folder; the texts that a verification embeds again are answered out of them, so that hundreds of runs
take minutes, and are counted. Each run changes a copy of the new generation in one way and verifies it as a
migration does. SciFact is its judged documents with 1,000 others. Exits with 1 if a bar is not met; skipped without
another model.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import DATA, WORK, Row, at_least, at_most, jsonl, report
from embassay.embedders.wrap.wrapper import Wrapper, uncached
from embassay.session import Session
from embassay.sets.migration.evidence.gathered import Evidence
from embassay.sets.migration.evidence.side import Side
from embassay.sets.migration.verification import made
from embassay.sets.spec import SetSpec
from embassay.sets.state import Generation
from embassay.stores.backends.memory import MemoryStore
from embassay.stores.values import VECTOR, Collection
from embassay.types import Chunk, Embeddings, OnLong, Role

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Vectors

FROM = "minilm@int8"
PROMPT = "query: "
OTHERS = 1000
"""Documents of SciFact besides those that are judged."""
BLOCK = 256


@dataclass(frozen=True)
class World:
    """A set before and after its move, and what a sabotage needs."""

    chunks: list[Chunk]
    old: Vectors
    new: Vectors
    prompted: Vectors
    """What the new model makes of every text under another prompt."""


Sabotage = Callable[[World, np.random.Generator], tuple[list[Chunk], "Vectors"]]


def shuffled(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    return world.chunks, world.new[random.permutation(len(world.new))]


def negated(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:  # noqa: ARG001
    return world.chunks, -world.new


def rotated(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    size = world.new.shape[1]
    rotation = np.linalg.qr(random.standard_normal((size, size)))[0].astype(np.float32)
    return world.chunks, world.new @ rotation


def of_another_model(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    """The vectors of the old model, made as long as the new ones by a map that keeps every cosine."""
    size = world.new.shape[1]
    longer = np.linalg.qr(random.standard_normal((size, size)))[0].astype(np.float32)[: world.old.shape[1]]
    at = random.choice(len(world.new), max(1, len(world.new) // 100), replace=False)
    vectors = world.new.copy()
    vectors[at] = world.old[at] @ longer
    return world.chunks, vectors


def under_another_prompt(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:  # noqa: ARG001
    return world.chunks, world.prompted


def two_vectors_exchanged(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    a, b = random.choice(len(world.new), 2, replace=False)
    vectors = world.new.copy()
    vectors[[a, b]] = vectors[[b, a]]
    return world.chunks, vectors


def one_vector_copied(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    a, b = random.choice(len(world.new), 2, replace=False)
    vectors = world.new.copy()
    vectors[a] = vectors[b]
    return world.chunks, vectors


def one_text_exchanged(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    """Text and vector agree with each other, and not with the live generation."""
    a, b = random.choice(len(world.new), 2, replace=False)
    chunks, vectors = [*world.chunks], world.new.copy()
    chunks[a] = replace(chunks[a], indexed=chunks[b].indexed, body_at=chunks[b].body_at)
    vectors[a] = vectors[b]
    return chunks, vectors


def three_rows_missing(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    kept = np.sort(random.choice(len(world.new), len(world.new) - 3, replace=False))
    return [world.chunks[at] for at in kept], world.new[kept]


def three_rows_too_many(world: World, random: np.random.Generator) -> tuple[list[Chunk], Vectors]:
    at = random.choice(len(world.new), 3, replace=False)
    more = [replace(world.chunks[one], key=f"other-{one}") for one in at]
    return [*world.chunks, *more], np.vstack([world.new, world.new[at]])


SABOTAGES: Sequence[Sabotage] = (
    shuffled, negated, rotated, of_another_model, under_another_prompt, two_vectors_exchanged, one_vector_copied,
    one_text_exchanged, three_rows_missing, three_rows_too_many,
)  # fmt: skip


class Remembering(Wrapper):
    """Answers what it was told or asked before, and counts what it is asked."""

    is_transparent = True

    def __init__(self, inner: Embedder, documents: dict[str, Vectors]) -> None:
        super().__init__(uncached(inner))
        self._space = inner.space
        self._known: dict[tuple[str, str], Vectors] = {("document", text): row for text, row in documents.items()}
        self.asked = 0

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        asked = [*texts]
        self.asked += len(asked)
        new = [*dict.fromkeys(text for text in asked if (role, text) not in self._known)]
        if new:
            self._known |= zip(
                ((role, text) for text in new), self.inner.embed(new, role, on_long).vectors, strict=True
            )
        rows = np.array([self._known[role, text] for text in asked], np.float32).reshape(-1, self._space.dimensions)
        yield Embeddings(rows, [0] * len(asked), [False] * len(asked), self._space, role, self.precision)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--to", default=os.environ.get("EMBASSAY_OTHER", ""), help="the other model: a folder or a name"
    )
    parser.add_argument("--data", choices=("scifact", "glosses"), default="scifact")
    parser.add_argument("--rows", type=int, default=0, help="texts at most; 0: all of SciFact's, 8,000 glosses")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if not chosen.to or not DATA.is_dir():
        print("skipped: needs the judged data, and another real model: --to FOLDER", file=sys.stderr)
        return
    chunks = scifact() if chosen.data == "scifact" else glosses(8000)
    rows = measure(chunks[: chosen.rows or None], f"{chosen.to}@int8", chosen.runs)
    report(f"sabotage, {chosen.data}", rows, chosen.json)
    if any(row.met is False for row in rows):
        raise SystemExit(1)


def measure(chunks: list[Chunk], to: str, runs: int) -> list[Row]:
    """Every sabotage in so many seeded runs, and as many of a sound generation."""
    texts = [chunk.indexed for chunk in chunks]
    with Session() as session:
        models = [session.models.get(name) for name in (FROM, to)]
        old, new = (embedded(model, texts) for model in models)
        world = World(chunks, old, new, embedded(models[1], [PROMPT + text for text in texts]))
        known = [
            Remembering(model, dict(zip(texts, rows, strict=True)))
            for model, rows in zip(models, (old, new), strict=True)
        ]
        live = side(known[0], chunks, old)
        sound = side(known[1], chunks, new)
        rows: list[Row] = []
        spent, refused, seconds = 0, 0, []
        for seed in range(runs):
            started = time.perf_counter()
            refused += is_refused(live, sound, seed)
            seconds.append(time.perf_counter() - started)
            spent = max(spent, taken(known))
        rows.append(at_most("a sound generation is refused", refused, 0, f"of {runs}"))
        for sabotage in SABOTAGES:
            caught = 0
            for seed in range(runs):
                changed = sabotage(world, np.random.default_rng(seed))
                caught += is_refused(live, side(known[1], *changed), seed)
                spent = max(spent, taken(known))
            rows.append(at_least(f"caught: {sabotage.__name__.replace('_', ' ')}", caught, runs, f"of {runs}"))
        rows.append(at_most("texts that a verification embeds", spent, max(600, len(chunks) // 20), "texts"))
        rows.append(Row("rows of the set", len(chunks), None, None, "rows", "", None))
        rows.append(
            Row("seconds of a verification, embedding apart", float(np.median(seconds)), None, None, "s", "", None)
        )
    return rows


def is_refused(live: Side, new: Side, seed: int) -> bool:
    """Whether any check fails; the checks behind that one are not made."""
    return any(not check.passed for check in made(Evidence(live, new, seed=seed)))


def taken(known: Sequence[Remembering]) -> int:
    """Texts that were asked for since the last call."""
    asked = sum(one.asked for one in known)
    for one in known:
        one.asked = 0
    return asked


def side(embedder: Embedder, chunks: list[Chunk], vectors: Vectors) -> Side:
    space = embedder.space
    store = MemoryStore(Collection.single("sabotage", space.dimensions))
    store.upsert(chunks, {VECTOR: np.ascontiguousarray(vectors, np.float32)})
    spec = SetSpec(model=space.model, precision="int8", chunk_tokens=256, language="en", store="memory")
    generation = Generation(0, "sabotage", "sabotage", space, spec)
    return Side(generation, store.snapshot(), lambda: embedder, None, {})


def embedded(model: Embedder, texts: Sequence[str]) -> Vectors:
    """Vectors of all texts, kept in the work folder: a run that is stopped goes on where it was."""
    digest = hashlib.sha256("\0".join([model.space.digest, model.precision, *texts]).encode()).hexdigest()[:16]
    folder = WORK / "sabotage"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{digest}.npy"
    rows = np.load(file) if file.exists() else np.empty((0, model.space.dimensions), np.float32)
    while len(rows) < len(texts):
        part = texts[len(rows) : len(rows) + BLOCK]
        rows = np.vstack([rows, model.embed(part, "document").vectors])
        np.save(file, rows)
        print(f"{model.name}: {len(rows):,} of {len(texts):,} texts", file=sys.stderr)
    made: Vectors = rows
    return made


def scifact() -> list[Chunk]:
    """Judged documents, and so many others, evenly spaced."""
    judged = {line.split("\t")[1] for line in (DATA / "scifact/qrels/test.tsv").read_text().splitlines()[1:]}
    documents = [*jsonl("scifact/corpus.jsonl")]
    others = [row for row in documents if row["_id"] not in judged]
    chosen = [row for row in documents if row["_id"] in judged]
    chosen += [others[int(at * len(others) / OTHERS)] for at in range(OTHERS)]
    return [chunk(row["_id"], row["title"], " ", row["text"]) for row in chosen]


def glosses(rows: int) -> list[Chunk]:
    """Definitions, evenly spaced."""
    documents = [*jsonl("wordnet-glosses/corpus.jsonl")]
    chosen = [documents[int(at * len(documents) / rows)] for at in range(rows)]
    return [chunk(f"g{at}", row["title"], "\n", row["text"]) for at, row in enumerate(chosen)]


def chunk(name: str, title: str, between: str, text: str) -> Chunk:
    indexed = f"{title}{between}{text}"
    return Chunk(name, name, name, "", indexed, len(title) + 1, (1, 1), (0, len(text)), 0)


if __name__ == "__main__":
    main()
