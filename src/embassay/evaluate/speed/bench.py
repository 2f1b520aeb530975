"""The speed of models, each in a process of its own: latency, throughput by length, memory, and what they ran on.

A process of its own gives every model the same start and its own peak of memory, and lets the number of cores be
chosen. Whatever is reported was repeated after a warm-up, and comes as median with its spread.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypedDict

from embassay import jsontext
from embassay.errors import EmbassayError, UsageError
from embassay.evaluate.compare.statistics import Spread, spread
from embassay.evaluate.speed.timing import BATCH, HOSTED_QUERIES, query_ms, read_tokens, spaced
from embassay.ingest.survey import survey
from embassay.threads import cpu_count

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.session import Session

LENGTHS = (16, 64, 256)
"""Tokens of the texts in batches."""
QUERIES, ROUNDS, HOSTED_ROUNDS = 200, 5, 3
SAMPLE, HOSTED_SAMPLE = 256, 64
"""Chunks of the user's documents that are embedded in each round."""
ROUND_SECONDS = 1.0
"""A round embeds as many texts as fit in about this time, and at least a batch."""
PROSE = (
    "Every request carries a key that names its owner and expires after thirty days. When a worker stops, its lease "
    "ends, and another one goes on with the oldest batch that was not finished. Vectors of one space are compared by "
    "their cosine; a query from another model is refused before it reaches the store. Reports are kept for a year, "
    "then moved to cheaper disks, where reading them takes minutes instead of seconds. The scheduler prefers short "
    "jobs at night because nobody waits for them. A failed upload is tried again with a growing pause, and given up "
    "when the caller's deadline has passed. "
)
"""What texts are cut from where no documents are named."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What one process measures."""

    model: str
    threads: int | None = None
    """Cores it may use; None: all of them."""
    docs: tuple[str, ...] = ()
    """Files and folders of the user's own, to be cut as the model would index them."""
    lengths: tuple[int, ...] = LENGTHS
    rounds: int = ROUNDS
    run: str = ""
    """Of which run the process is a part, whose spend cap it shares; empty: a run of its own."""
    cache_file: str = ""
    """The cache of that run, beside which its ledger lies; empty: that of the user."""


class Rate(TypedDict):
    """A speed over several rounds."""

    median: float
    low: float
    high: float
    rounds: int


class BatchSpeed(TypedDict):
    """How fast texts are embedded in batches."""

    texts: int
    """Texts that were embedded in each round."""
    texts_per_second: Rate
    tokens_per_second: Rate


class LengthSpeed(BatchSpeed):
    """The speed of batches of texts that have one length."""

    tokens: int
    """Tokens of each text."""


class DocumentSpeed(BatchSpeed):
    """The speed of batches of chunks of the user's documents."""

    chunks: int
    """Chunks of all documents."""
    tokens: int
    """Tokens of all chunks."""
    usd: float | None
    """What embedding all of them once would cost."""


class Measured(TypedDict):
    """What a benchmark found of one model. None stands for what was not measured, or is not known."""

    model: str
    threads: int | None
    space: str | None
    space_digest: str | None
    precision: str | None
    first_ms: float | None
    """Milliseconds to load the model and embed the first query."""
    query_ms: Spread | None
    batches: list[LengthSpeed]
    left_out: list[int]
    """Lengths that are above the model's limit."""
    documents: DocumentSpeed | None
    peak_mb: float | None
    usd_per_million_tokens: float | None
    spent_usd: float | None
    error: str
    """Why the model failed; empty where it did not."""


def bench(task: Benchmark, models: Registry | None = None) -> Measured:
    """Measure in a process of its own. A model that fails has its reason under ``error``.

    `models`: those of the run that asks, whose ledger and spend cap the process shares.
    """
    if models is None:
        return _in_a_process(task)
    return _in_a_process(replace(task, run=models.payer.run, cache_file=str(models.own_cache_file or "")))


def _in_a_process(task: Benchmark) -> Measured:
    """``-P`` keeps Python from importing modules of the working folder in place of ours."""
    started = subprocess.run(
        [sys.executable, "-P", "-m", "embassay.evaluate.speed.bench"],
        input=jsontext.dumps(asdict(task), ascii_only=True).encode(),
        capture_output=True,
        check=False,
    )
    lines = started.stdout.decode("utf-8", "replace").strip().splitlines()
    if started.returncode or not lines:
        said = started.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        return _failed(task, f"the process ended with {started.returncode}: {said[0][:200]}")
    result: Measured = jsontext.loads(lines[-1])
    return result


def measure(task: Benchmark, session: Session | None = None) -> Measured:
    """Measure in this process: past every cache, and below the cap on what is spent."""
    from embassay.embedders.wrap.wrapper import uncached
    from embassay.session import Session

    _use_cores(task.threads)
    found = _empty(task)
    cache_file = Path(task.cache_file) if task.cache_file else None
    with nullcontext(session) if session else Session(cache_file=cache_file, purpose="bench", run=task.run) as opened:
        try:
            started = time.perf_counter()
            embedder = uncached(opened.models.get(task.model))
            embedder.embed(["the first query"], "query")
            found["first_ms"] = round((time.perf_counter() - started) * 1e3, 1)
            _fill(found, task, embedder)
        except EmbassayError as error:
            found["error"] = str(error)
        found["spent_usd"] = opened.budget.own or None
    return found


