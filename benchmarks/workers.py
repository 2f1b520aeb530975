"""One process or several, on all cores or each on cores of its own: the same load from `wrk`, one after the other.

The peer is the one process that uses all cores, which is the default.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import Row, arguments, median, report
from benchmarks.load import Load, Requests, needs_wrk, served, wrk
from benchmarks.serve import CLIENTS, SECONDS, short_texts
from embassay.threads import cpu_count

EACH = ("--workers", str(cpu_count()))
WAYS: dict[str, tuple[str, ...]] = {
    "one process": (),
    "a process a core": EACH,
    "a process a core, pinned": (*EACH, "--pin"),
}


def main() -> None:
    chosen = arguments(__doc__)
    needs_wrk()
    with TemporaryDirectory() as folder:
        rows = beside(Path(folder), short_texts(), chosen.rounds)
    report("workers", rows, chosen.json, peer="one process")


def beside(folder: Path, requests: Requests, rounds: int, seconds: float = SECONDS) -> list[Row]:
    """Rate, CPU of all processes for a request, and memory, of each way to start the server."""
    loads: dict[str, list[Load]] = {way: [] for way in WAYS}
    memory: dict[str, float] = {}
    for way, options in WAYS.items():
        with served(folder / way.replace(" ", "-") / ".embassay", *options) as target:
            wrk(target, requests, clients=CLIENTS, seconds=min(2.0, seconds))
            for _ in range(rounds):
                loads[way].append(wrk(target, requests, clients=CLIENTS, seconds=seconds))
            memory[way] = target.memory() / 1e6
    rows: list[Row] = []
    rows += _rows("requests/s", "1/s", {way: median([load.rate for load in found]) for way, found in loads.items()})
    rows += _rows("p95", "ms", {way: median([load.p95 for load in found]) for way, found in loads.items()})
    cpu = {way: median([load.cpu_ms for load in found]) for way, found in loads.items()}
    rows += _rows("CPU of a request", "ms", cpu)
    return rows + _rows("memory", "MB", memory)


def _rows(what: str, unit: str, values: dict[str, float]) -> list[Row]:
    first = values["one process"]
    return [
        Row(f"{what}: {way}", value, first, value / first if first else None, unit, "reported", None)
        for way, value in values.items()
        if way != "one process"
    ]


if __name__ == "__main__":
    main()
