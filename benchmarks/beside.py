"""This checkout beside another one, in turns, in one run on one machine: is anything slower, or any hit another one?

    python -m benchmarks.beside PARENT                      every part
    python -m benchmarks.beside PARENT --only start engine  some of them
    python -m benchmarks.beside PARENT --hits               200 queries: equal hits and scores

PARENT is a checkout of an earlier commit (`git worktree add PARENT COMMIT`), under whatever name the package had then.
Its own ``.venv`` is used if it has one. Exits with 1 if a bar is not met. The documents are real ones where there is
``../shared/data``, otherwise they are made from this project's own pages.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.checkouts import Asked, Checkout, Taken
from benchmarks.common import DATA, MODEL, ROOT, Row, glosses, jsonl, median, passages, report
from benchmarks.models import zero_server

WITHIN = 1.1
"""A time may be so many times the parent's: less cannot be told from noise on a shared machine."""
QUERIES = 200
SEARCHES = (("dense", None), ("lexical", None), ("hybrid", None), ("hybrid", "rrf"), ("hybrid", "zscore"))
Both = tuple[Checkout, Checkout]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parent", type=Path, help="another checkout of this project")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--hits", action="store_true", help="compare hits and scores, and nothing else")
    parser.add_argument("--python", type=Path, help="the interpreter that runs the parent")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="try every part on a few texts; the figures mean nothing")
    chosen = parser.parse_args(arguments)
    both = (Checkout(ROOT, "ours", Path(sys.executable)), Checkout(chosen.parent, "parent", chosen.python))
    size = SMALL if chosen.small else FULL
    rows = hits(both, size) if chosen.hits else []
    for name in [] if chosen.hits else chosen.only:
        started = time.perf_counter()
        rows += PARTS[name](both, size)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    report("beside", rows, chosen.json, peer="parent")
    return int(any(row.met is False for row in rows))


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    rounds: int
    texts: int
    rows: int
    queries: int
    judged: Path | None
    """Judged data; None: what the project itself has."""


FULL = Size(9, 800, 20_000, QUERIES, DATA / "scifact" if DATA.is_dir() else None)
SMALL = Size(1, 8, 60, 3, None)


def start(both: Both, size: Size) -> list[Row]:
    """The shortest command and a search, from process start."""
    for checkout in both:
        index(checkout, "start", [ROOT / "docs"], renew=False)
    version = in_turns(both, size.rounds, lambda c: c.run("--version"))
    search = in_turns(
        both, size.rounds, lambda c: c.run("search", "how do I set a proxy", "--home", str(c.home("start")))
    )
    return [
        *processes("--version", version, most=0.25),
        *processes("search, process start to answer", search),
    ]


