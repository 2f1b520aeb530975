"""Files as TREC gives them: a topics file, a qrels file of four columns, and documents as JSON or SGML."""

from __future__ import annotations

import re
from pathlib import Path

from embassay import remedy
from embassay.errors import JudgedSetError
from embassay.evaluate.data.base import JudgedFiles
from embassay.evaluate.data.layout import CORPUS, read_corpus
from embassay.evaluate.data.lines import lines_of, malformed
from embassay.types import Document

EXPECTED = "a folder with topics*, qrels* (query, 0, document, grade) and corpus.jsonl or *.trec documents"
_TOPIC = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:Number:)?\s*(\S+?)\s*(?=<|$)", re.IGNORECASE | re.MULTILINE)
_TITLE = re.compile(r"<title>\s*(?:Topic:)?(.*?)\s*(?=<|\Z)", re.DOTALL | re.IGNORECASE)
_DOCUMENT = re.compile(r"<doc>(.*?)</doc>", re.DOTALL | re.IGNORECASE)
_DOCNO = re.compile(r"<docno>(.*?)</docno>", re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"<(?:title|headline)>(.*?)</(?:title|headline)>", re.DOTALL | re.IGNORECASE)
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
    for block in _TOPIC.findall(text):
        numbered_as, title = _NUMBER.search(block), _TITLE.search(block)
        if not numbered_as or not title or not title[1].strip():
            raise JudgedSetError(f"{file}: a <top> without <num> or <title>: {' '.join(block.split())[:60]!r}.")
        found[numbered_as[1]] = " ".join(title[1].split())
    return found


def _qrels(file: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in lines_of(file):
        cells = line.split()
        if len(cells) != 4 or not _GRADE.fullmatch(cells[3]):
            raise malformed(file, number, "query, iteration, document and grade", line)
        qrels.setdefault(cells[0], {})[cells[2]] = int(cells[3])
    return qrels


def _documents(folder: Path) -> tuple[Document, ...]:
    if (folder / CORPUS).is_file():
        return read_corpus(folder / CORPUS)
    found = []
    for file in sorted([*folder.glob("*.trec"), *folder.glob("*.sgml")]):
        text = "\n".join(line for _, line in lines_of(file))
        for block in _DOCUMENT.findall(text):
            name = _DOCNO.search(block)
            if not name:
                raise JudgedSetError(f"{file}: a <doc> without <docno>: {' '.join(block.split())[:60]!r}.")
            head = _HEAD.search(block)
            body = _TAG.sub(" ", _HEAD.sub(" ", _DOCNO.sub(" ", block)))
            title = " ".join(head[1].split()) if head else ""
            found.append(Document(name[1].strip(), name[1].strip(), " ".join(body.split()), title=title))
    if not found:
        raise JudgedSetError(f"{folder} holds no documents.", remedy=f"Expected {EXPECTED}.")
    return tuple(found)