def _failed(task: Benchmark, reason: str) -> Measured:
    found = _empty(task)
    found["error"] = reason
    return found


def _empty(task: Benchmark) -> Measured:
    return {
        "model": task.model, "threads": task.threads, "space": None, "space_digest": None, "precision": None,
        "first_ms": None, "query_ms": None, "batches": [], "left_out": [], "documents": None, "peak_mb": None,
        "usd_per_million_tokens": None, "spent_usd": None, "error": "",
    }  # fmt: skip


def _fill(found: Measured, task: Benchmark, embedder: Embedder) -> None:
    remote = embedder.remote
    rounds = min(task.rounds, HOSTED_ROUNDS) if remote else task.rounds
    queries = _cut(embedder, 16, 64)
    wanted = HOSTED_QUERIES if remote else QUERIES
    asked = (queries * -(-wanted // len(queries)))[:wanted]
    found["space"], found["space_digest"] = str(embedder.space), embedder.space.digest
    found["precision"] = embedder.precision
    found["query_ms"] = spread(query_ms(embedder, asked))
    found["usd_per_million_tokens"] = embedder.price
    limit = embedder.tokens.max_tokens
    found["left_out"] = [length for length in task.lengths if length > limit]
    for length in [] if remote else [n for n in task.lengths if n <= limit]:
        texts = _cut(embedder, length, 512)
        found["batches"].append({"tokens": length, **_rounds(embedder, texts, rounds)})
    if task.docs:
        folders = [Path(path) for path in task.docs]
        seen = survey(folders, embedder.tokens, prompt=embedder.space.document_prompt)
        if not seen.sample:
            raise UsageError(f"no text in {', '.join(task.docs)}.")
        chunks = spaced(seen.sample, HOSTED_SAMPLE if remote else SAMPLE)
        tokens = sum(seen.tokens)
        usd = None if embedder.price is None else embedder.price * tokens / 1e6
        found["documents"] = {"chunks": seen.chunks, "tokens": tokens, "usd": usd, **_rounds(embedder, chunks, rounds)}
    found["peak_mb"] = _peak_mb()


def _rounds(embedder: Embedder, texts: Sequence[str], rounds: int) -> BatchSpeed:
    """Texts and tokens a second over `rounds`, the first one uncounted, which also shows how many texts fit."""
    size = BATCH
    seconds, _ = _once(embedder, texts[:size])
    fitting = int(size * ROUND_SECONDS / max(seconds, 1e-6))
    chosen = texts[: max(size, min(len(texts), fitting))]
    per_text, per_token = [], []
    for _ in range(rounds):
        seconds, tokens = _once(embedder, chosen)
        per_text.append(len(chosen) / seconds)
        per_token.append(tokens / seconds)
    return {"texts": len(chosen), "texts_per_second": _middle(per_text), "tokens_per_second": _middle(per_token)}


def _once(embedder: Embedder, texts: Sequence[str]) -> tuple[float, int]:
    started = time.perf_counter()
    made = embedder.embed(texts, "document")
    return max(time.perf_counter() - started, 1e-9), read_tokens(embedder, made)


def _middle(values: Sequence[float]) -> Rate:
    """Median, least and greatest of the rounds."""
    return {
        "median": round(median(values), 1),
        "low": round(min(values), 1),
        "high": round(max(values), 1),
        "rounds": len(values),
    }


def _cut(embedder: Embedder, length: int, count: int) -> list[str]:
    """Different texts of `length` tokens, special ones included, as the model counts."""
    tokens = embedder.tokens
    source = PROSE * (2 + length // 100)
    offsets = tokens.tokenizer.encode(source, add_special_tokens=False).offsets
    body = max(1, length - tokens.special)
    room = max(1, len(offsets) - body)
    starts = [(at * 7) % room for at in range(count)]
    return [source[offsets[s][0] : offsets[min(s + body, len(offsets)) - 1][1]].strip() for s in starts]


def _use_cores(count: int | None) -> None:
    """Raises UsageError where there are not as many, or the system cannot choose."""
    if count is None:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise UsageError("this system cannot choose cores.", remedy="Leave threads out.")
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:count])


def check_threads(counts: Sequence[int]) -> None:
    """Raises UsageError for numbers of cores that this process does not have."""
    have = cpu_count()
    for count in counts:
        if not 1 <= count <= have:
            raise UsageError(f"threads is {count}: this machine has {have} cores for it.")


def _peak_mb() -> float | None:
    """The most memory that this process has taken until now, in 10^6 bytes; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


if __name__ == "__main__":
    given = jsontext.loads(sys.stdin.buffer.read())
    for key in ("docs", "lengths"):
        given[key] = tuple(given[key])
    sys.stdout.write(jsontext.dumps(measure(Benchmark(**given)), ascii_only=True) + "\n")