def engine(both: Both, size: Size) -> list[Row]:
    """Texts a second of the local engine, and one query at a time."""
    lengths = {"short": passages(12, size.texts), "long": passages(180, size.texts // 8)}
    rows = []
    with ExitStack() as stack:
        sides = asked(stack, both)
        for precision in ("bf16", "int8"):
            model = f"{MODEL}@{precision}"
            for name, texts in lengths.items():
                ask_each(sides, "calls", model=model, texts=texts[:64], role="document", count=1)
                found = [
                    medians(sides, "calls", model=model, texts=texts, role="document", count=1)
                    for _ in range(max(1, size.rounds // 2))
                ]
                rows.append(no_slower(f"engine, {len(texts)} {name} texts, {precision}", found, "ms"))
        queries = passages(8, 4 * size.rounds)
        found = [
            medians(sides, "one_by_one", model=f"{MODEL}@bf16", texts=queries, role="query") for _ in range(size.rounds)
        ]
        rows.append(no_slower("engine, one query, bf16", found, "ms"))
    return rows


def ingest(both: Both, size: Size) -> list[Row]:
    """Indexing real documents; many small records with a model that costs nothing; the same again, unchanged."""
    documents = real_documents(size, both[0].work)
    real = [each(both, lambda c: index(c, "documents", documents))]
    records = write_records(size.rows, both[0].work)
    many = in_turns(both, min(3, size.rounds), lambda c: index(c, "records", [records], "--model", "hash/384"))
    again = in_turns(both, min(3, size.rounds), lambda c: index(c, "records", [records], renew=False))
    return [
        *processes("index, documents", real, memory=1500),
        *processes(f"index, {size.rows:,} records, hash provider", many, memory=1500),
        *processes("index again, nothing changed", again),
    ]


def search(both: Both, size: Size) -> list[Row]:
    """Searches in one process over many rows, the embedding of the query included, and over real documents."""
    records, rows = write_records(size.rows, both[0].work), []
    for checkout in both:
        index(checkout, "records", [records], "--model", "hash/384", renew=False)
    queries = passages(6, size.queries)
    with ExitStack() as stack:
        sides = list(zip(asked(stack, both), both, strict=True))
        for mode in ("dense", "lexical", "hybrid"):
            taken: list[list[float]] = [[], []]
            for batch in np.array_split(queries, min(5, len(queries))):
                for (ask, checkout), times in zip(sides, taken, strict=True):
                    times += ask("latency", home=str(checkout.home("records")), queries=list(batch), mode=mode)
            for share in (50, 95):
                ours, parents = (float(np.percentile(times[1:], share)) for times in taken)
                rows.append(no_slower(f"search, {mode}, {size.rows:,} rows, p{share}", [[ours, parents]], "ms"))
    return rows


def quality(both: Both, size: Size) -> list[Row]:
    """Scores of three pipelines, which have to be the parent's, and what comparing takes with all vectors cached."""
    judged = size.judged or ROOT / "examples" / "judged"
    names = [f"{MODEL}@{mode}" for mode in ("dense", "lexical", "hybrid")]

    def compare(checkout: Checkout) -> Taken:
        home = checkout.home("compare")
        home.mkdir(parents=True, exist_ok=True)
        return checkout.run("compare", *names, "--judged", str(judged), "--home", str(home), "--json")

    first = each(both, compare)
    rows = []
    for name, ours, parents in zip(names, *([scores(t) for t in first]), strict=True):
        for metric, value in ours.items():
            what = f"{judged.name} {name.rpartition('@')[2]} {metric}"
            rows.append(equal(what, value, parents[metric]))
    again = in_turns(both, min(3, size.rounds), compare)
    return [*rows, *processes(f"compare, 3 pipelines of {judged.name}, warm cache", again, most=20)]


def models(both: Both, size: Size) -> list[Row]:
    """What the contract itself costs: the cache, and a request over HTTP to a server that does no work."""
    texts, batch = passages(12, size.texts), passages(6, 32)
    with zero_server(len(batch), "base64") as port, ExitStack() as stack:
        for checkout in both:
            checkout.configure(
                "embeddings:\n  models:\n"
                f"    kept: {{provider: local, model_id: {MODEL}, cache_enabled: true}}\n"
                f"    remote: {{provider: openai, model_id: m, api_key: k, base_url: 'http://127.0.0.1:{port}/v1', "
                "encoding_format: base64, max_tokens: 512, cache_enabled: false}\n"
            )
        sides = asked(stack, both)
        ask_each(sides, "calls", model="kept", texts=texts, role="document", count=1)
        kept, remote = (
            [
                medians(sides, "calls", model=model, texts=given, role="document", count=20)
                for _ in range(min(5, size.rounds))
            ]
            for model, given in (("kept", texts), ("remote", batch))
        )
    for checkout in both:
        checkout.configure("")
    return [
        no_slower(f"cache hits, {len(texts)} texts", kept, "ms", most=15),
        no_slower(f"one request of {len(batch)} texts over HTTP", remote, "ms"),
    ]


def hits(both: Both, size: Size) -> list[Row]:
    """The same documents indexed by both, the same queries asked of both."""
    if size.judged:
        documents = size.judged / "corpus.jsonl"
        tested = {line.split("\t")[0] for line in (size.judged / "qrels" / "test.tsv").read_text("utf-8").splitlines()}
        queries = [row["text"] for row in jsonl("scifact/queries.jsonl") if row["_id"] in tested][: size.queries]
    else:
        (documents,), queries = real_documents(size, both[0].work), passages(6, size.queries)
    for checkout in both:
        index(checkout, "hits", [documents])
    rows = []
    with ExitStack() as stack:
        sides = list(zip(asked(stack, both), both, strict=True))
        for mode, fusion in SEARCHES:
            ours, parents = (
                ask("hits", home=str(checkout.home("hits")), queries=queries, mode=mode, fusion=fusion, k=10)
                for ask, checkout in sides
            )
            rows += differences(f"{mode}{f', {fusion}' if fusion else ''}", queries, ours, parents)
    return rows


Found = list[list[object]]


def differences(what: str, queries: list[str], ours: list[Found], parents: list[Found], shown: int = 3) -> list[Row]:
    """How many queries have other hits, or the same with other scores; the first of them are printed."""
    other = [
        at for at, (a, b) in enumerate(zip(ours, parents, strict=True)) if [h[:3] for h in a] != [h[:3] for h in b]
    ]
    gaps = [
        max((abs(float(str(a[3])) - float(str(b[3]))) for a, b in zip(ours[at], parents[at], strict=True)), default=0.0)
        for at in range(len(queries))
        if at not in other
    ]
    for at in other[:shown]:
        print(f"{what}: {queries[at]!r}", file=sys.stderr)
        for place, (a, b) in enumerate(zip(ours[at], parents[at], strict=False), 1):
            if a != b:
                print(f"  {place:>2} ours {a[1:]}, parent {b[1:]}", file=sys.stderr)
    return [
        Row(f"{what}: queries of {len(queries)} with other hits", len(other), 0, None, "", "0", not other),
        Row(f"{what}: greatest difference of a score", max(gaps, default=0.0), 0, None, "", "<= 1e-6",
            max(gaps, default=0.0) <= 1e-6),
    ]  # fmt: skip


def each(both: Both, work: Callable[[Checkout], Taken]) -> list[Taken]:
    """What `work` takes for ours, then for the parent's."""
    return [work(checkout) for checkout in both]


def ask_each(sides: Sequence[Asked], task: str, **arguments: object) -> list[Any]:
    """What our process answers, then what the parent's does."""
    return [ask(task, **arguments) for ask in sides]


def medians(sides: Sequence[Asked], task: str, **arguments: object) -> list[float]:
    """Of each process the median of the times that it answers."""
    return [median(times) for times in ask_each(sides, task, **arguments)]


def in_turns(both: Both, rounds: int, work: Callable[[Checkout], Taken]) -> list[list[Taken]]:
    """After a round that warms the page cache, `rounds` of (ours, the parent's)."""
    each(both, work)
    return [each(both, work) for _ in range(rounds)]


def asked(stack: ExitStack, both: Both) -> list[Asked]:
    return [stack.enter_context(checkout.ask()) for checkout in both]


def index(checkout: Checkout, name: str, paths: Sequence[Path], *options: str, renew: bool = True) -> Taken:
    """`index` into a home of that name: a new one, or the one that is there."""
    home = checkout.home(name)
    if renew:
        shutil.rmtree(home.parent, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    return checkout.run("index", *map(str, paths), "--home", str(home), "--json", *options)


def processes(
    what: str, found: list[list[Taken]], *, most: float | None = None, memory: float | None = None
) -> list[Row]:
    """Rows for wall-clock time and CPU time, and for peak memory where it has a bar."""
    rows = [
        no_slower(what, [[t.seconds for t in pair] for pair in found], "s", most=most),
        no_slower(f"{what}, CPU", [[t.cpu for t in pair] for pair in found], "CPU s"),
    ]
    if memory is not None:
        rows.append(no_slower(f"{what}, peak memory", [[t.megabytes for t in p] for p in found], "MB", most=memory))
    return rows


def no_slower(what: str, found: Sequence[Sequence[float]], unit: str, *, most: float | None = None) -> Row:
    """Medians of (ours, the parent's), and the median of the rounds' ratios against the bar."""
    ours, parents = (median([pair[at] for pair in found]) for at in (0, 1))
    ratio = median([pair[0] / max(pair[1], 1e-9) for pair in found])
    bar = f"<= {WITHIN:g}x" + (f", {most:g}" if most is not None else "")
    return Row(what, ours, parents, ratio, unit, bar, ratio <= WITHIN and (most is None or ours <= most))


def equal(what: str, ours: float, parents: float) -> Row:
    return Row(what, ours, parents, ours / parents if parents else None, "", "equal", abs(ours - parents) <= 1e-6)


def scores(taken: Taken) -> list[dict[str, float]]:
    """Metrics of each candidate, from the JSON that `compare` prints."""
    return [row["metrics"] for row in json.loads(taken.output)["candidates"]]


def real_documents(size: Size, place: Path) -> list[Path]:
    """Two documentation trees; without them, or for a trial, this project's own pages."""
    if size.judged:
        return [DATA / "docs" / name for name in ("fastapi", "httpx")]
    return [pages(size.rows // 1000, place)] if size.rows >= 1000 else [ROOT / "docs" / "searching.md"]


def pages(copies: int, place: Path) -> Path:
    """A folder in `place` with copies of this project's pages, no two alike, so that every text is embedded."""
    folder = place / "pages"
    for at in range(copies):
        for page in (ROOT / "docs").rglob("*.md"):
            copy = folder / str(at) / page.relative_to(ROOT / "docs")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(page.read_text("utf-8").replace(" the ", f" the {at} "), "utf-8")
    return folder


def write_records(count: int, place: Path) -> Path:
    """A file in `place` of so many short records, one JSON object a line."""
    file = place / f"records-{count}.jsonl"
    texts = glosses()[:count] if DATA.is_dir() else passages(14, count)
    rows = (json.dumps({"_id": str(at), "title": "", "text": text}) for at, text in enumerate(texts))
    file.write_text("\n".join(rows) + "\n", "utf-8")
    return file


PARTS: dict[str, Callable[[Both, Size], list[Row]]] = {
    part.__name__: part for part in (start, engine, ingest, search, models, quality)
}


if __name__ == "__main__":
    sys.exit(main())
