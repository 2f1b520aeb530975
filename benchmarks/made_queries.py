"""Made queries beside questions of people: what a comparison says on each, by corpus and by maker.

    python -m benchmarks.made_queries [--quick]

Three documentation trees with forty questions of users each, then three comparisons whose winner is known, on queries
that are made of the documents alone, then A against A on queries of each maker. The bias of a maker is its difference
between hybrid and dense search less that on the questions of users. `--quick` takes a quarter of SciFact.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.common import DATA, MODEL, ROOT, WORK, Row, at_most, jsonl, report
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.compare.result import Comparison
from embassay.evaluate.compare.statistics import differences
from embassay.evaluate.compare.verdict import decide
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.judge.draft import JudgedDraft
from embassay.evaluate.judge.labelled import read_labels
from embassay.evaluate.judge.make import make_draft, sources
from embassay.evaluate.judge.passages import Passages, read_passages
from embassay.evaluate.judge.phrases import telling
from embassay.types import Document

TREES = ("fastapi", "httpx", "rust-book")
DENSE, HYBRID, LEXICAL, HASH = f"{MODEL}@int8", f"{MODEL}@int8@hybrid", f"{MODEL}@int8@lexical", "hash/384"
COUNT, SIMULATIONS = 200, 400


def main() -> None:
    chosen = _arguments()
    if not DATA.is_dir():
        print(f"skipped: needs the judged data at {DATA} (or EMBASSAY_DATA)", file=sys.stderr)
        return
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as place:
        home = Path(place) / ".embassay"
        home.mkdir()
        rows = [row for tree in TREES for row in documentation(tree, home)]
        rows += planted(home, quick=chosen.quick)
    report("made_queries", rows, chosen.json)


def documentation(tree: str, home: Path) -> Iterator[Row]:
    """Hybrid against dense on the questions of users and on made queries, all together and by maker."""
    root = DATA / "docs" / tree
    passages = read_passages([root], lambda file: file.relative_to(root).as_posix())
    asked = make_draft(passages, 0)
    places = [row["_id"] for row in asked.corpus]
    asked.queries, _ = read_labels(ROOT / "benchmarks" / "questions" / f"{tree}.jsonl", places)
    real = compare([DENSE, HYBRID], judged(asked, tree), home=home)
    yield shown(f"{tree}, {len(asked.queries)} questions of users", real)
    made = make_draft(passages, COUNT)
    found = compare([DENSE, HYBRID], judged(made, tree), home=home)
    agree = found.verdict in ("undecided", real.verdict)
    yield shown(f"{tree}, {len(made.queries)} made queries", found, bar="agree or open", met=agree)
    texts = [query.text for query in made.queries]
    junk = sum(len(set(telling(text, passages.language))) <= 2 and len(text.split()) < 4 for text in texts)
    how_to = sum(query.kind in ("how-to", "concept") for query in made.queries)
    yield Row(f"{tree}, titles of two words at most", junk / len(texts), None, None, "of queries", "reported", None)
    yield Row(f"{tree}, questions", how_to / len(texts), None, None, "of queries", "reported", None)
    for maker in sources():
        alone = make_draft(passages, COUNT, [maker])
        if len(alone.queries) > 5 and maker in alone.counts:
            one = compare([DENSE, HYBRID], judged(alone, tree), home=home)
            yield shown(f"{tree}, {len(alone.queries)} by {maker}", one)
            bias = one.deciding[0].difference - real.deciding[0].difference
            yield Row(f"{tree}, bias of {maker}", bias, None, None, "nDCG@10", "reported", None)
            yield at_most(f"{tree}, {maker}, A against A: switch", a_against_a(judged(alone, tree), home), 0.05)


def planted(home: Path, *, quick: bool) -> Iterator[Row]:
    """Comparisons whose winner is known from the questions of people that the sets have."""
    german, science = articles("xquad/de"), articles("scifact", 1_200 if quick else None)
    for what, passages, names in (
        ("SciFact, hybrid over dense", science, [DENSE, HYBRID]),
        ("XQuAD de, lexical over dense", german, [DENSE, LEXICAL]),
        ("SciFact, MiniLM over hash", science, [HASH, DENSE]),
    ):
        made = make_draft(passages, COUNT)
        found = compare(names, judged(made, what), home=home)
        yield shown(f"{what}, {len(made.queries)} made", found, bar="switch", met=found.verdict == "switch")


def articles(folder: str, count: int | None = None) -> Passages:
    """The documents of a judged set as `judge new` would read them from files, without its queries."""
    rows = list(jsonl(f"{folder}/corpus.jsonl"))
    random.Random(0).shuffle(rows)
    documents = []
    for row in rows[:count]:
        title = f"# {row['title']}\n\n" if row.get("title") else ""
        documents.append(Document(f"{row['_id']}.md", f"{row['_id']}.md", f"{title}{row['text']}\n", "markdown"))
    return Passages(documents)


def a_against_a(data: JudgedSet, home: Path) -> float:
    """Two precisions of one model, each difference given to either side by chance: the share of switches.

    What differs between them on these queries is noise, and with random signs neither is better.
    """
    found = compare([DENSE, f"{MODEL}@bf16"], data, home=home)
    a, b = ([row.per_query[query]["nDCG@10"] for query in data.queries] for row in found.rows)
    noise = np.subtract(b, a)
    generator = np.random.default_rng(4)
    switches = 0
    for at in range(SIMULATIONS):
        signed = noise * generator.choice((-1, 1), len(noise))
        (seen,) = differences(signed[:, None], seed=at, resamples=1_000)
        switches += decide(seen, seen.p).verdict == "switch"
    return switches / SIMULATIONS


def judged(draft: JudgedDraft, name: str) -> JudgedSet:
    """A draft as a comparison reads it."""
    documents = tuple(Document(r["_id"], r["_id"], r["text"], title=r["title"]) for r in draft.corpus)
    queries = {query.id: query.text for query in draft.queries}
    qrels = {query.id: dict(query.relevant) for query in draft.queries}
    return JudgedSet(name, documents, queries, qrels, {query.id: query.source for query in draft.queries})


def shown(what: str, found: Comparison, bar: str = "reported", met: bool | None = None) -> Row:
    """The difference, with its interval and the verdict."""
    (pair,) = found.deciding
    low, high = pair.interval
    name = f"{what}: {pair.verdict} [{low:+.3f}, {high:+.3f}]"
    return Row(name, pair.difference, None, None, "nDCG@10", bar, met)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a quarter of SciFact")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
