"""Search by words in many languages, a mixed set, and across languages, on XQuAD (Artetxe, Ruder, Yogatama 2020).

    python -m benchmarks.languages [--xquad FOLDER] [--squad ko=FILE ...] [--served URL NAME]

English, German, Spanish, Russian and Chinese come from the judged data. FOLDER is a checkout of the public repository
deepmind/xquad, for the other languages; FILE is any other file in the form of SQuAD. URL is a server that speaks
OpenAI's API and serves a multilingual model by NAME, for English questions about German texts; it is told the role as
``input_type``. What is not given is left out.

The peer is bm25s as it comes: its own words, and English stop words. Lance's own ``icu`` words stand in rows of their
own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.common import DATA, MODEL, WORK, Row, at_least, report
from benchmarks.quality import score
from embassay.config.values import Config, EmbeddingsConfig
from embassay.embedders.base import Embedder
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.evaluate.score.metrics import mean, per_query
from embassay.evaluate.score.ranking import Run
from embassay.models.registry import Registry
from embassay.search.modes import pipeline
from embassay.types import Document

METRIC = "nDCG@10"
SPLITS = {"en": "test_mteb", "de": "test_mteb", "es": "test_mteb", "ru": "test_mteb", "zh": "test"}
BEFORE = {"en": 0.965, "de": 0.925, "es": 0.952, "ru": 0.871, "zh": 0.95}
"""What lexical search reached in memory while words were cut by spaces, as English; for Chinese what is asked of it."""
OTHERS = ("ar", "el", "hi", "ro", "th", "tr", "vi")
WORDS_ALONE = "hash/64"
"""A model that costs nothing, where none is asked."""


def main() -> None:
    chosen = _arguments()
    if not (DATA / "xquad").is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        return
    WORK.mkdir(parents=True, exist_ok=True)
    given = {name: read_judged(DATA / "xquad" / name, split) for name, split in SPLITS.items()}
    others = {name: squad(name, file) for name, file in _files(chosen).items()}
    config = Config(embeddings=EmbeddingsConfig(models=_served(chosen.served)))
    with Registry(config) as models:
        words = models.get(WORDS_ALONE)
        rows = [row for name, data in (given | others).items() for row in lexical(name, data, words)]
        rows += mixed([given["en"], given["de"], given["zh"]], words)
        found = score(given["zh"], models.get(MODEL), pipeline("hybrid")).metrics[METRIC]
        rows.append(reported(f"zh hybrid {METRIC}, default model", found))
        for model in (MODEL, *config.embeddings.models):
            across = replace(given["de"], queries=_asked_in(given["en"], given["de"]), name="en on de")
            found = score(across, models.get(model), pipeline("dense")).metrics[METRIC]
            rows.append(reported(f"English questions, German texts, dense {METRIC}, {model[-20:]}", found))
    report("languages", rows, chosen.json, peer="bm25s")


def lexical(name: str, data: JudgedSet, words: Embedder, *, place: Path = WORK) -> Iterator[Row]:
    """What is found by words in memory and in the embedded store, beside bm25s and Lance's own words."""
    peer = mean(per_query(data.qrels, by_bm25s(data).scored(), (METRIC,)))[METRIC]
    for store in ("memory", "lance"):
        found = score(data, words, pipeline("lexical"), store, place=place).metrics[METRIC]
        what = f"{name} ({data.language}) lexical {METRIC}, {store}"
        yield at_least(what, found, BEFORE[name], peer=peer) if name in BEFORE else reported(what, found, peer)
    found = mean(per_query(data.qrels, by_icu(data, place).scored(), (METRIC,)))[METRIC]
    yield reported(f"{name} lexical {METRIC}, Lance's own icu", found)


