"""The questions in a language model's answer, whatever it wrote around them."""

from __future__ import annotations

import re

from embassay import jsontext
from embassay.evaluate.judge.phrases import has_length, is_printable

_OBJECT = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)
_FENCE = re.compile(r"^```\w*\s*|```\s*$", re.MULTILINE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d+[.):])\s*")


def questions_in(text: str) -> list[str]:
    """The questions of an answer, each once.

    They are read from JSON, which may stand in a fence or within prose; otherwise from the lines that end in a
    question mark.
    """
    text = _FENCE.sub("", text).strip()
    found: list[str] = []
    match = _OBJECT.search(text)
    for candidate in (text, match[0] if match else ""):
        try:
            found = _strings(jsontext.loads(candidate))
        except (ValueError, RecursionError):
            continue
        break
    else:
        lines = [_BULLET.sub("", line).strip().strip('"') for line in text.splitlines()]
        found = [line for line in lines if line.endswith(("?", "？", "؟"))]
    clean = (" ".join(question.split()) for question in found)
    return list(dict.fromkeys(question for question in clean if _is_query(question)))


def _is_query(text: str) -> bool:
    """Three words, or as many characters as three words have where a script does without spaces."""
    words = len(text.split())
    return has_length(text) and is_printable(text) and (words >= 3 or not text.isascii())


def _strings(value: object) -> list[str]:
    """Every text of a list, of ``{"questions": [...]}``, or of objects that hold one question each."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        chosen = next((value[key] for key in ("questions", "queries") if key in value), None)
        single = next((value[key] for key in ("question", "query", "text") if isinstance(value.get(key), str)), None)
        return _strings(chosen) if chosen is not None else [single] if single else []
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []
