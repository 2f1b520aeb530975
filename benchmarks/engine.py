"""The engine against SentenceTransformer.encode: same vectors, how much faster, and how near the hardware."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np

from benchmarks.common import (
    MODEL,
    Peer,
    Row,
    arguments,
    at_least,
    exact_texts,
    faster,
    glosses,
    jsonl,
    median,
    report,
    timed,
)
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.providers.local import open_local

SETS = {"18 tokens": (18, 800), "60 tokens, mixed": (0, 500), "250 tokens": (250, 160)}
MIXTURE = ((20, 0.3), (40, 0.22), (60, 0.2), (90, 0.18), (150, 0.1))
"""Lengths and shares of the mixed set; their mean is about 60."""
BARS: dict[str, tuple[float, float, float]] = {"f32": (0, 0, 0), "bf16": (3.3, 3.3, 2.4), "int8": (4.8, 4.4, 3.2)}
COSINES = {"f32": 0.99999, "bf16": 0.9998, "int8": 0.993}


def main() -> None:
    chosen = arguments(__doc__)
    engines = {precision: open_local(MODEL, precision=precision) for precision in BARS}  # type: ignore[arg-type]
    tokens = engines["f32"].tokens
    with Peer() as peer:
        rows = same_vectors(real_texts(), engines, peer)
        for at, (name, (length, count)) in enumerate(SETS.items()):
            texts = exact_texts(tokens, length, count) if length else mixed(tokens, count)
            bars = {precision: three[at] for precision, three in BARS.items()}
            rows += throughput(name, texts, engines, peer, bars, chosen.rounds)
            if length == 250:
                rows += share_of_peak(engines["int8"], texts)
        rows += one_query(exact_texts(tokens, 18, 40), engines["bf16"], peer)
    report("engine", rows, chosen.json)


def mixed(tokens: Any, count: int) -> list[str]:
    texts = [t for length, share in MIXTURE for t in exact_texts(tokens, length, round(count * share))]
    random.Random(0).shuffle(texts)
    return texts


def real_texts() -> list[str]:
    """600 of all lengths: abstracts, definitions and claims."""
    texts = [f"{r['title']} {r['text']}" for r in list(jsonl("scifact/corpus.jsonl"))[:200]] + glosses()[::500][:200]
    return texts + [r["text"] for r in list(jsonl("scifact/queries.jsonl"))[:200]]


def same_vectors(texts: list[str], engines: dict[str, LocalEmbedder], peer: Peer) -> list[Row]:
    """Least cosine to the peer's vectors."""
    reference = np.array(peer.ask(texts=texts, vectors=True)["vectors"])
    rows = []
    for precision, engine in engines.items():
        cosines = (engine.embed(texts, "document").vectors * reference).sum(1)
        rows.append(
            at_least(f"least cosine of {len(texts)} texts, {precision}", float(cosines.min()), COSINES[precision])
        )
    return rows


def throughput(
    name: str,
    texts: list[str],
    engines: dict[str, LocalEmbedder],
    peer: Peer,
    bars: dict[str, float],
    rounds: int,
) -> list[Row]:
    """Alternating rounds; the ratio is the median of the rounds' ratios."""
    for engine in engines.values():
        engine.embed(texts, "document")
    peer.ask(texts=texts[:32])
    ours: dict[str, list[float]] = {precision: [] for precision in engines}
    theirs = []
    for _ in range(rounds):
        theirs.append(len(texts) / float(peer.ask(texts=texts)["seconds"]))
        for precision, engine in engines.items():
            ours[precision].append(len(texts) / timed(lambda engine=engine: engine.embed(texts, "document")))  # type: ignore[misc]
    rows = []
    for precision, figures in ours.items():
        ratio = median([mine / other for mine, other in zip(figures, theirs, strict=True)])
        rows.append(faster(f"{name}, {precision}", median(figures), median(figures) / ratio, bars[precision]))
    return rows


def one_query(texts: list[str], engine: LocalEmbedder, peer: Peer, *, rounds: int = 4, pause: float = 0.5) -> list[Row]:
    """One short query at a time, warm, in process. The peer's threads go on spinning for a while, hence the pause."""
    ours, theirs = [], []
    for _ in range(rounds):
        time.sleep(pause)
        engine.embed(texts[:1], "query")
        ours += [timed(lambda text=text: engine.embed([text], "query")) for text in texts]  # type: ignore[misc]
        peer.ask(texts=texts[:1])
        theirs += [float(peer.ask(texts=[text])["seconds"]) for text in texts]
    return [faster("one query, bf16 (per second)", 1 / median(ours), 1 / median(theirs), 3.5, "queries/s")]


def share_of_peak(engine: LocalEmbedder, texts: list[str], *, peak_width: int = 2048) -> list[Row]:
    """The engine's int8 operations a second against the best that one large int8 product reaches here."""
    encoder = engine.model.spec.encoder()
    width, layers = encoder.width, encoder.layers
    inner = 4 * width  # of the model that is measured, as of every BERT
    per_token = layers * 2 * (4 * width * width + 2 * width * inner)  # multiply and add of every matrix
    tokens = sum(engine.tokens.count(texts))
    seconds = min(timed(lambda: engine.embed(texts, "document")) for _ in range(3))
    share = per_token * tokens / seconds / int8_peak(peak_width, peak_width)
    return [Row("share of the CPU's int8 matrix peak, 250 tokens", share, None, None, "", "reported", None)]


def int8_peak(rows: int, width: int) -> float:
    """Operations a second of an int8 product with the engine's own quantisation, large enough to be all matrix."""
    import openvino as ov
    from openvino import opset15 as op

    from embassay.engine.runtimes.openvino import INT8_GROUP
    from embassay.threads import cpu_count

    levels = np.random.default_rng(0).integers(-127, 128, (width, width), np.int8)
    x = op.parameter([rows, width], np.float32)
    weights = op.multiply(op.convert(op.constant(levels), "f32"), op.constant(np.full((width, 1), 0.01, np.float32)))
    product = op.matmul(op.matmul(op.matmul(x, weights, False, True), weights, False, True), weights, False, True)
    compiled = ov.Core().compile_model(
        ov.Model([op.reduce_max(product, op.constant(np.array([0, 1])), False)], [x]),
        "CPU",
        {
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": INT8_GROUP,
            "INFERENCE_PRECISION_HINT": "bf16",
            "INFERENCE_NUM_THREADS": cpu_count(),
        },
    )
    data = np.random.default_rng(1).normal(size=(rows, width)).astype(np.float32)
    compiled([data])
    seconds = min(timed(lambda: compiled([data])) for _ in range(5))
    return 3 * 2 * rows * width * width / seconds


if __name__ == "__main__":
    main()
