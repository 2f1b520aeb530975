"""Retrieval quality on judged sets against the published numbers, and the choice of the default fusion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import DATA, MODEL, WORK, Row, arguments, at_least, near, report
from embassay.embedders.base import Embedder
from embassay.embedders.providers.local import open_local
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.score.evaluation import Evaluation, evaluate
from embassay.search.modes import fusions as known_fusions
from embassay.search.modes import pipeline
from embassay.search.pipeline import Pipeline
from embassay.stores.opening import temporary_stores
from embassay.types import Embeddings, OnLong, Role

PUBLISHED = {"scifact": 0.64508, "scifact R@100": 0.925, "xquad/en": 0.9436, "xquad/de": 0.7032}

FUSION_SETS = [("scifact", "test"), ("scifact", "train"), ("xquad/en", "test_mteb"), ("xquad/de", "test_mteb")]


def main() -> None:
    chosen = arguments(__doc__)
    scifact = read_judged(DATA / "scifact", "test")
    rows: list[Row] = []
    for precision, tolerance in (("f32", 0.002), ("bf16", 0.003), ("int8", 0.003)):
        embedder = Remembering(open_local(MODEL, precision=precision))  # type: ignore[arg-type]
        dense = score(scifact, embedder, pipeline("dense"))
        published = PUBLISHED["scifact"] if precision == "f32" else rows[0].ours
        rows.append(
            near(f"SciFact dense nDCG@10, {precision}", dense.metrics["nDCG@10"], round(published, 4), tolerance)
        )
        rows.append(
            near(f"SciFact dense R@100, {precision}", dense.metrics["R@100"], PUBLISHED["scifact R@100"], 0.003)
        )
        if precision == "f32":
            for store in ("memory", "lance"):
                lexical = score(scifact, embedder, pipeline("lexical"), store)
                hybrid = score(scifact, embedder, pipeline("hybrid"), store)
                rows.append(at_least(f"SciFact lexical nDCG@10, {store}", lexical.metrics["nDCG@10"], 0.68))
                rows.append(at_least(f"SciFact hybrid nDCG@10, defaults, {store}", hybrid.metrics["nDCG@10"], 0.74))
            rows += fusions(embedder, FUSION_SETS)
            for language in ("en", "de"):
                data = read_judged(DATA / "xquad" / language, "test_mteb")
                found = score(data, embedder, pipeline("dense")).metrics["nDCG@10"]
                rows.append(near(f"XQuAD {language} dense nDCG@10", found, PUBLISHED[f"xquad/{language}"], 0.003))
    report("quality", rows, chosen.json)


def fusions(embedder: Embedder, sets: Sequence[tuple[str, str]]) -> list[Row]:
    """Every fusion on every set, a folder of the data and its split: the default is the best on the average."""
    rows = []
    for folder, split in sets:
        data = read_judged(DATA / folder, split)
        for name, fusion in known_fusions().items():
            found = score(data, embedder, pipeline("hybrid", fusion=name)).metrics["nDCG@10"]
            rows.append(Row(f"{folder} {split} hybrid nDCG@10, {fusion}", found, None, None, "", "reported", None))
    return rows


def score(
    data: JudgedSet, embedder: Embedder, chosen: Pipeline, store: str = "memory", *, place: Path = WORK
) -> Evaluation:
    """A store that needs files has them in a folder of its own in `place`, for the time of this call."""
    with temporary_stores(store, place) as new_store:
        return evaluate(
            data, embedder, new_store(embedder.space.dimensions, embedder.space.similarity, data.language), chosen
        )


class Remembering(Embedder):
    """Embeds a text once: the same documents are scored under many pipelines."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[tuple[Role, str], list[Embeddings]] = {}

    @property
    def space(self):  # type: ignore[no-untyped-def]
        return self._inner.space

    @property
    def precision(self) -> str:
        return self._inner.precision

    @property
    def tokens(self):  # type: ignore[no-untyped-def]
        return self._inner.tokens

    def stream(self, texts, role: Role, on_long: OnLong = "truncate"):  # type: ignore[no-untyped-def]
        texts = list(texts)
        key = (role, "\n".join(texts))
        if key not in self._known:
            self._known[key] = list(self._inner.stream(texts, role, on_long))
        yield from self._known[key]


if __name__ == "__main__":
    main()
