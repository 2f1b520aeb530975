"""Files as TREC gives them: a topics file, a qrels file of four columns, and documents as JSON or SGML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from embassay import remedy
from embassay.errors import JudgedSetError
from embassay.evaluate.data.base import JudgedFiles
from embassay.evaluate.data.layout import CORPUS, Judgments, read_corpus
from embassay.evaluate.data.lines import lines_of, malformed
from embassay.types import Document

EXPECTED = "a folder with topics*, qrels* (query, 0, document, grade) and corpus.jsonl or *.trec documents"
_NUMBER = re.compile(r"<num>\s*+(?:Number:)?\s*+([^\s<]++)[^\S\n]*+(?=<|\n|\Z)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*+(?:Topic:)?([^<]*+)", re.IGNORECASE)
_GRADE = re.compile(r"-?[0-9]{1,3}")
_TAG = re.compile(r"<[^>]{1,80}>")


def claims(path: Path) -> bool:
    """Whether the folder at `path` has files whose names begin with ``topics`` and ``qrels``."""
    return path.is_dir() and bool(_files(path, "topics") and _files(path, "qrels"))


def read(path: Path, split: str | None) -> JudgedFiles:
    """The only file of judgments, or the one whose name has `split` between its dots, dashes or underscores."""
    judgments = _files(path, "qrels")
    chosen = [file for file in judgments if split is None or split in re.split(r"[._-]", file.name)]
    if len(chosen) != 1:
        names = ", ".join(file.name for file in judgments)
        raise JudgedSetError(
            f"which judgments of {path}? There are {names}.", remedy=remedy.option("split", "NAME", say="Name one")
        )
    queries = {}
    for topics in _files(path, "topics"):
        queries.update(_topics(topics))
    return JudgedFiles(
        f"{path.resolve().name}/{chosen[0].stem}", _documents(path), queries, _qrels(chosen[0]), chosen[0]
    )


def _files(folder: Path, start: str) -> list[Path]:
    return sorted(file for file in folder.glob(f"{start}*") if file.is_file())


def _topics(file: Path) -> dict[str, str]:
    numbered = list(lines_of(file))
    text = "\n".join(line for _, line in numbered)
    if "<top>" not in text.lower():
        found = {}
        for number, line in numbered:
            name, tab, query = line.partition("\t")
            if not tab or not query.strip():
                raise malformed(file, number, "<top> blocks, or id and query between tabs", line)
            found[name.strip()] = query.strip()
        return found
    found = {}
    for block in _blocks(file, text, "top"):
        numbered_as, title = _NUMBER.search(block), _TITLE.search(block)
        words = " ".join(title[1].split()) if title else ""
        if not numbered_as or not words:
            raise JudgedSetError(f"{file}: a <top> without <num> or <title>: {' '.join(block[:1000].split())[:60]!r}.")
        found[numbered_as[1]] = words
    return found


def _qrels(file: Path) -> dict[str, dict[str, int]]:
    judgments = Judgments(file)
    for number, line in lines_of(file):
        cells = line.split()
        if len(cells) != 4 or not _GRADE.fullmatch(cells[3]):
            raise malformed(file, number, "query, iteration, document and grade", line)
        judgments.add(number, cells[0], cells[2], int(cells[3]))
    return judgments.qrels


def _documents(folder: Path) -> tuple[Document, ...]:
    if (folder / CORPUS).is_file():
        return read_corpus(folder / CORPUS)
    found = []
    for file in sorted([*folder.glob("*.trec"), *folder.glob("*.sgml")]):
        text = "\n".join(line for _, line in lines_of(file))
        for block in _blocks(file, text, "doc"):
            names, rest = _taken_out(block, "docno")
            if not names:
                raise JudgedSetError(f"{file}: a <doc> without <docno>: {' '.join(block[:1000].split())[:60]!r}.")
            heads, rest = _taken_out(rest, "title|headline")
            name = names[0].strip()
            title = " ".join(heads[0].split()) if heads else ""
            found.append(Document(name, name, " ".join(_TAG.sub(" ", rest).split()), title=title))
    if not found:
        raise JudgedSetError(f"{folder} holds no documents.", remedy=f"Expected {EXPECTED}.")
    return tuple(found)


def _blocks(file: Path, text: str, tag: str) -> Iterator[str]:
    """What stands between each opening `tag` and the next closing one. Raises JudgedSetError for one left open."""
    for start, end_of_start, stop, _ in _pairs(text, tag):
        if stop is None:
            shown = " ".join(text[start : start + 1000].split())[:60]
            raise JudgedSetError(f"{file}: a <{tag}> without </{tag}>: {shown!r}.", remedy=f"Expected {EXPECTED}.")
        yield text[end_of_start:stop]


def _taken_out(text: str, tags: str) -> tuple[list[str], str]:
    """What stands between the tags, and the text with a space in place of each such part."""
    found, rest, at = [], [], 0
    for start, end_of_start, stop, end in _pairs(text, tags):
        if stop is not None:
            found.append(text[end_of_start:stop])
            rest.append(text[at:start])
            at = end
    return found, " ".join([*rest, text[at:]])


def _pairs(text: str, tags: str) -> Iterator[tuple[int, int, int | None, int]]:
    """(start, its end, stop, its end) of every opening tag and the closing one behind it, in one pass.

    The stop of one that is never closed is None; it is the last. Tags that open within another say nothing.
    """
    opened: re.Match[str] | None = None
    for mark in re.finditer(rf"<(/?)(?:{tags})>", text, re.IGNORECASE):
        if not mark[1]:
            opened = opened or mark
        elif opened:
            yield opened.start(), opened.end(), mark.start(), mark.end()
            opened = None
    if opened:
        yield opened.start(), opened.end(), None, len(text)
