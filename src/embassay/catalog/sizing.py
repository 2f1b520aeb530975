"""What an index of so many chunks takes: bytes, a kind of index, memory and cores, for a rate and a latency of queries.

The constants were measured on 2 cores of an AMD EPYC with AVX-512, over vectors of 384 dimensions; time grows with the
dimensions. `python -m benchmarks.sizing` prints those of scans for the machine that it runs on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from embassay.catalog.card import ModelCard
from embassay.catalog.cost import OVERHEAD
from embassay.catalog.machine import HOSTED_QUERY_MS, Machine

MEASURED_DIMENSIONS = 384
MEASURED_CORES = 2
INT8_NS = 5330.0
"""To scan a row of int8 by widening it block by block, on one core of a machine that was busy (`benchmarks.sizing`)."""
CODES_FIXED_MS = 5.3
"""Of a search by codes of one bit (IVF_RQ of LanceDB) beside its scan: partitions, and 400 candidates computed from the
full vectors. From 5.5, 5.7 and 6.2 ms for a quarter, half and all of 107,525 rows, at a recall@10 of 0.999 for all."""
CODES_NS = 8.7
"""To scan the code of a row, from the same figures."""
CODES_MOST_ROWS = 640 * 4096
"""Rows that such a search scans at most: it probes 640 partitions, of 4,096 rows each."""
CODE_BYTES = 16
"""Of a row beside the bits of its code: its number, and two factors of its distance."""
STORED_ROW_BYTES = 560
"""Of text a chunk, as 5,516 chunks of documentation had."""
FREE_MEMORY = 1.3
"""Memory for each byte that is held: the system, and what a build needs besides."""
BUSY = 0.6
"""Share of the cores' time that queries may take on average, so that they seldom wait for one another."""
CORES = (2, 4, 8, 16, 32, 64)
SCALES_TO = 16
"""Cores up to which a scan is taken to get faster in proportion: an assumption, no such machine was measured."""
DEFAULT_LATENCY_MS = 100.0
"""Most time of a query, embedding included, where none is given."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of an index."""

    chunks: int
    qps: float = 1.0
    latency_ms: float = DEFAULT_LATENCY_MS
    """Of one query, from its text to its hits."""


@dataclass(frozen=True, slots=True)
class IndexKind:
    """One kind of index, for one model and one load."""

    name: str
    memory_bytes: int
    """Of what is held in memory while it is searched."""
    search_ms: float
    """Of one search on the cores that were chosen."""
    cores: int | None
    """The fewest that meet the latency and the rate; None where 64 do not."""

    def to_dict(self) -> dict[str, object]:
        """The kind as the JSON output has it."""
        return {
            "index": self.name,
            "memory_bytes": self.memory_bytes,
            "search_ms": round(self.search_ms, 1),
            "cores": self.cores,
        }


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a model's index takes."""

    vectors: tuple[tuple[str, int], ...]
    """(form, bytes of the vectors alone): float32, int8 and binary."""
    kinds: tuple[IndexKind, ...]
    """From exact to approximate."""
    embed_ms: float
    """Of one query, before it is searched for."""
    memory_gb: float | None
    """Of a machine for the kind that is chosen."""
    disk_bytes: int

    @property
    def chosen(self) -> IndexKind | None:
        """The kind that meets the load on the fewest cores; of equals the most exact one."""
        return min((kind for kind in self.kinds if kind.cores), key=lambda kind: kind.cores or 0, default=None)

    def to_dict(self) -> dict[str, object]:
        """The sizing as the JSON output has it."""
        return {
            "vectors": dict(self.vectors),
            "indexes": [kind.to_dict() for kind in self.kinds],
            "chosen": self.chosen.name if self.chosen else None,
            "cores": self.chosen.cores if self.chosen else None,
            "embed_ms": round(self.embed_ms, 1),
            "memory_gb": self.memory_gb,
            "disk_bytes": self.disk_bytes,
        }


def size_index(card: ModelCard, load: Load, machine: Machine, *, gpu: bool = False) -> Sizing | None:
    """What `load` takes with a model; None where its dimensions or its size are not known.

    With a GPU, embedding a query is taken to need no time.
    """
    if card.dimensions is None:
        return None
    embed = HOSTED_QUERY_MS if not card.open_weights else 0.0 if gpu else machine.query_ms(card)
    if embed is None:
        return None
    rows, dims = load.chunks, card.dimensions
    share = dims / MEASURED_DIMENSIONS
    vectors = (("float32", rows * dims * 4), ("int8", rows * dims), ("binary", math.ceil(rows * dims / 8)))
    scanned = min(rows, CODES_MOST_ROWS)
    plans = (
        ("exact scan of float32", rows * dims * 4, 0.0, rows * dims * 4 / machine.bandwidth * 1e3),
        ("exact scan of int8", rows * dims, 0.0, rows * INT8_NS * share / MEASURED_CORES / 1e6),
        (
            "IVF over codes of one bit, and the full vectors of 400 candidates",
            math.ceil(rows * (dims / 8 + CODE_BYTES)), CODES_FIXED_MS, scanned * CODES_NS * share / 1e6,
        ),
    )  # fmt: skip
    here = 0.0 if not card.open_weights or gpu else embed
    kinds = tuple(_kind(name, memory, fixed, scan, embed, here, load) for name, memory, fixed, scan in plans)
    made = Sizing(vectors, kinds, embed, None, round(rows * (dims * 4 + STORED_ROW_BYTES) * OVERHEAD))
    if made.chosen is None:
        return made
    weights = (card.size_mb or 0) * 1e6 if card.open_weights else 0
    memory = math.ceil((made.chosen.memory_bytes + weights) * FREE_MEMORY / 1e9)
    return Sizing(vectors, kinds, embed, float(memory), made.disk_bytes)


def _kind(name: str, memory: int, fixed: float, scan: float, embed: float, here: float, load: Load) -> IndexKind:
    """The fewest cores on which one query is fast enough, and which so many a second do not wear out.

    `scan` is the time on the cores that were measured; `here`, what embedding takes of these cores.
    """
    busy_cores = load.qps * (here + fixed + scan) * MEASURED_CORES / 1000 / BUSY
    for cores in CORES:
        search = fixed + scan * MEASURED_CORES / min(cores, SCALES_TO)
        if embed + search <= load.latency_ms and busy_cores <= cores:
            return IndexKind(name, memory, search, cores)
    return IndexKind(name, memory, fixed + scan * MEASURED_CORES / SCALES_TO, None)


def too_slow(card: ModelCard, load: Load, machine: Machine, *, gpu: bool = False) -> str:
    """Why no kind of index of a model meets `load`; empty where one does."""
    sizing = size_index(card, load, machine, gpu=gpu)
    if sizing is None:
        return "its dimensions or its size are not known, so that its index cannot be sized"
    if sizing.chosen:
        return ""
    fastest = min(sizing.kinds, key=lambda kind: kind.search_ms)
    took = (
        f"{sizing.embed_ms:,.0f} ms to embed a query and {fastest.search_ms:,.0f} ms to search {load.chunks:,} chunks"
    )
    return f"{took} on {CORES[-1]} cores, for {load.qps:g} a second within {load.latency_ms:g} ms"
