"""A set is moved to another model: killed in every phase, held against its plan, and beside searches.

    python -m benchmarks.migrate [--kills 100] [--hosted-kills 40] [--texts 240] [--seed 0]
    python -m benchmarks.migrate --only plan --planned 4000
    python -m benchmarks.migrate --only beside --rounds 12

`kills` and `hosted` kill processes that plan, backfill, catch up, verify, switch, roll back and give up, and go on with
the move in other processes. `plan` holds what `--plan` says against the CPU seconds of the move, and against what a
priced service on this machine bills. `beside` takes turns of searches alone, the move alone, and both. The model that
a set is moved to is the default one, or that with a little noise in its weights: of equal cost, and another space.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

import embassay
from benchmarks import migrate_kills
from benchmarks.common import MODEL, Row, at_least, at_most, median, passages, report
from benchmarks.processes import start

SET = migrate_kills.SET
WITHIN = 0.25
"""Of what it took, by which a plan may be off."""
SEARCHES_A_SECOND = 20
"""Of somebody who searches beside the move: searches without pause would measure who gets the processor."""
TURN_SECONDS = 4.0
FASTEST = 600
"""Texts a second that a move is not expected to pass: it has to last for all turns."""
SLOWER, KEPT = 1.5, 0.4
"""A search may take so many times as long beside a move, which keeps this share of its rate."""
PEER = "the move of `rebasis`: skipped, it needs Python 3.12 or later and an index of its own kind"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--texts", type=int, default=240, help="of the set that is killed")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--hosted-kills", type=int, default=40)
    parser.add_argument("--planned", type=int, default=2000, help="texts of the set that is held against its plan")
    parser.add_argument("--rounds", type=int, default=8, help="turns of each kind beside searches")
    chosen = parser.parse_args(arguments)
    rows: list[Row] = []
    for name in chosen.only:
        with tempfile.TemporaryDirectory() as folder:
            rows += PARTS[name](Path(folder) / "bench", chosen)
    print(PEER, file=sys.stderr)
    report("migrate", rows, chosen.json, peer="control")


def kills(folder: Path, chosen: argparse.Namespace) -> list[Row]:
    """Moves by a model that runs here."""
    return migrate_kills.killed(folder, chosen.kills, chosen.texts, chosen.seed)


def hosted(folder: Path, chosen: argparse.Namespace) -> list[Row]:
    """Moves by a service."""
    return migrate_kills.hosted(folder, chosen.hosted_kills, chosen.texts, chosen.seed)


# -- the plan -----------------------------------------------------------------------------------------------------


def plan(folder: Path, chosen: argparse.Namespace) -> list[Row]:
    """What was said of seconds and money, and what it took."""
    said, took, _ = _planned(folder / "here", chosen.planned, "minilm")
    loading = _cpu_seconds("models", "list")[0]
    rows = [_within(f"plan, CPU seconds of {chosen.planned:,} texts", said["cpu_seconds"], took - loading, "s")]
    folder.mkdir(parents=True, exist_ok=True)
    with migrate_kills.service(folder) as (_, config):
        said, _, spent = _planned(folder / "hosted", chosen.planned, "served", config)
    return [*rows, _within(f"plan, money of {chosen.planned:,} texts", said["usd"], spent, "USD")]


def _planned(folder: Path, texts: int, model: str, config: Path | None = None) -> tuple[dict[str, float], float, float]:
    """(the plan, CPU seconds of the move, what it spent)."""
    home = folder / ".embassay"
    with embassay.open(home) as opened:
        records = (migrate_kills.record(at, text) for at, text in enumerate(passages(migrate_kills.WORDS, texts)))
        opened.set(SET).upsert(records, model=migrate_kills.OLD)
    place = ("--home", str(home), "--json")
    said = json.loads(_cpu_seconds("migrate", SET, "--to", model, "--plan", *place, config=config)[1])
    took, done = _cpu_seconds("migrate", SET, "--to", model, *place, config=config)
    return said, took, json.loads(done)["usd"]


def _cpu_seconds(*command: str, config: Path | None = None) -> tuple[float, bytes]:
    """(CPU seconds of a command, those of what it started included; what it printed)."""
    process = start(*command, config=config, output=subprocess.PIPE)
    assert process.stdout
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return used.ru_utime + used.ru_stime, printed


def _within(what: str, said: float, took: float, unit: str) -> Row:
    """What was said, held against what it took."""
    met = abs(said - took) <= WITHIN * took
    return Row(what, said, took, said / took, unit, f"+- {WITHIN:.0%}", met)


# -- beside searches ----------------------------------------------------------------------------------------------


def beside(folder: Path, chosen: argparse.Namespace) -> list[Row]:
    """A search alone and beside a move in the background, and the rate of the move alone and beside searches, by turns.

    For its turns alone the search has the process of the move stopped.
    """
    home, other = folder / ".embassay", noisy(folder / "noisy")
    with embassay.open(home) as opened:
        docs = opened.set(SET)
        size = int((1 + chosen.rounds * 2) * TURN_SECONDS * FASTEST)
        docs.upsert(({"id": str(at), "text": text} for at, text in enumerate(passages(24, size))), model="minilm@int8")
        docs.search("how is a key rotated", k=10)
        docs.migrate(f"{other}@int8", background=True)
        process = int(docs.migration().process.rpartition(":")[2])
        try:
            idle, busy, alone, shared = _turns(docs, process, chosen.rounds)
        finally:
            for number in (signal.SIGCONT, signal.SIGTERM):
                with suppress(ProcessLookupError):
                    os.kill(process, number)
    p95 = [float(np.percentile(one, 95)) for one in (busy, idle)]
    rates = [median(one) for one in (shared, alone)]
    return [
        at_most("search p95 beside a move / idle", p95[0] / p95[1], SLOWER, "x"),
        Row("search p95 beside a move", p95[0], p95[1], p95[0] / p95[1], "ms", "reported", None),
        Row("search p50 beside a move", median(busy), median(idle), median(busy) / median(idle), "ms", "", None),
        at_least("rate of the move beside searches / alone", rates[0] / rates[1], KEPT, "x"),
        Row("rate of the move beside searches", rates[0], rates[1], rates[0] / rates[1], "texts/s", "reported", None),
    ]


def _turns(
    docs: embassay.EmbeddingSet, process: int, rounds: int
) -> tuple[list[float], list[float], list[float], list[float]]:
    """(ms of searches alone, beside the move; texts a second of the move alone, beside searches)."""
    idle: list[float] = []
    busy: list[float] = []
    alone: list[float] = []
    shared: list[float] = []
    _rate(docs, lambda: time.sleep(TURN_SECONDS))  # its model is loaded
    for _ in range(rounds):
        os.kill(process, signal.SIGSTOP)
        idle += _searches(docs)
        os.kill(process, signal.SIGCONT)
        shared.append(_rate(docs, lambda: busy.extend(_searches(docs))))
        alone.append(_rate(docs, lambda: time.sleep(TURN_SECONDS)))
    assert docs.migration().state == "backfilling", "the set is too small for so many rounds"
    return idle, busy, alone, shared


def _searches(docs: embassay.EmbeddingSet) -> list[float]:
    """How long each search took that came in one turn, in ms."""
    took, began, at = [], time.perf_counter(), 0
    while time.perf_counter() < began + TURN_SECONDS:
        asked = time.perf_counter()
        docs.search(f"how is key number {at * 7919 % 1000} rotated", k=10)
        took.append((time.perf_counter() - asked) * 1000)
        at += 1
        time.sleep(max(0.0, began + at / SEARCHES_A_SECOND - time.perf_counter()))
    return took


def _rate(docs: embassay.EmbeddingSet, meanwhile: Callable[[], None]) -> float:
    """Texts a second that the move stores meanwhile."""
    began, before = time.monotonic(), docs.migration().chunks
    meanwhile()
    return (docs.migration().chunks - before) / (time.monotonic() - began)


def noisy(folder: Path) -> Path:
    """The default model with a little noise in the vectors of its words: of equal cost, and a space of its own."""
    import shutil

    from safetensors.numpy import load_file, save_file

    from embassay.engine.locate import locate

    shutil.copytree(locate(MODEL), folder)
    weights = load_file(folder / "model.safetensors")
    name = next(one for one in weights if one.endswith("word_embeddings.weight"))
    noise = np.random.default_rng(0).standard_normal(weights[name].shape).astype(np.float32)
    weights[name] = weights[name] + 0.1 * weights[name].std() * noise
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


PARTS: dict[str, Callable[[Path, argparse.Namespace], list[Row]]] = {
    part.__name__: part for part in (kills, hosted, plan, beside)
}


if __name__ == "__main__":
    main()
