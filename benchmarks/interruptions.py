"""Index runs that are stopped at random seconds: how much of their work the next run does again.

    python -m benchmarks.interruptions [--stops 3] [--seed 0]

Three corpora are embedded here, and one by a service on this machine. A run notes when each text is computed. Once it
is stopped, the texts that are stored are held against those: the work that was lost is the time since as many were
computed. Of the service it is counted how many texts it was sent twice.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.common import DATA, Row, at_most, report
from benchmarks.processes import lost_seconds, noted, start
from embassay.errors import EmbassayError

CORPORA = {
    "rust-book": DATA / "docs" / "rust-book",
    "fastapi": DATA / "docs" / "fastapi",
    "glosses": DATA / "wordnet-glosses" / "corpus.jsonl",
}
HOW = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
LONGEST = 20.0
"""Seconds after the first text was computed after which a run is stopped at the latest."""
LOST_SECONDS = 3.0
CONCURRENCY, BATCH = 4, 32
SERVED = """
embeddings:
  models:
    served: {{provider: openai, model_id: m, api_key: k, base_url: "{url}/v1", max_tokens: 512,
              concurrency: {concurrency}, batch_size: {batch}}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--stops", type=int, default=3, help="of each corpus, by each signal")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    rng = random.Random(chosen.seed)
    rows: list[Row] = []
    for name, corpus in CORPORA.items():
        for how in HOW:
            lost = [_lost(corpus, how, rng.uniform(0.5, LONGEST)) for _ in range(chosen.stops)]
            rows += [
                at_most(f"{name}, {how.name}: s of work done again, most of {len(lost)}", max(lost), LOST_SECONDS, "s")
            ]
    for how in HOW:
        twice = [_paid_twice(CORPORA["rust-book"], how, rng.uniform(0.5, 8.0)) for _ in range(chosen.stops)]
        rows += [at_most(f"hosted, {how.name}: texts sent twice, most", max(twice), CONCURRENCY * BATCH, "texts")]
    report("interruptions", rows, chosen.json)


def _lost(corpus: Path, how: signal.Signals, seconds: float) -> float:
    """Seconds of work that are lost where a run over `corpus` is stopped so long after its first text.

    The batches that were being computed are not among them: they were never done.
    """
    with tempfile.TemporaryDirectory() as place:
        notes, home = Path(place) / "notes", Path(place) / ".embassay"
        process = start("index", str(corpus), "--home", str(home), notes=notes)
        while process.poll() is None and not (notes.is_file() and notes.stat().st_size):
            time.sleep(0.02)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(how)
            process.wait()
        return lost_seconds(noted(notes), _stored(home))


def _stored(home: Path) -> int:
    import embassay

    try:
        with embassay.open(home) as opened:
            return sum(status.chunks for status in opened.status())
    except EmbassayError:
        return 0


def _paid_twice(corpus: Path, how: signal.Signals, seconds: float) -> int:
    """Texts that a service was sent twice by a run that is stopped and the one behind it."""
    from tests.servers import Answer, Received, hash_openai, serving

    sent: Counter[str] = Counter()
    answer = hash_openai(64)

    def handle(request: Received) -> Answer:
        sent.update(request.json["input"])
        time.sleep(0.3)
        return answer(request)

    with tempfile.TemporaryDirectory() as place, serving(handle) as server:
        configuration = Path(place) / "served.yaml"
        configuration.write_text(SERVED.format(url=server.url, concurrency=CONCURRENCY, batch=BATCH))
        for wait in (seconds, None):
            home = str(Path(place) / ".embassay")
            process = start("index", str(corpus), "-m", "served", "--home", home, config=configuration)
            while process.poll() is None and not sent:
                time.sleep(0.02)
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                process.send_signal(how)
                process.wait()
    from embassay.canaries import CANARY_TEXTS

    return sum(count - 1 for text, count in sent.items() if text not in CANARY_TEXTS)


if __name__ == "__main__":
    main()
