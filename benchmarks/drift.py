"""Is a change of what is asked seen, how soon, and how often is one seen where there is none?

Real queries of four sources, each searched for among its own documents: claims of SciFact, questions of XQuAD in
English, questions of bank customers (banking77, among other such questions), and 120 questions about three
documentation trees. The signals that are measured are those that `monitor check` reads, on windows of 200 searches.

Change: a baseline of SciFact claims, 200 claims more, and then questions of banking77 in 100, 30 or 10 % of them.
After every 10 searches the signals are read, as a server does. The delay is counted in searches since the change.

No change: windows of the same source as their baseline, which is of 50, 100 or 300 judged queries, or of 2,000 searches
of a log in which few queries are asked often (Zipf), and the same of XQuAD, banking77 and trees. Milliseconds come in
spells, as those of a busy machine do, and 2 % of the searches find nothing. The windows of a stream overlap.

Vectors stay in the benchmarks' folder: the next run is done in minutes.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from benchmarks.common import DATA, MODEL, WORK, Row, arguments, at_least, at_most, jsonl, report
from benchmarks.fusion import questions as about_tree
from benchmarks.made_queries import TREES
from embassay.config.values import MonitorConfig
from embassay.embedders.providers.local import open_local
from embassay.monitor.base import BaselineSample, SignalReading, WatchedSet
from embassay.monitor.novelty import directions
from embassay.monitor.searches import Searches, distinct_rows
from embassay.monitor.signals import drift, latency, scores, zero_results
from embassay.sets.monitoring.marks import KINDS
from embassay.sets.monitoring.table import BaselineRow

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.embedding_set import EmbeddingSet
    from embassay.space import Space
    from embassay.types import Vectors

    Rows = npt.NDArray[np.int64]

SIGNALS = (drift, scores, zero_results, latency)
WINDOW, STEP = 200, 10
STREAMS = 60
"""Of a change, for each baseline and share."""
BASELINES = 50, 100, 300
"""Judged queries of a baseline."""
UNCHANGED = 1_000
"""Windows of each kind without a change."""
LOG = 2_000
NOTHING = 0.02
CONFIG = MonitorConfig(window=WINDOW)


@dataclass(frozen=True, eq=False)
class Source:
    """Queries of one kind: their vectors, and the cosine of the nearest document of each."""

    vectors: Vectors
    best: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.best)


def main() -> None:
    chosen = arguments(__doc__)
    claims, banking, about_banks, xquad, trees = sources()
    rows = list[Row]()
    for share in (1.0, 0.3, 0.1):
        rows += changes(claims, banking, share)
    total: Counter[str] = Counter()
    windows = 0
    for name, source in (("SciFact", claims), ("XQuAD", xquad), ("banking77", about_banks), ("trees", trees)):
        for kind, alarms, read in unchanged(source):
            total += alarms
            windows += read
            rows.append(at_most(f"no change, {name}, {kind}: windows that alarm", 100 * alarms["any"] / read, 1, "%"))
    for signal in SIGNALS:
        found = 100 * total[title(signal)] / windows
        rows.append(Row(f"no change, {title(signal)}: windows that alarm", found, None, None, "%", "", None))
    rows.append(at_most(f"no change, all of {windows:,} windows that alarm", 100 * total["any"] / windows, 1, "%"))
    streams, warned = watched_streams(claims)
    rows.append(at_most("no change, watched every 10 searches: windows", 100 * streams, 1, "%"))
    rows.append(Row("the same: windows that warn", 100 * warned, None, None, "%", "", None))
    report("drift", rows, chosen.json)


def changes(before: Source, after: Source, share: float) -> list[Row]:
    """How often a change of that share of the searches is seen within 200 searches, and within 600, and how soon."""
    found = []
    bar = 100 if share >= 0.3 else None
    for size in BASELINES:
        delays = [delay(before, after, share, size, seed) for seed in range(STREAMS)]
        within = 100 * sum(one is not None and one <= WINDOW for one in delays) / STREAMS
        what = f"{share:.0%} of another topic, baseline of {size}: seen within 200"
        found.append(at_least(what, within, bar, "%") if bar else Row(what, within, None, None, "%", "", None))
        seen = sorted(one for one in delays if one is not None)
        if bar is None:
            later = 100 * len(seen) / STREAMS
            found.append(Row("  the same: seen within 600", later, None, None, "%", "", None))
        if seen:
            found.append(Row("  searches until then, in the middle", median(seen), None, None, "", "", None))
            found.append(Row("  searches until then, at most", seen[-1], None, None, "", "", None))
    return found


def delay(before: Source, after: Source, share: float, size: int, seed: int) -> int | None:
    """Searches from the change to the first alarm; None where none comes within 600."""
    random = np.random.default_rng((seed, size, int(100 * share)))
    order = random.permutation(len(before))
    judged, rest = order[:size], order[size:]
    most = 600 if share < 0.3 else WINDOW
    old = np.concatenate((rest[:WINDOW], random.choice(rest[WINDOW:], most)))
    new = random.permutation(len(after))[: WINDOW + most]
    changed = random.random(len(old)) < share
    changed[:WINDOW] = False
    ids = np.where(changed, len(before) + new, old)
    both = Source(np.concatenate((before.vectors, after.vectors)), np.concatenate((before.best, after.best)))
    held = Baseline.judged(before, judged, random)
    for end in range(WINDOW + STEP, len(ids) + 1, STEP):
        readings = read(held, both, ids[end - WINDOW : end], random, (drift, scores))
        if any(one.state == "alert" for one in readings.values()):
            return end - WINDOW
    return None


def unchanged(source: Source) -> Iterator[tuple[str, Counter[str], int]]:
    """For each kind of baseline: how many windows each signal alarms in, and any."""
    kinds: dict[str, int] = {f"{size} judged": size for size in BASELINES if size <= len(source) // 2}
    for kind, size in ({**kinds, "a log": 0}).items():
        alarms: Counter[str] = Counter()
        for seed in range(UNCHANGED):
            random = np.random.default_rng((seed, size))
            if size:
                order = random.permutation(len(source))
                held = Baseline.judged(source, order[:size], random)
                ids = order[size : size + WINDOW]
            else:
                asked = repeated(source, LOG + WINDOW, random)
                held, ids = Baseline.logged(source, asked[:LOG], random), asked[LOG:]
            states = {name: one.state for name, one in read(held, source, ids, random).items()}
            on = [name for name, state in states.items() if state == "alert"]
            alarms.update(on + ["any"] * bool(on))
        yield kind, alarms, UNCHANGED


def watched_streams(source: Source) -> tuple[float, float]:
    """The share of 1,000 windows that overlap in which a signal alerts, and warns, one baseline for each 50 of them."""
    alerts = warns = windows = 0
    for seed in range(20):
        random = np.random.default_rng((seed, 7))
        order = random.permutation(len(source))
        held = Baseline.judged(source, order[:200], random)
        ids = random.choice(order[200:], WINDOW + 49 * STEP, replace=False)
        for end in range(WINDOW, len(ids) + 1, STEP):
            states = {one.state for one in read(held, source, ids[end - WINDOW : end], random).values()}
            windows += 1
            alerts += "alert" in states
            warns += "warn" in states
    return alerts / windows, warns / windows


def repeated(source: Source, searches: int, random: np.random.Generator) -> Rows:
    """Searches of a log: of the queries, the tenth is asked a tenth as often as the first."""
    ids = random.permutation(len(source))
    weights = 1 / np.arange(1, len(ids) + 1)
    return np.asarray(random.choice(ids, searches, p=weights / weights.sum()))


@dataclass(frozen=True, eq=False)
class Baseline:
    """What each signal learnt, and the vectors."""

    known: dict[str, Any]
    vectors: Vectors

    @classmethod
    def judged(cls, source: Source, ids: Rows, random: np.random.Generator) -> Baseline:
        """Of different queries; how long searches take, and how many find nothing, comes of a log."""
        return cls._of(source, ids, source.vectors[ids], random)

    @classmethod
    def logged(cls, source: Source, ids: Rows, random: np.random.Generator) -> Baseline:
        """Of searches, as `monitor baseline` makes it of them."""
        return cls._of(source, ids, source.vectors[ids[distinct_rows(ids, WINDOW)]][-500:], random)

    @classmethod
    def _of(cls, source: Source, ids: Rows, vectors: Vectors, random: np.random.Generator) -> Baseline:
        known = {}
        for signal in (scores, zero_results, latency):
            many = ids if signal is not latency or len(ids) >= WINDOW else random.choice(ids, WINDOW)
            sample = BaselineSample(SET, space(source), searches(source, many, random), vectors, None, CONFIG)
            known[title(signal)] = signal.learn(sample)
        return cls(known, np.asarray(vectors, np.float32))


SET = cast("EmbeddingSet", SimpleNamespace(name="bench"))


def space(source: Source) -> Space:
    return cast("Space", SimpleNamespace(dimensions=source.vectors.shape[1], digest="bench"))


def read(
    held: Baseline, source: Source, ids: Rows, random: np.random.Generator, signals: Sequence[ModuleType] = SIGNALS
) -> dict[str, SignalReading]:
    """What the signals say of a window of these queries."""
    window = searches(source, ids, random)
    row = BaselineRow("bench", "bench", 0.0, "", held.known, held.vectors.tobytes())
    found = {}
    for signal in signals:
        watched = WatchedSet(
            SET,
            space(source),
            window,
            lambda: (window.seq, source.vectors[ids].astype(np.float16).astype(np.float32)),
            CONFIG,
            0.0,
            held.known.get(title(signal), {}),
            baseline=row,
        )
        (found[title(signal)],) = signal.read(watched)
    return found


def searches(source: Source, ids: Rows, random: np.random.Generator) -> Searches:
    """These queries as searches, in this order."""
    count = len(ids)
    columns = {name: np.zeros(count, kind) for name, kind in KINDS.items()}
    columns["seq"], columns["query"] = np.arange(count), np.asarray(ids, np.int64)
    columns["dense"] = source.best[ids]
    columns["hits"] = np.where(random.random(count) < NOTHING, 0, 10)
    columns["took_ms"] = milliseconds(count, random)
    return Searches(**columns)


def milliseconds(count: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """20 ms in the middle, long to the right, and now and then a spell of 5 to 40 searches at three times of that."""
    took = 20 * np.exp(0.35 * random.standard_normal(count))
    for start in np.flatnonzero(random.random(count) < 1 / 150):
        took[start : start + int(random.integers(5, 40))] *= 3
    return np.asarray(took)


def title(signal: ModuleType) -> str:
    return signal.__name__.rpartition(".")[2]


def sources() -> Iterator[Source]:
    """SciFact, banking77 among documents of SciFact, banking77 among questions of its own, XQuAD, and the trees."""
    claims = embedded("scifact-queries", [row["text"] for row in jsonl("scifact/queries.jsonl")])
    abstracts = [f"{row['title']} {row['text']}".strip() for row in jsonl("scifact/corpus.jsonl")]
    papers = embedded("scifact-documents", abstracts, "document")
    banking = embedded("banking77-test", questions_of_banks("test"))
    answers = embedded("banking77-train", questions_of_banks("train")[::4], "document")
    asked = embedded("xquad-queries", [row["text"] for row in jsonl("xquad/en/queries.jsonl")])
    paragraphs = embedded("xquad-documents", [row["text"] for row in jsonl("xquad/en/corpus.jsonl")], "document")
    trees = [about_tree(tree) for tree in TREES]
    typed = embedded("trees-queries", [text for tree in trees for text in tree.queries.values()])
    sections = [part for tree in trees for document in tree.documents for part in document.text.split("\n## ")]
    pages = embedded("trees-documents", sections, "document")
    pairs = (claims, papers), (banking, papers), (banking, answers), (asked, paragraphs), (typed, pages)
    return (Source(queries, (queries @ documents.T).max(1).astype(float)) for queries, documents in pairs)


def questions_of_banks(part: str) -> list[str]:
    with (DATA / "banking77" / f"{part}.csv").open(encoding="utf-8") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


def embedded(name: str, texts: Sequence[str], role: str = "query") -> Vectors:
    """Vectors of length one, kept from the run before."""
    kept = WORK / "drift" / f"{name}.npy"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = open_local(MODEL, precision="int8").embed(texts, cast("Any", role)).vectors
        np.save(kept, directions(made).astype(np.float32))
    return cast("Vectors", np.load(kept))


if __name__ == "__main__":
    main()