def mixed(sets: Sequence[JudgedSet], words: Embedder) -> Iterator[Row]:
    """All texts in one set: what the queries of each language find there."""
    documents = tuple(replace(d, id=f"{at}-{d.id}") for at, data in enumerate(sets) for d in data.documents)
    for at, data in enumerate(sets):
        qrels = {query: {f"{at}-{d}": grade for d, grade in found.items()} for query, found in data.qrels.items()}
        together = JudgedSet("mixed", documents, data.queries, qrels)
        found = score(together, words, pipeline("lexical")).metrics[METRIC]
        yield reported(f"{data.language} in a mixed set ({together.language}), lexical {METRIC}", found)


def squad(name: str, file: Path) -> JudgedSet:
    """Each paragraph of a file of SQuAD's form is a document, and its questions are queries for it."""
    documents: dict[str, Document] = {}
    queries, qrels = {}, {}
    for article in json.loads(file.read_text("utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            document = documents.setdefault(text, Document(f"p{len(documents)}", f"p{len(documents)}", text))
            for question in paragraph["qas"]:
                queries[question["id"]] = question["question"]
                qrels[question["id"]] = {document.id: 1}
    return JudgedSet(name, tuple(documents.values()), queries, qrels)


def by_bm25s(data: JudgedSet) -> Run:
    """The first ten documents of bm25s with all its defaults."""
    import bm25s

    index = bm25s.BM25()
    index.index(bm25s.tokenize([d.text for d in data.documents], show_progress=False), show_progress=False)
    asked = bm25s.tokenize(list(data.queries.values()), show_progress=False)
    places, scores = index.retrieve(asked, k=min(10, len(data.documents)), show_progress=False)
    ranked = {}
    for query, found, values in zip(data.queries, places.tolist(), scores.tolist(), strict=True):
        ranked[query] = [data.documents[at].id for at, value in zip(found, values, strict=True) if value > 0]
    return Run(ranked)


def by_icu(data: JudgedSet, place: Path) -> Run:
    """The first ten documents of Lance with its own ``icu`` words, and nothing else of its analysis."""
    import lancedb
    from lancedb.index import FTS
    from lancedb.query import MatchQuery

    with TemporaryDirectory(dir=place) as folder:
        rows = [{"id": document.id, "text": document.text} for document in data.documents]
        table = lancedb.connect(folder).create_table("icu", rows)
        config = FTS(with_position=False, base_tokenizer="icu", stem=False, remove_stop_words=False)
        table.create_index("text", config=config)
        ranked = {}
        for name, text in data.queries.items():
            found = table.search(MatchQuery(text, "text"), query_type="fts").limit(10).select(["id", "_score"])
            ranked[name] = found.to_arrow()["id"].to_pylist()
    return Run(ranked)


def reported(what: str, ours: float, peer: float | None = None) -> Row:
    """A figure without a bar."""
    return Row(what, ours, peer, ours / peer if peer else None, "", "reported", None)


def _asked_in(source: JudgedSet, target: JudgedSet) -> Mapping[str, str]:
    """The queries of `target` in the words of `source`, which shares their ids."""
    return {query: source.queries.get(query, text) for query, text in target.queries.items()}


def _served(given: Sequence[str] | None) -> dict[str, dict[str, object]]:
    if not given:
        return {}
    url, name = given
    service = {"provider": "openai", "model_id": name, "base_url": url, "api_key": "none"}
    roles = {"query_body": {"input_type": "query"}, "document_body": {"input_type": "passage"}}
    return {"served": {**service, **roles}}


def _files(chosen: argparse.Namespace) -> dict[str, Path]:
    files = {name: chosen.xquad / f"xquad.{name}.json" for name in OTHERS} if chosen.xquad else {}
    files |= {name: Path(file) for name, _, file in (given.partition("=") for given in chosen.squad)}
    if missing := [str(file) for file in files.values() if not file.is_file()]:
        print(f"there is no {', '.join(missing)}", file=sys.stderr)
        raise SystemExit(2)
    return files


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--xquad", type=Path, help="a checkout of deepmind/xquad")
    parser.add_argument("--squad", action="append", default=[], metavar="LANG=FILE")
    parser.add_argument("--served", nargs=2, metavar=("URL", "NAME"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
