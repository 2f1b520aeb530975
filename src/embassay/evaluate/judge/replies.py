"""The questions in a language model's answer, and what it says of questions, whatever it wrote around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from embassay import jsontext
from embassay.evaluate.judge.phrases import has_length, is_printable

_OBJECT = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)
_FENCE = re.compile(r"^```\w*\s*|```\s*$", re.MULTILINE)
_SAID = re.compile(r"\b(true|false|yes|no)\b", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):])\s*")

_LISTS, _TEXTS = ("questions", "queries"), ("question", "query", "text")
"""Names under which models list questions, and under which they write one."""


def of_kinds(text: str, kinds: Sequence[str]) -> list[str]:
    """The question of each kind that was asked for; empty where none came.

    A model that names the kinds is taken at its word. Else its questions are taken to come in the order of the kinds.
    """
    named: dict[str, list[str]] = {}
    for item in _items(text):
        kind, question = item.get("kind"), _one_of(item)
        if isinstance(kind, str) and question and _is_query(question, 2):
            named.setdefault(_spelled(kind), []).append(question)
    if any(_spelled(kind) in named for kind in kinds):
        return [left.pop(0) if (left := named.get(_spelled(kind))) else "" for kind in kinds]
    found = questions_in(text)
    return [found[at] if at < len(found) else "" for at in range(len(kinds))]


def answered_in(text: str, count: int) -> list[bool] | None:
    """What an answer says of each of `count` questions, whether it is answered; None where that cannot be read."""
    text = _FENCE.sub("", text).strip()
    said = next((value for value in _values(text) if len(value) == count), None)
    found = [str(one) for one in said] if said is not None else [one[0] for one in _SAID.finditer(text)]
    if len(found) != count or not all(_SAID.fullmatch(one.strip()) for one in found):
        return None
    return [one.strip().lower() in ("true", "yes") for one in found]


def questions_in(text: str) -> list[str]:
    """The questions of an answer, each once.

    They are read from JSON, which may stand in a fence or within prose; otherwise from the lines that end in a
    question mark.
    """
    text = _FENCE.sub("", text).strip()
    found: list[str] = []
    for value in _read(text):
        found = _strings(value)
        break
    else:
        lines = [_BULLET.sub("", line).strip().strip('"') for line in text.splitlines()]
        found = [line for line in lines if line.endswith(("?", "？", "؟"))]
    clean = (" ".join(question.split()) for question in found)
    return list(dict.fromkeys(question for question in clean if _is_query(question)))


def _is_query(text: str, least: int = 3) -> bool:
    """So many words, or as many characters as they have where a script does without spaces."""
    words = len(text.split())
    return has_length(text) and is_printable(text) and (words >= least or not text.isascii())


def _read(text: str) -> Iterator[object]:
    """What is JSON in an answer: all of it, or what stands within prose."""
    match = _OBJECT.search(text)
    for candidate in (text, match[0] if match else ""):
        try:
            yield jsontext.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return


def _items(text: str) -> list[dict[str, object]]:
    """The objects of an answer that may each hold a question."""
    for value in _read(_FENCE.sub("", text).strip()):
        listed = next((value[key] for key in _LISTS if key in value), None) if isinstance(value, dict) else value
        return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return []


def _values(text: str) -> Iterator[list[object]]:
    for value in _read(text):
        listed = next(iter(value.values()), None) if isinstance(value, dict) and len(value) == 1 else value
        if isinstance(listed, list):
            yield listed


def _one_of(item: dict[str, object]) -> str:
    found = next((item[key] for key in _TEXTS if isinstance(item.get(key), str)), "")
    return " ".join(str(found).split())


def _spelled(kind: str) -> str:
    return re.sub(r"[\W_]", "", kind.lower())


def _strings(value: object) -> list[str]:
    """Every text of a list, of ``{"questions": [...]}``, or of objects that hold one question each."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        chosen = next((value[key] for key in _LISTS if key in value), None)
        single = next((value[key] for key in _TEXTS if isinstance(value.get(key), str)), None)
        return _strings(chosen) if chosen is not None else [single] if single else []
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []
