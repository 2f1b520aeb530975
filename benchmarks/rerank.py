"""A cross-encoder on the engine against sentence-transformers' CrossEncoder: same scores, and how much faster.

The model has the shape of the usual small cross-encoder, 6 layers and 384 numbers wide: the encoder of all-MiniLM-L6-v2
with a classifier of random weights, because no trained one can be fetched where this runs. Time does not depend on
weights; how far bf16 and int8 move scores does, and with a trained encoder that says something.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from benchmarks.common import (
    MODEL,
    WORK,
    Peer,
    Row,
    arguments,
    at_least,
    at_most,
    exact_texts,
    faster,
    jsonl,
    median,
    report,
)
from embassay.embedders.providers.local import open_local
from embassay.engine.classifiers import LocalClassifier, load_classifier
from embassay.engine.locate import locate

PASSAGES, TOKENS = 50, 128
BARS = {"f32": 0.0, "bf16": 4.0, "int8": 5.0}
ORDER = {"bf16": 0.99, "int8": 0.97}
"""Rank correlation with the order in f32."""


def main() -> None:
    chosen = arguments(__doc__)
    query = next(iter(jsonl("scifact/queries.jsonl")))["text"]
    texts = exact_texts(open_local(MODEL).tokens, TOKENS, PASSAGES)
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder, Peer() as peer:
        write_model(Path(folder))
        models = {precision: load_classifier(folder, precision) for precision in BARS}  # type: ignore[arg-type]
        rows = same_scores(models, peer, folder)
        rows += speed(models, peer, folder, query, texts, chosen.rounds)
    report("rerank", rows, chosen.json)


def write_model(folder: Path) -> None:
    """The encoder of the default model with a classifier of random weights, as transformers saves it."""
    source = locate(MODEL)
    shutil.copy(source / "tokenizer.json", folder)
    for name in ("tokenizer_config.json", "vocab.txt"):
        if (source / name).is_file():
            shutil.copy(source / name, folder)
    config = json.loads((source / "config.json").read_text())
    raw = {"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}
    labels = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    own = {"architectures": ["BertForSequenceClassification"], "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(config | labels | own | raw))
    rng, width = np.random.default_rng(0), config["hidden_size"]
    tensors = {f"bert.{name}": tensor for name, tensor in load_file(source / "model.safetensors").items()}
    del tensors["bert.embeddings.position_ids"]
    tensors["classifier.weight"] = rng.normal(0, width**-0.5, (1, width)).astype(np.float32)
    tensors["classifier.bias"] = np.zeros(1, np.float32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def same_scores(models: dict[str, LocalClassifier], peer: Peer, folder: str) -> list[Row]:
    """Pairs of all lengths, a part of them cut, as the classifier scores them: no sigmoid makes differences smaller."""
    queries = [row["text"] for row in list(jsonl("scifact/queries.jsonl"))[:3]]
    texts = [f"{row['title']} {row['text']}" for row in list(jsonl("scifact/corpus.jsonl"))[:50]]
    theirs = np.array([peer.ask(cross_encoder=folder, query=query, texts=texts)["scores"] for query in queries])
    ours = {p: np.array([m.scorer.score(q, texts).values[:, 0] for q in queries]) for p, m in models.items()}
    pairs = len(queries) * len(texts)
    rows = [
        at_most(f"furthest of {pairs} scores from the reference, f32", float(np.abs(ours["f32"] - theirs).max()), 1e-3)
    ]
    for precision, least in ORDER.items():
        alike = min(rank_correlation(a, b) for a, b in zip(ours[precision], theirs, strict=True))
        rows.append(
            at_least(f"least rank correlation of {len(queries)} orders of {len(texts)}, {precision}", alike, least)
        )
    return rows


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's."""
    return float(np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1])


def speed(
    models: dict[str, LocalClassifier], peer: Peer, folder: str, query: str, texts: list[str], rounds: int
) -> list[Row]:
    """Alternating rounds; each ratio is the median of the rounds' ratios, by the clock and by the time of the CPU."""
    for model in models.values():
        model.scorer.score(query, texts)
    peer.ask(cross_encoder=folder, query=query, texts=texts)
    ours: dict[str, list[tuple[float, float]]] = {precision: [] for precision in models}
    theirs = []
    for _ in range(rounds):
        answer = peer.ask(cross_encoder=folder, query=query, texts=texts)
        theirs.append((float(answer["seconds"]), float(answer["cpu"])))
        for precision, model in models.items():
            started, cpu = time.perf_counter(), time.process_time()
            model.scorer.score(query, texts)
            ours[precision].append((time.perf_counter() - started, time.process_time() - cpu))
    rows = []
    for precision, figures in ours.items():
        for at, unit in enumerate(("pairs/s", "pairs/CPU s")):
            ratio = median([other[at] / mine[at] for mine, other in zip(figures, theirs, strict=True)])
            rate = len(texts) / median([mine[at] for mine in figures])
            bar = BARS[precision]
            rows.append(faster(f"{len(texts)} passages of {TOKENS} tokens, {precision}", rate, rate / ratio, bar, unit))
    return rows


if __name__ == "__main__":
    main()
