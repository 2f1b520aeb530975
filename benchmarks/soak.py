"""The server for ten minutes at four fifths of the rate that it reaches: how its memory grows, and whether it errs.

There is no peer: what is held against the end is the beginning, once everything was asked for a while.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import embassay
from benchmarks.common import Row, arguments, at_most, passages, report
from benchmarks.load import Load, Requests, Target, needs_wrk, served, wrk

SECONDS = float(os.environ.get("EMBASSAY_SOAK_SECONDS") or 600)
CLIENTS, SHARE, PARTS = 16, 0.8, 20
WARM_SECONDS = 120.0
"""Before memory is looked at: OpenVINO keeps kernels for each shape of a batch that it meets, up to a number."""


def main() -> None:
    chosen = arguments(__doc__)
    needs_wrk()
    with TemporaryDirectory() as folder:
        home = Path(folder) / ".embassay"
        with embassay.open(home) as made:
            made.set("docs").upsert([{"id": str(at), "text": text} for at, text in enumerate(passages(60, 300))])
        with served(home) as target:
            rows = soak(target, SECONDS, WARM_SECONDS)
    report("soak", rows, chosen.json, peer="beginning")


def soak(target: Target, seconds: float, warm_seconds: float) -> list[Row]:
    """Texts to embed, and a search among ten, until the time is over."""
    requests = mixed()
    full = wrk(target, requests, clients=CLIENTS, seconds=warm_seconds)
    pause = max(1.0, CLIENTS / (full.rate * SHARE) * 1e3 - full.p50 * SHARE)
    memory: list[int] = []
    loads: list[Load] = []
    for _ in range(PARTS):
        loads.append(wrk(target, requests, clients=CLIENTS, seconds=seconds / PARTS, pause_ms=pause))
        memory.append(target.memory())
    begin, end = memory[0], max(memory[-3:])
    count = sum(load.requests for load in loads)
    rate = count / seconds
    return [
        Row("requests/s, of what is reached at most", rate, full.rate, rate / full.rate, "1/s", "reported", None),
        Row("requests", count, None, None, "", "reported", None),
        Row("p95, the worst part", max(load.p95 for load in loads), None, None, "ms", "reported", None),
        Row("memory", end / 1e6, begin / 1e6, end / begin, "MB", "reported", None),
        at_most("memory: growth", (end / begin - 1) * 100, 5, "%"),
        at_most("errors", sum(load.errors for load in (full, *loads)), 0),
    ]


def mixed() -> Requests:
    """Nine calls that embed, as documents and as queries, of short and of long texts; and a search."""
    lines: list[tuple[str, str]] = []
    texts = [passages(words, 400) for words in (8, 12, 25, 40)]
    for at in range(400):
        for number in range(9):
            body = {"input": texts[number % 4][at], "input_type": "query" if number % 3 == 0 else "document"}
            lines.append(("/v1/embeddings", json.dumps(body)))
        lines.append(("/api/v1/search", json.dumps({"q": texts[0][at], "set": "docs"})))
    return Requests("", [f"{path} {body}" for path, body in lines])


if __name__ == "__main__":
    main()
