"""Text, Markdown, reStructuredText, Org, AsciiDoc, source code, and records."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from benchmarks.format_samples.words import Forms, Words

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")


def text(words: Words) -> tuple[str, bytes]:
    end = words.one_of("\n", "\r\n", "\r")
    lines = [words.text() for _ in range(words.rng.randint(1, 12))]
    return words.one_of("a.txt", "a.log", "a", "a.unknown"), end.join(lines).encode(words.one_of(*ENCODINGS))


def markdown(words: Words) -> tuple[str, bytes]:
    parts = [f"# {words.text(2)}", words.text()]
    if words.rng.random() < 0.5:
        parts.insert(0, f"---\ntags: [x]\n---\n{words.word()}")
    more: Forms = (
        lambda: f"{words.text(2)}\n====",
        lambda: f"- {words.text()}\n  - {words.text()}",
        lambda: f"```python\n{words.word()} = 1\n```",
        lambda: f"| {words.word()} | {words.word()} |\n|---|---|\n| {words.word()} | {words.word()} |",
        lambda: f"> {words.text()}",
        lambda: f"[{words.word()}](https://example.org) *{words.word()}*",
    )
    parts += [words.one_of(*more)() for _ in range(6)]
    return words.one_of("a.md", "a.markdown"), "\n\n".join(parts).encode()


def rst(words: Words) -> tuple[str, bytes]:
    title = words.text(3)
    parts = [
        f"{title}\n{'=' * 80}",
        words.text(),
        f".. note::\n\n   {words.text()}",
        f"* {words.text()}",
        f"*{words.word()}*",
    ]
    return "a.rst", "\n\n".join(parts).encode()


def org(words: Words) -> tuple[str, bytes]:
    parts = [f"#+TITLE: {words.text(2)}", f"* {words.text(2)}", ":PROPERTIES:\n:ID: x\n:END:", words.text()]
    more: Forms = (
        lambda: f"** TODO {words.text(2)} :work:",
        lambda: f"# {words.unseen()}",
        lambda: f"#+begin_src c\n{words.word()}\n#+end_src",
        lambda: f"| {words.word()} | {words.word()} |\n|---+---|",
        lambda: f"see [[https://example.org][{words.word()}]] /{words.word()}/",
        lambda: f"#+begin_quote\n{words.text()}\n#+end_quote",
    )
    return "a.org", "\n".join([*parts, *(words.one_of(*more)() for _ in range(6))]).encode()


def asciidoc(words: Words) -> tuple[str, bytes]:
    parts = [f"= {words.text(2)}", f"== {words.text(2)}", words.text()]
    more: Forms = (
        lambda: f"// {words.unseen()}",
        lambda: f"----\n{words.word()}\n----",
        lambda: f"* {words.text()}\n** {words.text()}",
        lambda: f"|===\n|{words.word()} |{words.word()}\n|===",
        lambda: f".{words.text(2)}\nNOTE: {words.text()}",
        lambda: f"*{words.word()}* `{words.word()}` link:x.html[{words.word()}] footnote:[{words.text(2)}]",
        lambda: f"{words.word()}:: {words.text()}",
        lambda: f"[quote, {words.word()}]\n____\n{words.text()}\n____",
    )
    return "a.adoc", "\n\n".join([*parts, *(words.one_of(*more)() for _ in range(6))]).encode()


def code(words: Words) -> tuple[str, bytes]:
    names = [f"{words.word()}_{at}" for at in range(3)]
    words.seen -= {name.rpartition("_")[0] for name in names}
    words.seen |= {name.casefold() for name in names}
    body = "\n\n".join(f'def {name}(x):\n    """{words.text()}"""\n    return x  # {words.text(2)}' for name in names)
    return words.one_of("a.py", "a.pyi"), body.encode()


def table(words: Words) -> tuple[str, bytes]:
    out = io.StringIO()
    suffix = words.one_of(".csv", ".tsv")
    mark = "\t" if suffix == ".tsv" else words.one_of(",", ";")
    writer = csv.writer(out, delimiter=mark, lineterminator=words.one_of("\n", "\r\n"))
    writer.writerow(["id", "title", "text", "note"])
    for at in range(words.rng.randint(1, 6)):
        writer.writerow([at, words.text(2), words.one_of("{}", "a {}\nb", 'a "q" {}').format(words.text()), ""])
    return "a" + suffix, out.getvalue().encode(words.one_of(*ENCODINGS))


def parquet(words: Words) -> tuple[str, bytes]:
    import pyarrow as arrow
    from pyarrow.parquet import write_table

    numbers = list(range(words.rng.randint(1, 6)))
    columns: dict[str, list[object]] = {
        "id": [*numbers],
        "title": [words.text(2) for _ in numbers],
        "text": [words.text() for _ in numbers],
        "tags": [[words.word(), words.word()] for _ in numbers],
        "vector": [[0.5, 0.25] for _ in numbers],
    }
    out = io.BytesIO()
    write_table(arrow.table(columns), out, compression=words.one_of("snappy", "gzip", "none"))
    return "a.parquet", out.getvalue()


def json_lines(words: Words) -> tuple[str, bytes]:
    records: tuple[Callable[[], dict[str, object]], ...] = (
        lambda: {"_id": words.word(), "title": words.text(2), "text": words.text()},
        lambda: {"question": words.text(), "answer": words.text()},
        lambda: {"body": words.text(), "year": 2026},
    )
    rows = [words.one_of(*records)() for _ in range(words.rng.randint(1, 6))]
    return "a.jsonl", "\n".join(json.dumps(row, ensure_ascii=words.one_of(True, False)) for row in rows).encode()


def json_file(words: Words) -> tuple[str, bytes]:
    records = [{"id": at, "title": words.text(2), "text": words.text()} for at in range(words.rng.randint(1, 5))]
    forms: tuple[Callable[[], object], ...] = (
        lambda: records,
        lambda: {"records": records, "about": words.text()},
        lambda: {"title": words.text(2), "body": words.text(), "tags": [words.word(), words.word()]},
        lambda: {"setting": {words.word(): [words.text(2), 7]}},
    )
    form = words.one_of(*forms)
    if form not in forms[:2]:
        words.seen.clear()
    return "a.json", json.dumps(form(), indent=words.one_of(None, 2), ensure_ascii=words.one_of(True, False)).encode()


MAKERS = {
    "text": text,
    "markdown": markdown,
    "rst": rst,
    "org": org,
    "asciidoc": asciidoc,
    "code": code,
    "csv": table,
    "json": json_file,
    "jsonl": json_lines,
    "parquet": parquet,
}
