"""Late interaction by a model's own token vectors: what it gains, what packing loses, and what it takes.

    python -m benchmarks.maxsim [--sets httpx fastapi rust-book xquad/en scifact]

Every set is ranked by the default search; its first 60 candidates are then compared token by token, by all of their
vectors as float32 and as sets keep them. SciFact has 1.7 million tokens, which take minutes to read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.common import DATA, MODEL, ROOT, Row, at_least, at_most, median, report
from benchmarks.made_queries import TREES, judged
from embassay.embedders.providers.local import open_local
from embassay.engine.token_states import TokenStates
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.judge.labelled import read_labels
from embassay.evaluate.judge.make import make_draft
from embassay.evaluate.judge.passages import read_passages
from embassay.evaluate.score.filling import Filled, asked_anew, fill
from embassay.evaluate.score.metrics import mean, per_query
from embassay.search.blend import blended
from embassay.search.context import Context
from embassay.search.late import late_scores
from embassay.search.modes import pipeline
from embassay.search.run import run
from embassay.stores.opening import exact_store
from embassay.stores.tokens.codes import PackedTokens, pack
from embassay.stores.values import Scored

METRIC, DEPTH, WEIGHT = "nDCG@10", 60, 0.5
SETS = (*TREES, "xquad/en", "scifact")


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one judged set."""

    before: float
    full: float
    kept: float
    chunk_bytes: float
    milliseconds: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    chosen = parser.parse_args()
    rows, all_scores = [], []
    for name in chosen.sets:
        for data, scores in measured(sets_of(name)):
            all_scores.append(scores)
            rows.append(Row(f"{data}, maxsim over the default", scores.kept, scores.before, None, METRIC, "", None))
            rows.append(Row(f"{data}, kept over float32", scores.kept, scores.full, None, METRIC, "", None))
            rows.append(at_most(f"{data}, bytes a chunk", scores.chunk_bytes, 12_000, "bytes"))
    lost = np.mean([one.kept - one.full for one in all_scores])
    rows.append(at_least("mean of kept less float32", float(lost), -0.002, METRIC))
    gained = np.mean([one.kept - one.before for one in all_scores])
    rows.append(Row("mean of maxsim less the default", float(gained), None, None, METRIC, "reported", None))
    times = [taken for one in all_scores for taken in one.milliseconds]
    rows.append(at_most(f"scoring {DEPTH} candidates, CPU time", median(times), 4, "ms"))
    report("maxsim", rows, chosen.json, peer="before")


def sets_of(name: str) -> list[JudgedSet]:
    """A documentation tree with the questions of its users, or a judged set; those of a list share their documents."""
    if name == "scifact":
        return [read_judged(DATA / "scifact", split) for split in ("test", "train")]
    if name not in TREES:
        return [read_judged(DATA / name, "test_mteb")]
    root = DATA / "docs" / name
    asked = make_draft(read_passages([root], lambda file: file.relative_to(root).as_posix()), 0)
    places = [row["_id"] for row in asked.corpus]
    asked.queries, _ = read_labels(ROOT / "benchmarks" / "questions" / f"{name}.jsonl", places)
    return [judged(asked, name)]


def measured(sets: Sequence[JudgedSet]) -> Iterator[tuple[str, Scores]]:
    """Each of `sets` with its scores. Tokens are kept as float16 while they are compared."""
    embedder = open_local(MODEL)
    filled = fill(sets[0], embedder, exact_store(384, "cosine", sets[0].language))
    tokens: dict[str, TokenStates] = {}
    packed: dict[str, PackedTokens] = {}
    for data in sets:
        filled = filled if data is sets[0] else asked_anew(filled, data)
        found = {name: ranked(filled, at, text) for at, (name, text) in enumerate(data.queries.items())}
        missing = {key: text for one in found.values() for key, text in one[1].items() if key not in packed}
        for key, one in zip(missing, embedder.token_states([*missing.values()], "document"), strict=True):
            packed[key] = pack(one.ids, one.vectors)
            tokens[key] = TokenStates(one.ids, one.vectors.astype(np.float16))
        yield data.name, scored(data, found, tokens, packed, embedder.token_states)


def ranked(filled: Filled, at: int, text: str) -> tuple[list[Scored], dict[str, str]]:
    """What the default search ranks for a query, by keys, and the texts of those that are compared."""
    with filled.store.snapshot() as version:
        asked = Context(text, lambda: version, lambda _text, _role: filled.queries[at])
        hits = run(pipeline("hybrid", 100), asked).hits
    ranking = [Scored(hit.chunk.key, hit.score) for hit in hits]
    return ranking, {hit.chunk.key: hit.chunk.indexed for hit in hits[:DEPTH]}


def scored(data, found, tokens, packed, read) -> Scores:  # type: ignore[no-untyped-def]
    """The metric before, by float32, and by what is kept."""
    runs: dict[str, dict[str, dict[str, float]]] = {"before": {}, "full": {}, "kept": {}}
    times = []
    for name, (ranking, texts) in found.items():
        query = next(read([data.queries[name]], "query"))
        full = {key: TokenStates(tokens[key].ids, tokens[key].vectors.astype(np.float32)) for key in texts}
        started = time.process_time()
        kept = late_scores(query, {key: packed[key] for key in texts})
        times.append((time.process_time() - started) * 1e3)
        for what, new in (("before", {}), ("full", exact(query, full)), ("kept", kept)):
            order = blended(ranking, new, WEIGHT)
            runs[what][name] = {str(one.ref): -float(place) for place, one in enumerate(order)}
    means = {what: mean(per_query(data.qrels, of, (METRIC,)))[METRIC] for what, of in runs.items()}
    size = float(np.mean([one.nbytes for one in packed.values()]))
    return Scores(means["before"], means["full"], means["kept"], size, times)


def exact(query: TokenStates, texts: Mapping[Hashable, TokenStates]) -> dict[Hashable, float]:
    """Late interaction by all vectors as they are, with the weights of `late_scores`."""
    texts = {key: text for key, text in texts.items() if len(text.ids)}
    if not len(query.ids) or not texts:
        return {}
    among = np.array([np.isin(query.ids, text.ids) for text in texts.values()]).sum(axis=0)
    weights = np.log1p((len(texts) - among + 0.5) / (among + 0.5))
    weights /= weights.sum()
    return {key: float((query.vectors @ text.vectors.T).max(axis=1) @ weights) for key, text in texts.items()}


if __name__ == "__main__":
    main()
